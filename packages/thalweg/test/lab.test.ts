import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { ClientRequest } from 'node:http'
import {
  exportOnnx,
  graphOf,
  importOnnx,
  decodeModel,
  evaluate,
  grad,
  input,
  constant,
  matmul,
  tanh,
  tensor,
} from '@thalweg/graph'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeNpz } from '../src/formats/npz.ts'
import type {
  Comparison,
  Inspection,
  Line,
  LiveRun,
  Progress,
  RunDetail,
  RunList,
  RunSummary,
  Surface,
  Upload,
  WorkRequest,
} from '../src/server/protocol.ts'
import { LabClient } from './trust-lab-client.ts'

/* The lab as a page uses it: work is asked for, watched, stopped, gone on with, and looked at. */

let lab: LabClient
beforeAll(async () => {
  lab = await LabClient.start()
})
afterAll(() => lab.stop())

const experiment = (name: string, steps: number): string => `name: ${JSON.stringify(name)}
data: { name: xor }
model: { kind: mlp, widths: [2, 4, 2], activation: tanh }
loss: { name: cross-entropy }
training: { optimizer: { name: adam }, learningRate: 0.01, steps: ${steps}, checkpoints: 4 }
analyses: { diagnose: { top: 2, bottom: 2 }, surface: { x: { points: 5 }, y: { points: 7 } } }
`

const start = async (work: WorkRequest): Promise<RunSummary> => {
  const answer = await lab.post('/api/work', work)
  expect(answer.status, answer.text).toBe(202)
  return JSON.parse(answer.text) as RunSummary
}

const summaryOf = async (id: string): Promise<RunSummary> =>
  (await lab.json<LiveRun>(`/api/runs/${encodeURIComponent(id)}/live`)).summary

