import type {
  Comparison,
  ErrorBody,
  ExperimentCheck,
  ExperimentText,
  Health,
  Inspection,
  Line,
  RunDetail,
  RunList,
  RunQuery,
  RunSummary,
  Surface,
  Upload,
  UploadedFile,
  WorkRequest,
} from 'thalweg/protocol'

/** What the server refused, in its words. */
class ServerError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'ServerError'
    this.status = status
    this.code = code
  }
}

const root = './api'

async function request(path: string, init?: RequestInit): Promise<Response> {
  const reply = await fetch(`${root}${path}`, init)
  if (reply.ok) return reply
  const body = (await reply.json().catch(() => undefined)) as ErrorBody | undefined
  throw new ServerError(reply.status, body?.error.code ?? 'internal', body?.error.message ?? reply.statusText)
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await request(path, init)).json()) as T
}

function post<T>(path: string, body: unknown): Promise<T> {
  return json(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  })
}

const run = (id: string): string => `/runs/${encodeURIComponent(id)}`

/** What `thalweg lab` answers. Every call rejects with a {@link ServerError} or, where nobody answers, a TypeError. */
export const server = {
  health: (): Promise<Health> => json('/health'),
  runs: (query: RunQuery = {}): Promise<RunList> => json(`/runs${queryText(query)}`),
  run: (id: string): Promise<RunDetail> => json(run(id)),
  surface: (id: string): Promise<Surface> => json(`${run(id)}/surface`),
  line: (id: string): Promise<Line> => json(`${run(id)}/line`),
  compare: (ids: readonly string[]): Promise<Comparison> =>
    json(`/compare?${ids.map((id) => `run=${encodeURIComponent(id)}`).join('&')}`),
  start: (work: WorkRequest): Promise<RunSummary> => post('/work', work),
  checkExperiment: (text: ExperimentText): Promise<ExperimentCheck> => post('/experiments/check', text),
  stop: (id: string, mode: 'save' | 'now' = 'save'): Promise<RunSummary> => post(`${run(id)}/stop`, { mode }),
  resume: (id: string): Promise<RunSummary> => post(`${run(id)}/resume`, {}),
  beginUpload: (): Promise<Upload> => post('/uploads', {}),
  sendFile: (upload: string, file: File): Promise<UploadedFile> =>
    json(`/uploads/${encodeURIComponent(upload)}/${encodeURIComponent(file.name)}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: file,
    }),
  inspect: (upload: string): Promise<Inspection> => post(`/uploads/${encodeURIComponent(upload)}/inspect`, {}),
  /** float64, whatever the file holds. */
  array: async (url: string): Promise<Float64Array> => {
    const reply = await fetch(relative(url))
    if (!reply.ok) throw new ServerError(reply.status, 'not-found', `${url}: ${reply.statusText}`)
    return new Float64Array(await reply.arrayBuffer())
  },
}

/** Addresses in answers begin with `/api`; the page may lie elsewhere than at the root. */
export function relative(url: string): string {
  return url.startsWith('/') ? `.${url}` : url
}

function queryText(query: RunQuery): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== '') search.append(key, String(each))
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}
