import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { experimentJsonSchema } from '../experiment/schema.ts'
import { compareRuns } from './comparison.ts'
import { inspectUpload } from './inspection.ts'
import type { Lab } from './lab.ts'
import { checkExperiment } from './own-experiment.ts'
import { jsonText } from './plain-json.ts'
import { Refusal } from './refusal.ts'
import { readJsonBody } from './request-body.ts'
import { arrayBytes } from './run-arrays.ts'
import { runDetail } from './run-detail.ts'
import type { RunFolder } from './run-folder.ts'
import { runQueryOf } from './run-query.ts'
import { scriptHashesOf, securityHeaders } from './security-headers.ts'
import { lineView } from './surface-view.ts'
import { experimentTextOf, stopRequestOf, workRequestOf } from './work-schema.ts'

export type LabEnv = { Bindings: HttpBindings }
type LabContext = Context<LabEnv>

const watchedRunsMax = 50

function json(value: unknown, status = 200): Response {
  return new Response(jsonText(value), {
    status,
    headers: { ...dataHeaders, 'Content-Type': 'application/json; charset=utf-8' },
  })
}

const dataHeaders = { ...securityHeaders('data'), 'Cache-Control': 'no-store' }

function bytesOf(
  body: Uint8Array<ArrayBuffer>,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, { headers: { ...dataHeaders, 'Content-Type': type, ...headers } })
}

function eventStream(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: { ...dataHeaders, 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' },
  })
}

/** Everything below `/api`. */
export function apiRoutes(lab: Lab): Hono<LabEnv> {
  const api = new Hono<LabEnv>()
  api.get('/health', () => json(lab.health()))
  api.get('/events', async (c) => {
    const runs = c.req.queries('run') ?? []
    if (runs.length > watchedRunsMax)
      throw new Refusal('bad-request', `run: at most ${watchedRunsMax} at once, got ${runs.length}.`)
    return eventStream(await lab.watchList([...new Set(runs)]))
  })
  addRunRoutes(api, lab)
  addRunFileRoutes(api, lab)
  addWorkRoutes(api, lab)
  addUploadRoutes(api, lab)
  return api
}

const folderOf = (lab: Lab, c: LabContext): RunFolder => lab.catalogue.folder(c.req.param('id') ?? '')

async function bodyOf(lab: Lab, c: LabContext): Promise<unknown> {
  const { jsonBytesMax, bodyMs } = lab.limits
  return readJsonBody(c.env.incoming, { bytesMax: jsonBytesMax, idleMs: bodyMs, totalMs: bodyMs })
}

function addRunRoutes(api: Hono<LabEnv>, lab: Lab): void {
  api.get('/runs', async (c) => json(await lab.catalogue.list(runQueryOf(c.req.queries()))))
  api.get('/runs/:id', async (c) => {
    const run = folderOf(lab, c)
    const summary = await lab.catalogue.summary(run.id)
    return json(await runDetail(run, summary, lab.board.requestOf(run.id) ?? null, lab.arrays))
  })
  api.get('/runs/:id/live', async (c) => json(await lab.live(folderOf(lab, c).id)))
  api.get('/runs/:id/events', async (c) => eventStream(await lab.watchRun(folderOf(lab, c).id)))
  api.get('/runs/:id/surface', async (c) => json(await lab.surface(folderOf(lab, c))))
  api.get('/runs/:id/line', async (c) => json(await lineView(folderOf(lab, c), lab.arrays)))
  api.get('/runs/:id/arrays', async (c) => json(await lab.arrays.list(folderOf(lab, c))))
  api.get('/compare', async (c) => {
    const ids = [...new Set(c.req.queries('run') ?? [])]
    const most = lab.limits.comparedRunsMax
    if (ids.length === 0 || ids.length > most)
      throw new Refusal('bad-request', `run: name 1 to ${most} runs, got ${ids.length}.`)
    const runs = ids.map((id) => lab.catalogue.folder(id))
    const summaries = await Promise.all(ids.map(async (id) => lab.catalogue.summary(id)))
    return json(await compareRuns(runs.map((run, i) => ({ run, summary: summaries[i] }))))
  })
}