async function ended(id: string): Promise<RunSummary> {
  for (;;) {
    const summary = await summaryOf(id)
    if (!['queued', 'running', 'stopping'].includes(summary.state)) return summary
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** An event stream, read until it is closed. */
function listen(path: string): {
  readonly events: { type: string; [key: string]: unknown }[]
  readonly close: () => void
  readonly ready: Promise<number>
} {
  const events: { type: string }[] = []
  let rest = ''
  let asked: ClientRequest
  const ready = new Promise<number>((resolve, reject) => {
    asked = request(
      { host: '127.0.0.1', port: lab.server.port, path, agent: false, headers: { Host: lab.host } },
      (answer) => {
        answer.setEncoding('utf8')
        answer.on('error', () => undefined)
        answer.on('data', (piece: string) => {
          rest += piece
          const parts = rest.split('\n\n')
          rest = parts.pop() ?? ''
          for (const part of parts) {
            const data = /^data: (.*)$/m.exec(part)?.[1]
            if (data !== undefined) events.push(JSON.parse(data) as { type: string })
          }
        })
        resolve(answer.statusCode ?? 0)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
  ready.catch(() => undefined)
  return { events, close: () => asked.destroy(), ready }
}

describe('work', () => {
  it('an experiment runs, is listed, and everything about it can be fetched', async () => {
    const started = await start({ command: 'run', yaml: experiment('first <b>run</b>', 200) })
    expect(started).toMatchObject({ name: 'first <b>run</b>', command: 'run' })
    const list = listen(`/api/events?run=${started.id}`)
    const run = await ended(started.id)
    expect(run).toMatchObject({ state: 'finished', hasReport: true, hasSurface: true, model: { parameters: 22 } })
    expect(run.verdict).not.toBeNull()
    const found = await lab.json<RunList>('/api/runs?search=first%20tanh&state=finished&command=run')
    expect(found.runs.map(({ id }) => id)).toEqual([run.id])
    expect((await lab.json<RunList>('/api/runs?search=nothing')).total).toBe(0)
    const detail = await lab.json<RunDetail>(`/api/runs/${run.id}`)
    expect(detail.training?.history.length).toBeGreaterThan(10)
    expect(detail.diagnosis?.evidence.length).toBeGreaterThan(0)
    expect(detail.checkpoints.map(({ name }) => name)).toContain('final')
    for (const { url } of [...detail.figures, ...detail.results, ...detail.arrays, ...detail.checkpoints])
      expect((await lab.ask(url)).status, url).toBe(200)
    expect((await lab.ask(detail.reportUrl ?? '')).text).toContain('first &lt;b&gt;run&lt;/b&gt;')
    expect(list.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['hello', 'snapshot', 'runs', 'run', 'curve', 'log']),
    )
    list.close()
  })

  it('arrays are the file’s numbers in float64', async () => {
    const surface = await lab.json<Surface>('/api/runs/first-b-run-b/surface')
    expect([surface.x.nodes.length, surface.y.nodes.length]).toEqual([5, 7])
    const [loss] = surface.fields
    expect(loss.values.shape).toEqual([7, 5])
    const bytes = await (await fetch(`http://${lab.host}${loss.values.url}`)).arrayBuffer()
    const values = new Float64Array(bytes)
    expect(values).toHaveLength(35)
    expect(Math.min(...values)).toBe(loss.minimum)
  })

  it('analyses of a run: diagnosis, line, surface with its trajectory, plane graph; compared', async () => {
    const subject = { model: { kind: 'run', run: 'first-b-run-b' } } as const
    const line = await start({
      command: 'line',
      subject,
      direction: { kind: 'eigenvector', end: 'top', number: 1 },
      t: [-0.1, 0, 0.1],
    })
    const critical = await start({ command: 'critical', subject, starts: 3, noise: [0.1] })
    await ended(critical.id)
    const surface = await start({
      command: 'surface',
      subject,
      trajectory: true,
      critical: [critical.id],
      points: 5,
      curvatureGrid: 3,
    })
    for (const { id } of [line, critical, surface])
      expect(await ended(id)).toMatchObject({ state: 'finished', parent: 'first-b-run-b' })
    const along = await lab.json<Line>(`/api/runs/${line.id}/line`)
    expect(along.losses[1]).toBeCloseTo(along.model.loss ?? Number.NaN, 12)
    expect(along.model.curvature).toBeCloseTo(along.direction.eigenvalue ?? Number.NaN, 6)
    expect(along.components.length).toBe(4)
    const more = await start({ command: 'line', subject, direction: { kind: 'saved', run: line.id }, t: [0.05] })
    expect(await ended(more.id)).toMatchObject({ state: 'finished' })
    expect((await lab.json<Line>(`/api/runs/${more.id}/line`)).direction.eigenvalue).toBe(along.direction.eigenvalue)
    const drawn = await lab.json<Surface>(`/api/runs/${surface.id}/surface`)
    expect(drawn.fields.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['loss', 'convexity', 'largest-eigenvalue']),
    )
    expect(drawn.trajectories).toHaveLength(1)
    expect(drawn.trajectories[0].points.every(({ offPlaneDistance }) => offPlaneDistance !== null)).toBe(true)
    const compared = await lab.json<Comparison>(`/api/compare?run=first-b-run-b&run=${line.id}`)
    expect(compared.runs).toHaveLength(2)
    expect(compared.settings.find(({ key }) => key === 'training.learningRate')).toMatchObject({ differs: true })
  })

  it('the plane graph is the measured surface, and can be differentiated', async () => {
    const subject = { model: { kind: 'run', run: 'first-b-run-b' } } as const
    const { id } = await start({ command: 'plane-graph', subject })
    expect(await ended(id)).toMatchObject({ state: 'finished' })
    const bytes = new Uint8Array(await (await fetch(`http://${lab.host}/api/runs/${id}/plane-graph`)).arrayBuffer())
    const { inputs, outputs } = importOnnx(decodeModel(bytes), {
      inputs: { coordinates: [2] },
      dtype: 'float64',
    })
    const [gradient] = grad(outputs['loss'], [inputs['coordinates']])
    const at = (a: number, b: number): number[] => {
      const feeds = { coordinates: tensor('float64', [2], Float64Array.of(a, b)) }
      const [loss, slope] = evaluate([outputs['loss'], gradient], feeds)
      return [Number(loss.data[0]), ...Array.from(slope.data, Number)]
    }
    const surface = await lab.json<Surface>('/api/runs/first-b-run-b/surface')
    const values = new Float64Array(
      await (await fetch(`http://${lab.host}${surface.fields[0].values.url}`)).arrayBuffer(),
    )
    // the surface beside a report is measured in float32
    expect(at(surface.x.nodes[4], surface.y.nodes[6])[0]).toBeCloseTo(values[34], 4)
    const h = 1e-6
    expect((at(h, 0)[0] - at(-h, 0)[0]) / (2 * h)).toBeCloseTo(at(0, 0)[1], 6)
  })

  it('stops what waits and what runs, and goes on', async () => {
    const long = await start({ command: 'run', yaml: experiment('long', 2_000_000) })
    const waiting = await start({ command: 'run', yaml: experiment('waiting', 10) })
    expect(waiting.state).toBe('queued')
    expect(JSON.parse((await lab.post(`/api/runs/${waiting.id}/stop`, {})).text)).toMatchObject({
      state: 'stopped',
      resumable: true,
    })
    const events = listen(`/api/runs/${long.id}/events`)
    while (!events.events.some(({ type }) => type === 'progress'))
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await lab.post(`/api/runs/${long.id}/resume`, {})).status).toBe(409)
    expect((await lab.post(`/api/runs/${long.id}/stop`, {})).status).toBe(200)
    expect(await ended(long.id)).toMatchObject({ state: 'stopped', stoppable: false, resumable: true })
    expect((await lab.post(`/api/runs/${waiting.id}/resume`, {})).status).toBe(202)
    expect(await ended(waiting.id)).toMatchObject({ state: 'finished' })
    events.close()
    const reached = Math.max(...events.events.map(({ progress }) => (progress as Progress | undefined)?.done ?? 0))
    expect((await lab.post(`/api/runs/${long.id}/resume`, {})).status).toBe(202)
    const again = listen(`/api/runs/${long.id}/events`)
    const training = (): Progress | undefined =>
      again.events.map((event) => event['progress'] as Progress | undefined).find((p) => p?.stage === 'training')
    while (!training()) await new Promise((resolve) => setTimeout(resolve, 50))
    // it goes on from where it stopped, not from the start
    expect(reached).toBeGreaterThan(0)
    expect(training()?.done).toBeGreaterThanOrEqual(reached)
    expect((await lab.post(`/api/runs/${long.id}/stop`, { mode: 'now' })).status).toBe(200)
    expect(await ended(long.id)).toMatchObject({ state: 'stopped', resumable: true })
    again.close()
  })
})

describe('uploads', () => {
  it('a model and its data, dropped on the page, are inspected and diagnosed', async () => {
    const { id } = await lab.json<Upload>('/api/uploads', { method: 'POST' })
    const x = input('x', 'float64', [1, 2])
    const w = constant(tensor('float64', [2, 1], Float64Array.of(0.3, -0.2)))
    const model = exportOnnx(graphOf({ y: tanh(matmul(x, w)) }))
    const data = encodeNpz({
      x: tensor('float64', [4, 2], Float64Array.of(0, 1, 1, 0, 1, 1, 0, 0)),
      y: tensor('float64', [4, 1], Float64Array.of(0.1, 0.2, -0.1, 0)),
    })
    for (const [name, body] of Object.entries({ 'drop.onnx': model, 'drop.npz': data, 'bad.onnx': new Uint8Array(50) }))
      expect((await lab.ask(`/api/uploads/${id}/${name}`, { method: 'PUT', body })).status).toBe(201)
    const seen = await lab.json<Inspection>(`/api/uploads/${id}/inspect`, { method: 'POST' })
    expect(seen.data).toMatchObject([{ file: 'drop.npz', error: null }])
    expect(seen.models).toMatchObject([
      { file: 'bad.onnx', info: null },
      { file: 'drop.onnx', error: null },
    ])
    const { id: run } = await start({
      command: 'diagnose',
      subject: {
        model: { kind: 'upload', upload: id, file: 'drop.onnx' },
        data: { kind: 'upload', upload: id, files: ['drop.npz'] },
        loss: { name: 'mse' },
      },
    })
    const summary = await ended(run)
    expect(summary.error).toBeNull()
    expect(summary).toMatchObject({
      state: 'finished',
      model: { name: 'drop.onnx', parameters: 2 },
      data: { name: 'drop.npz' },
      hasReport: true,
    })
    // the run needs its upload, and an analysis of the run means the model behind it
    expect((await lab.ask(`/api/uploads/${id}`, { method: 'DELETE' })).status).toBe(409)
    const line = await start({
      command: 'line',
      subject: { model: { kind: 'run', run } },
      direction: { kind: 'gradient' },
      t: [0, 1e-3],
    })
    expect(await ended(line.id)).toMatchObject({ state: 'finished', parent: run })
    const broken = await start({
      command: 'diagnose',
      subject: {
        model: { kind: 'upload', upload: id, file: 'bad.onnx' },
        data: { kind: 'built-in', name: 'xor' },
        loss: { name: 'mse' },
      },
    })
    const failed = await ended(broken.id)
    expect(failed).toMatchObject({ state: 'failed' })
    expect(failed.error).toContain('bad.onnx')
    expect(failed.error).not.toContain(lab.root)
  })
})

describe('fifty pages', () => {
  it('on one running experiment: all see it end, nothing is left behind', async () => {
    const { id } = await start({ command: 'run', yaml: experiment('watched', 3000) })
    const pages = Array.from({ length: 50 }, (_, i) =>
      listen(i % 2 === 0 ? `/api/runs/${id}/events` : `/api/events?run=${id}`),
    )
    expect(new Set(await Promise.all(pages.map(({ ready }) => ready)))).toEqual(new Set([200]))
    expect(lab.server.lab.streams.count).toBe(50)
    expect(await ended(id)).toMatchObject({ state: 'finished' })
    await new Promise((resolve) => setTimeout(resolve, 700))
    const kinds = pages.map(
      ({ events }) => new Set(events.filter((event) => event['run'] === id).map(({ type }) => type)),
    )
    for (const each of kinds)
      expect([...each]).toEqual(expect.arrayContaining(['snapshot', 'progress', 'curve', 'run']))
    for (const page of pages) page.close()
    for (let i = 0; i < 50 && lab.server.lab.streams.count > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect([lab.server.lab.streams.count, lab.server.lab.listenerCount]).toEqual([0, 0])
  })

  it('more than the limit are told no, and places come back', async () => {
    const small = await LabClient.start({ limits: { eventStreamsMax: 3 } })
    try {
      const controllers = [1, 2, 3].map(() => new AbortController())
      const open = async (signal?: AbortSignal): Promise<number> =>
        (await fetch(`http://${small.host}/api/events`, { signal })).status
      expect(await Promise.all(controllers.map(async ({ signal }) => open(signal)))).toEqual([200, 200, 200])
      expect(await open()).toBe(429)
      controllers[0].abort()
      for (let i = 0; i < 50 && small.server.lab.streams.count === 3; i++)
        await new Promise((resolve) => setTimeout(resolve, 20))
      const again = new AbortController()
      expect(await open(again.signal)).toBe(200)
      for (const each of [...controllers, again]) each.abort()
    } finally {
      await small.stop()
    }
  })
})

describe('the lab itself', () => {
  it('remembers work over a restart; what ran is interrupted and can be gone on with', async () => {
    const first = await LabClient.start()
    first.write({
      '.lab/jobs/lost.json': {
        id: 'lost',
        name: 'lost one',
        state: 'running',
        createdAt: new Date(0).toISOString(),
        endedAt: null,
        request: { command: 'run', yaml: experiment('lost', 10) },
      },
      '.lab/jobs/bad.json': '{"id":"bad","request":{"command":"rm -rf"}}',
    })
    const { startLabServer } = await import('../src/server/lab-server.ts')
    const second = await startLabServer({ root: first.root, app: first.outside, port: 0, onError: () => undefined })
    const { runs } = (await (await fetch(`http://127.0.0.1:${second.port}/api/runs`)).json()) as RunList
    expect(runs).toMatchObject([{ id: 'lost', name: 'lost one', state: 'interrupted', resumable: true }])
    expect((await fetch(`http://127.0.0.1:${second.port}/`)).status).toBe(503)
    await second.close()
    await first.stop()
  })

  it('takes the next port where its own is taken, and refuses one that is asked for', async () => {
    const other = LabClient.start({ port: lab.server.port })
    await expect(other).rejects.toThrow(/is taken/)
  })

  it('goes down with streams open and a job running', async () => {
    const going = await LabClient.start()
    const yaml = experiment('going', 2_000_000)
    const { id } = JSON.parse((await going.post('/api/work', { command: 'run', yaml })).text) as RunSummary
    const stream = going.raw(`GET /api/events?run=${id} HTTP/1.1\r\nHost: ${going.host}\r\n\r\n`)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const root = going.root
    await going.server.close()
    expect(await stream).toContain('event: shutdown')
    const record = JSON.parse(readFileSync(`${root}/.lab/jobs/${id}.json`, 'utf8')) as { state: string }
    expect(record.state).toBe('stopped')
    await going.stop()
  })
})
