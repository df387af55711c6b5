import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TestRedis, hasRedisServer, testPassword } from '../src/queue/redis/testing/redis-server.ts'
import { connect } from '../src/queue/sqlite.ts'
import type { RunProgress } from '../src/runs/run-state.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()
const bin = resolve(import.meta.dirname, '../bin/thalweg.js')

const experiment = (steps: number): string => `name: moons
seed: 3
data: { name: 'two-moons:samples=2000,noise=0.15', test: 0.25 }
model: { kind: mlp, widths: [2, 64, 64, 2], activation: tanh }
loss: { name: cross-entropy }
training: { optimizer: { name: adam }, learningRate: 0.003, steps: ${steps}, batchSize: 100, checkpoints: 40, dtype: float64 }
analyses:
  diagnose: { top: 2, bottom: 2, denseLimit: 0, maxProducts: 60 }
  surface: { x: { points: 9 }, y: { points: 7 } }
`

/** Starts the program in a process group of its own, so that all of it can be killed at once. */
function start(args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [bin, ...args], {
    cwd: folder(),
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  })
}

/** What a process says on standard error. */
function saidBy(child: ChildProcess): () => string {
  let said = ''
  child.stderr!.on('data', (part) => {
    said += String(part)
  })
  return () => said
}

const progressOf = (run: string): RunProgress | undefined => {
  try {
    return JSON.parse(readFileSync(join(folder(), run, 'live/progress.json'), 'utf8')) as RunProgress
  } catch {
    return undefined
  }
}

/** Results in the queue of a run, as another process sees them. */
function tasksDone(run: string): number {
  try {
    const database = connect(join(folder(), run, 'live/tasks/queue.sqlite'), { readOnly: true })
    const row = database.prepare('SELECT count(*) AS n FROM results').get()
    database.close()
    return Number(row!['n'])
  } catch {
    return 0
  }
}

interface Interruption {
  readonly how: 'SIGKILL' | 'SIGINT' | 'power cut'
  readonly at: (progress: RunProgress) => boolean
}

/** Runs the program until its progress says so, and interrupts it. Answers how it ended. */
async function interrupted(args: readonly string[], run: string, { how, at }: Interruption): Promise<unknown> {
  const child = start(args)
  const exited = once(child, 'exit')
  const said = saidBy(child)
  let over = false
  child.once('exit', () => {
    over = true
  })
  const before = progressOf(run)?.resumed ?? -1
  for (;;) {
    const progress = progressOf(run)
    if (over) throw new Error(`it ended before it was interrupted: ${said()}`)
    // not what an earlier process has left
    if (progress && progress.resumed > before && at(progress)) break
    await new Promise((go) => setTimeout(go, 10))
  }
  if (how === 'power cut') process.kill(-child.pid!, 'SIGKILL')
  else child.kill(how)
  const [code, signal] = (await exited) as [number | null, string | null]
  return code ?? signal
}

/** All files of a folder, but for those that say when and where they were written. */
function contents(path: string): Record<string, string> {
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile() && !/report\.html|manifest\.json/.test(entry.name))
  const paths = files.map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(paths.map((file) => [relative(path, file), readFileSync(file).toString('base64')]))
}

describe('surface', () => {
  test('a long grid that is interrupted ten times equals the uninterrupted one byte for byte', async () => {
    writeFileSync(join(folder(), 'many.yaml'), experiment(10))
    const args = ['surface', 'many.yaml', '--points', '25', '--evaluation', 'inputs', '--dtype', 'float64', '--quiet']
    const ways = ['power cut', 'SIGKILL', 'SIGINT'] as const
    const reached: number[] = []
    for (let i = 0; i < 10; i++) {
      const resume = i > 0 ? ['--resume'] : []
      const how = ways[i % 3]
      const last = reached.at(-1) ?? 0
      const at = (): boolean => tasksDone('often') > last
      const end = await interrupted([...args, '--workers', '2', '--out', 'often', ...resume], 'often', { how, at })
      expect(end).toBe(how === 'SIGINT' ? 130 : 'SIGKILL')
      reached.push(tasksDone('often'))
    }
    expect(reached).toEqual([...new Set(reached)].sort((a, b) => a - b))
    // of 209 tasks of three points
    expect(reached.at(-1)).toBeLessThan(209)
    expect(thalweg(...args, '--workers', '2', '--out', 'often', '--resume')).toMatchObject({ status: 0, stderr: '' })
    const grids = ['1', '4'].map((workers) => {
      expect(thalweg(...args, '--workers', workers, '--out', `whole-${workers}`).status).toBe(0)
      return readFileSync(join(folder(), `whole-${workers}`, 'results/surface.npz'))
    })
    const often = readFileSync(join(folder(), 'often', 'results/surface.npz'))
    for (const grid of grids) expect(grid.equals(often)).toBe(true)
    expect(existsSync(join(folder(), 'often/live'))).toBe(false)
  })
})

test('critical: the searches of one and of two workers find the same points, to the bit', () => {
  const text = `name: product
data: { name: 'linear-regression:samples=20,inputs=2,outputs=1' }
model: { kind: linear-network, widths: [2, 2, 1] }
loss: { name: mse }
`
  writeFileSync(join(folder(), 'product.yaml'), text)
  const args = ['critical', 'product.yaml', '--starts', '24', '--noise', '0.5', '--json']
  const documents = ['1', '2'].map((workers) => {
    const reply = thalweg(...args, '--workers', workers, '--out', `points-${workers}`)
    expect(reply).toMatchObject({ status: 0, stderr: '' })
    return JSON.parse(reply.stdout) as { readonly points: readonly object[]; readonly searches: readonly object[] }
  })
  expect(documents[0].searches).toHaveLength(24)
  expect(documents[0].points.length).toBeGreaterThan(0)
  expect(documents[1].searches).toEqual(documents[0].searches)
  expect(contents(join(folder(), 'points-2'))).toEqual(contents(join(folder(), 'points-1')))
  const homeless = thalweg(...args, '--workers', '2')
  expect(homeless).toMatchObject({ status: 2, stderr: expect.stringMatching(/Name it by --out/) as string })
})

