import { describe, expect, it } from 'vitest'
import { exp, grad, graphOf, input, matmul, mul, reduceSum, tanh, tensorOf } from '@thalweg/graph'
import type { Graph } from '@thalweg/graph'
import { randomTensor, seededNumbers } from '@thalweg/graph/testing'
import { hosts } from './hosts.ts'

const mebibyte = 2 ** 20

/** Memory of this process in MiB, the least of a few readings with garbage collections in between. */
async function memoryNow(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    least = Math.min(least, process.memoryUsage().rss)
  }
  return least / mebibyte
}

/** By how much the process grows in a round, in MiB, over one to three of them: a leak grows in each, a garbage collector
 * that is late once. As soon as that is little, it is enough. */
async function growthPerRound(round: () => Promise<void>, little: number): Promise<number> {
  const before = await memoryNow()
  let growth = Number.POSITIVE_INFINITY
  for (let rounds = 1; rounds <= 3 && growth >= little; rounds++) {
    await round()
    growth = ((await memoryNow()) - before) / rounds
  }
  return growth
}

function smallLoss(): Graph {
  const x = input('x', 'float32', [100, 64])
  const w = input('w', 'float32', [64, 100])
  const y = tanh(matmul(x, w))
  const loss = reduceSum(mul(y, y))
  return graphOf({ loss, y, slope: grad(loss, [w])[0] })
}

describe.each(hosts)('memory on $name', ({ open }) => {
  it('10,000 evaluations with new values do not grow the process', async () => {
    const engine = await open()
    const executable = await engine.compile(smallLoss())
    const numbers = seededNumbers(1)
    const x = randomTensor('float32', [100, 64], numbers)
    const evaluate = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await executable.run({ x, w: randomTensor('float32', [64, 100], numbers) })
    }
    await evaluate(1500)
    // kept results alone would be 640 MiB
    expect(await growthPerRound(() => evaluate(10_000), 64)).toBeLessThan(64)
    await engine.dispose()
  })

  it('200 sessions opened and disposed leave nothing behind', async () => {
    const engine = await open()
    const w = tensorOf('float32', [512, 512], new Float64Array(512 * 512).fill(0.1))
    const x = input('x', 'float32', [4, 512])
    const weights = input('w', 'float32', [512, 512])
    const graph = graphOf({ y: exp(matmul(x, weights)) })
    const values = { x: tensorOf('float32', [4, 512], new Float64Array(2048)) }
    const cycle = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const executable = await engine.compile(graph, { constants: { w } })
        await executable.run(values)
        await executable.dispose()
      }
    }
    await cycle(40)
    // kept weights alone would be 200 MiB
    expect(await growthPerRound(() => cycle(200), 64)).toBeLessThan(64)
    await engine.dispose()
  })
})
