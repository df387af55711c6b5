import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  DomainError,
  ShapeError,
  TaskError,
  grad,
  graphOf,
  input,
  logSoftmax,
  matmul,
  mul,
  reduceSum,
  scatterAdd,
  tanh,
  tensorOf,
} from '@thalweg/graph'
import type { Graph, Tensor } from '@thalweg/graph'
import { randomTensor, seededNumbers } from '@thalweg/graph/testing'
import type { Engine } from '../src/index.ts'
import { nativeEngine } from '../src/node/index.ts'
import { childHost, hosts } from './hosts.ts'

const x = input('x', 'float32', [64, 30])
const w = input('w', 'float32', [30, 20])
const doubled: Graph = graphOf({ y: mul(x, 2) })

/** Loss and gradient of a small network, with a reduction, a softmax and a scatter in it. */
function training(): { graph: Graph; values: Record<string, Tensor> } {
  const numbers = seededNumbers(5)
  const rows = input('rows', 'int64', [64])
  const logits = logSoftmax(tanh(matmul(x, w)))
  const loss = reduceSum(mul(scatterAdd(rows, logits, 0, 5), scatterAdd(rows, logits, 0, 5)))
  return {
    graph: graphOf({ loss, slope: grad(loss, [w])[0] }),
    values: {
      x: randomTensor('float32', [64, 30], numbers),
      w: randomTensor('float32', [30, 20], numbers),
      rows: tensorOf(
        'int64',
        [64],
        Array.from({ length: 64 }, (_, i) => (i * 7) % 5),
      ),
    },
  }
}

describe.each([...hosts, childHost])('executables on $name', ({ open }) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await open()
  })
  afterAll(() => engine.dispose())

  it('give equal bits on every run and in every session', async () => {
    const { graph, values } = training()
    const executable = await engine.compile(graph)
    const first = await executable.run(values)
    for (let i = 0; i < 20; i++) expect(await executable.run(values)).toEqual(first)
    const again = await engine.compile(graph)
    expect(await again.run(values)).toEqual(first)
    const other = await open()
    expect(other.fingerprint).toBe(engine.fingerprint)
    expect(await (await other.compile(graph)).run(values)).toEqual(first)
    await other.dispose()
  })

  it('run one after another when called together', async () => {
    const executable = await engine.compile(doubled)
    const feeds = Array.from({ length: 8 }, (_, i) => tensorOf('float32', [64, 30], new Float64Array(1920).fill(i)))
    const results = await Promise.all(feeds.map((feed) => executable.run({ x: feed })))
    results.forEach(({ y }, i) => expect(y.data[1919]).toBe(2 * i))
  })

  it('leave earlier results alone', async () => {
    const executable = await engine.compile(doubled)
    const of = (v: number): Record<string, Tensor> => ({
      x: tensorOf('float32', [64, 30], new Float64Array(1920).fill(v)),
    })
    const { y: one } = await executable.run(of(1))
    await executable.run(of(2))
    expect(one.data[0]).toBe(2)
  })

  it('say what is wrong with a value', async () => {
    const executable = await engine.compile(doubled)
    await expect(executable.run({})).rejects.toThrow(new DomainError('run: input x has no value. Pass float32[64,30].'))
    await expect(executable.run({ x: tensorOf('float32', [3], [1, 2, 3]) })).rejects.toThrow(ShapeError)
    await expect(executable.run({ x: tensorOf('float64', [64, 30], new Float64Array(1920)) })).rejects.toThrow(
      ShapeError,
    )
  })

  it('refuse to run once disposed, and can be disposed twice or during a run', async () => {
    const executable = await engine.compile(doubled)
    const values = { x: tensorOf('float32', [64, 30], new Float64Array(1920).fill(3)) }
    const running = executable.run(values)
    await Promise.all([executable.dispose(), executable.dispose()])
    expect((await running).y.data[0]).toBe(6)
    await expect(executable.run(values)).rejects.toThrow(
      'run: the executable has been disposed. Compile the graph again.',
    )
  })

  it('refuse a run whose signal was aborted before', async () => {
    const executable = await engine.compile(doubled)
    const values = { x: tensorOf('float32', [64, 30], new Float64Array(1920)) }
    await expect(executable.run(values, { signal: AbortSignal.abort() })).rejects.toThrow(TaskError)
    await executable.run(values)
  })

  it('are refused by an engine that has been disposed', async () => {
    const other = await open()
    await other.dispose()
    await other.dispose()
    await expect(other.compile(doubled)).rejects.toThrow('compile: the engine has been disposed')
  })
})

describe('threads', () => {
  it('do not race in sums over a million equal indices', async () => {
    const engine = nativeEngine({ threads: 2 })
    const n = 1_000_000
    const numbers = seededNumbers(11)
    for (const width of [1, 4]) {
      const rows = input('rows', 'int64', [n])
      const updates = input('updates', 'float64', [n, width])
      const executable = await engine.compile(graphOf({ y: scatterAdd(rows, updates, 0, 3) }), { threads: 2 })
      const values = {
        rows: tensorOf(
          'int64',
          [n],
          Array.from({ length: n }, (_, i) => (i % 100 === 0 ? 2 : 1)),
        ),
        updates: randomTensor('float64', [n, width], numbers),
      }
      const { y } = await executable.run(values)
      const sums = new Float64Array(3 * width)
      values.updates.data.forEach((v, i) => {
        sums[(Math.floor(i / width) % 100 === 0 ? 2 : 1) * width + (i % width)] += Number(v)
      })
      expect(y.data).toEqual(sums)
      for (let i = 0; i < 10; i++) expect((await executable.run(values)).y.data).toEqual(y.data)
      await executable.dispose()
    }
    await engine.dispose()
  })

  it('are part of the fingerprint', () => {
    expect(nativeEngine({ threads: 1 }).fingerprint).not.toBe(nativeEngine({ threads: 2 }).fingerprint)
  })
})