describe('run', () => {
  test('a run that is killed in training, diagnosis and surface ends in the same bytes', async () => {
    writeFileSync(join(folder(), 'long.yaml'), experiment(6000))
    const args = ['run', 'long.yaml', '--quiet', '--threads', '1']
    expect(thalweg(...args, '--out', 'whole').status).toBe(0)
    const training = (done: number) => (p: RunProgress) => p.stage === 'training' && p.done >= done
    const interruptions: Interruption[] = [
      { how: 'power cut', at: training(500) },
      { how: 'SIGINT', at: training(1500) },
      { how: 'SIGKILL', at: training(3000) },
      { how: 'power cut', at: ({ stage }) => !['starting', 'training', 'surface'].includes(stage) },
    ]
    for (const [i, interruption] of interruptions.entries()) {
      await interrupted([...args, '--out', 'killed', ...(i > 0 ? ['--resume'] : [])], 'killed', interruption)
      const shown = thalweg('runs', 'show', 'killed', '--json')
      expect(JSON.parse(shown.stdout)).toMatchObject({ status: 'interrupted', resumable: true })
      const manifest = readFileSync(join(folder(), 'killed/manifest.json'), 'utf8')
      expect(JSON.parse(manifest)).toMatchObject({ status: 'interrupted' })
    }
    expect(thalweg(...args, '--out', 'killed', '--resume')).toMatchObject({ status: 0, stderr: '' })
    expect(contents(join(folder(), 'killed'))).toEqual(contents(join(folder(), 'whole')))
    const again = thalweg(...args, '--out', 'killed', '--resume')
    expect(again).toMatchObject({ status: 2, stderr: expect.stringMatching(/nothing to go on with/) as string })
  })

  test('runs: list, pause, resume, cancel', async () => {
    writeFileSync(join(folder(), 'moons.yaml'), experiment(100_000))
    const child = start(['run', 'moons.yaml', '--quiet', '--threads', '1'])
    while (progressOf('runs/moons')?.stage !== 'training') await new Promise((go) => setTimeout(go, 20))
    expect(thalweg('runs', 'list').stdout).toMatch(/^running +moons/)
    const busy = thalweg('runs', 'resume', 'runs/moons')
    expect(busy).toMatchObject({ status: 2, stderr: expect.stringMatching(/a living process/) as string })
    const exited = once(child, 'exit')
    expect(thalweg('runs', 'pause', 'runs/moons').status).toBe(0)
    expect(await exited).toEqual([3, null])
    expect(thalweg('runs', 'list').stdout).toMatch(/^paused +moons +training \d+\/100000/)
    const other = thalweg('run', 'moons.yaml', '--seed', '4', '--out', 'runs/moons', '--resume')
    expect(other).toMatchObject({ status: 2, stderr: expect.stringMatching(/another experiment/) as string })
    expect(thalweg('runs', 'cancel', 'runs/moons').stdout).toMatch(/cancelled/)
    expect(existsSync(join(folder(), 'runs/moons/live'))).toBe(false)
    const gone = thalweg('runs', 'resume', 'runs/moons')
    expect(gone).toMatchObject({ status: 2, stderr: expect.stringMatching(/nothing to go on with/) as string })
    expect(thalweg('runs', 'show', 'runs').status).toBe(2)
  })
})

describe.skipIf(!hasRedisServer)('many machines', () => {
  test('workers that join a queue give the bytes of a local run', async () => {
    writeFileSync(join(folder(), 'few.yaml'), experiment(50))
    const redis = await TestRedis.start()
    const environment = { THALWEG_QUEUE_PASSWORD: testPassword }
    const { url } = redis.address
    const worker = start(['worker', '--queue', url, '--workers', '1', '--lease', '2s'], environment)
    const workerSaid = saidBy(worker)
    try {
      expect(thalweg('run', 'few.yaml', '--threads', '1', '--quiet', '--out', 'local').status).toBe(0)
      const child = start(['run', 'few.yaml', '--threads', '1', '--quiet', '--out', 'far', '--queue', url], environment)
      const said = saidBy(child)
      expect([...((await once(child, 'exit')) as unknown[]), said()]).toEqual([0, null, ''])
      expect(contents(join(folder(), 'far'))).toEqual(contents(join(folder(), 'local')))
      const stranger = start(['surface', 'local', '--points', '3', '--threads', '7', '--queue', url], environment)
      const refusal = saidBy(stranger)
      expect(await once(stranger, 'close')).toEqual([2, null])
      expect(refusal()).toMatch(/no worker there has the engine '.* 7 threads'/)
      const left = once(worker, 'close')
      worker.kill('SIGTERM')
      expect(await left).toEqual([0, null])
      expect(workerSaid()).toMatch(/[1-9]\d* tasks done/)
    } finally {
      worker.kill('SIGKILL')
      await redis.remove()
    }
  })

  test('templates only start workers', () => {
    for (const [name, expected] of [
      ['slurm', /#SBATCH[^]*srun thalweg worker/],
      ['kubernetes', /kind: Job[^]*thalweg[^]*worker/],
    ] as const)
      expect(thalweg('worker', '--template', name)).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(expected) as string,
      })
  })
})