/** Files of a run, as what they are. */
function addRunFileRoutes(api: Hono<LabEnv>, lab: Lab): void {
  const { jsonFileBytesMax, arrayBytesMax, reportBytesMax } = lab.limits
  const read = async (c: LabContext, max: number, ...inside: string[]): Promise<Uint8Array<ArrayBuffer>> =>
    lab.root.read(folderOf(lab, c).parts(...inside), max)
  api.get('/runs/:id/results/:name', async (c) =>
    bytesOf(
      await read(c, jsonFileBytesMax, 'results', `${c.req.param('name')}.json`),
      'application/json; charset=utf-8',
    ),
  )
  api.get('/runs/:id/arrays/:file/:array', async (c) => {
    const value = await lab.arrays.read(folderOf(lab, c), c.req.param('file'), c.req.param('array'))
    return bytesOf(arrayBytes(value), 'application/octet-stream', { 'Thalweg-Shape': value.shape.join(',') })
  })
  api.get('/runs/:id/figures/:name', async (c) => {
    const name = c.req.param('name')
    const type = /\.svg$/i.test(name) ? 'image/svg+xml' : /\.png$/i.test(name) ? 'image/png' : undefined
    if (type === undefined) throw new Refusal('not-found', 'There is no such figure.')
    return bytesOf(await read(c, reportBytesMax, 'figures', name), type)
  })
  api.get('/runs/:id/checkpoints/:name', async (c) => {
    const name = `${c.req.param('name')}.safetensors`
    const download = { 'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}` }
    return bytesOf(await read(c, arrayBytesMax, 'checkpoints', name), 'application/octet-stream', download)
  })
  api.get('/runs/:id/plane-graph', async (c) =>
    bytesOf(await read(c, arrayBytesMax, 'results', 'plane.onnx'), 'application/octet-stream'),
  )
  api.get('/runs/:id/report', async (c) => {
    const page = await read(c, reportBytesMax, 'report.html')
    const report = scriptHashesOf(new TextDecoder().decode(page.subarray(0, 8192)))
    return new Response(page, {
      headers: {
        ...securityHeaders({ report }),
        'Content-Type': 'text/html; charset=utf-8',
        'Cache-Control': 'no-store',
      },
    })
  })
}

function addWorkRoutes(api: Hono<LabEnv>, lab: Lab): void {
  api.post('/work', async (c) => {
    const id = await lab.start(workRequestOf(await bodyOf(lab, c)))
    return json(await lab.catalogue.summary(id), 202)
  })
  api.post('/runs/:id/stop', async (c) => {
    const { id } = folderOf(lab, c)
    const { mode } = stopRequestOf(await bodyOf(lab, c))
    await lab.stop(id, mode === 'now')
    return json(await lab.catalogue.summary(id))
  })
  api.post('/runs/:id/resume', async (c) => {
    const { id } = folderOf(lab, c)
    await lab.board.resume(id)
    return json(await lab.catalogue.summary(id), 202)
  })
  api.get('/experiments/schema', () => json(experimentJsonSchema()))
  api.post('/experiments/check', async (c) => {
    const { yaml, upload } = experimentTextOf(await bodyOf(lab, c))
    const files = upload === undefined ? [] : (await lab.uploads.get(upload)).files.map(({ name }) => name)
    return json(checkExperiment(yaml, files))
  })
}

function addUploadRoutes(api: Hono<LabEnv>, lab: Lab): void {
  api.post('/uploads', async () => json(await lab.uploads.create(), 201))
  api.get('/uploads/:id', async (c) => json(await lab.uploads.get(c.req.param('id'))))
  api.delete('/uploads/:id', async (c) => {
    await lab.uploads.delete(c.req.param('id'))
    return new Response(null, { status: 204, headers: dataHeaders })
  })
  api.put('/uploads/:id/:name', async (c) =>
    json(await lab.uploads.put(c.req.param('id'), c.req.param('name'), c.env.incoming), 201),
  )
  api.post('/uploads/:id/inspect', async (c) => json(await inspectUpload(lab, c.req.param('id'))))
}
