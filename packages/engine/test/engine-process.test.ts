import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DomainError, TaskError, exp, gather, graphOf, input, matmul, mul, sqrt, tensorOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { randomTensor, seededNumbers } from '@thalweg/graph/testing'
import type { Engine, Executable } from '../src/index.ts'
import { childEngine, nativeEngine } from '../src/node/index.ts'

/** Processes that this one has started, by their command line. */
function engineChildren(): number[] {
  const rows = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' }).split('\n')
  return rows.filter((row) => row.includes('engine-child')).map((row) => Number.parseInt(row, 10))
}

const start = tensorOf('float64', [200, 200], new Float64Array(40_000).fill(0.5))

/** A product repeated in a loop: long enough to be interrupted. */
async function slowLoop(engine: Engine): Promise<(steps: number, signal?: AbortSignal) => Promise<Tensor>> {
  const a = input('a', 'float64', [200, 200])
  const step = input('step', 'int64', [])
  const loop = await engine.compileLoop({
    carried: [a],
    next: [mul(matmul(a, a), 0.01)],
    step,
    records: {},
    inputs: [],
  })
  return async (steps, signal) => (await loop.run({ a: start }, steps, signal ? { signal } : {})).carried['a']
}

const soon = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const endless = 10_000_000

describe('childEngine', () => {
  let engine: Engine
  let quick: Executable
  beforeEach(async () => {
    engine = await childEngine({ threads: 1 })
    quick = await engine.compile(graphOf({ y: sqrt(input('x', 'float64', [2])) }))
  })
  afterEach(() => engine.dispose())
  const x = tensorOf('float64', [2], [1, 9])

  it('computes the bits of the native engine and has its fingerprint', async () => {
    const numbers = seededNumbers(2)
    const graph = graphOf({ y: exp(matmul(input('a', 'float64', [50, 40]), input('b', 'float64', [40, 30]))) })
    const values = { a: randomTensor('float64', [50, 40], numbers), b: randomTensor('float64', [40, 30], numbers) }
    const native = nativeEngine({ threads: 1 })
    expect(engine.fingerprint).toBe(native.fingerprint)
    const [here, there] = [await native.compile(graph), await engine.compile(graph)]
    expect(await there.run(values)).toEqual(await here.run(values))
    await native.dispose()
  })

  it('leaves this process responsive during a run', async () => {
    const run = await slowLoop(engine)
    const abort = new AbortController()
    const running = run(endless, abort.signal).catch((error: unknown) => error)
    let ticks = 0
    const clock = setInterval(() => ticks++, 5)
    await soon(300)
    clearInterval(clock)
    abort.abort()
    expect(await running).toBeInstanceOf(TaskError)
    expect(ticks).toBeGreaterThan(10)
  })

  it('rejects a run whose child was killed, and works again in a new child', async () => {
    const run = await slowLoop(engine)
    const running = run(endless)
    await soon(100)
    const [pid] = engineChildren()
    process.kill(pid, 'SIGKILL')
    await expect(running).rejects.toThrow(/ended with SIGKILL. Run again/)
    await expect(running).rejects.toThrow(TaskError)
    expect((await quick.run({ x })).y.data).toEqual(Float64Array.of(1, 3))
    expect((await run(1)).shape).toEqual([200, 200])
    expect(engineChildren()).not.toContain(pid)
  })

  it('cancels a run at once and repeats the others', async () => {
    const run = await slowLoop(engine)
    const abort = new AbortController()
    const long = run(endless, abort.signal)
    const other = quick.run({ x })
    await soon(50)
    abort.abort()
    await expect(long).rejects.toMatchObject({ name: 'TaskError', details: { cancelled: true } })
    expect((await other).y.data).toEqual(Float64Array.of(1, 3))
    expect((await run(1)).shape).toEqual([200, 200])
  })

  it('sends a value again only when it is another object', async () => {
    const first = await quick.run({ x })
    expect((await quick.run({ x })).y.data).toEqual(first.y.data)
    const { y } = await quick.run({ x: tensorOf('float64', [2], [9, 1]) })
    expect(y.data).toEqual(Float64Array.of(3, 1))
    expect((await quick.run({ x })).y.data).toEqual(first.y.data)
  })

  it('hands on errors as their class', async () => {
    const table = input('table', 'float64', [3])
    const row = input('row', 'int64', [1])
    const lookup = await engine.compile(graphOf({ y: gather(table, row, 0) }))
    const values = { table: tensorOf('float64', [3], [1, 2, 3]), row: tensorOf('int64', [1], [7]) }
    await expect(lookup.run(values)).rejects.toThrow(DomainError)
    expect((await lookup.run({ ...values, row: tensorOf('int64', [1], [2]) })).y.data).toEqual(Float64Array.of(3))
  })

  it('ends the child with dispose', async () => {
    expect(engineChildren()).toHaveLength(1)
    await engine.dispose()
    expect(engineChildren()).toHaveLength(0)
  })
})

it.each(['', 'await engine.dispose()'])('lets its parent end when nobody waits %s', (last) => {
  const script = `
    const { childEngine } = await import(${JSON.stringify(new URL('../src/node/index.ts', import.meta.url).href)})
    const engine = await childEngine({ threads: 1 })
    console.log(engine.fingerprint)
    ${last}`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect(out).toContain('1 threads')
})
