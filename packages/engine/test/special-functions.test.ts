import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { atan, erf, graphOf, input, sigmoid, softplus, tensorOf } from '@thalweg/graph'
import type { Engine } from '../src/index.ts'
import golden from './golden/erf.json' with { type: 'json' }
import { hosts } from './hosts.ts'

const everywhere = [
  ...Array.from({ length: 1601 }, (_, i) => (i - 800) / 100),
  ...Array.from({ length: 201 }, (_, i) => (i - 100) * 7.77),
  ...Array.from({ length: 101 }, (_, i) => 10 ** (-300 + 3 * i)),
  ...Array.from({ length: 101 }, (_, i) => -(10 ** (-300 + 3 * i))),
]
const special = [Number.NaN, Infinity, -Infinity, 0, 1e-300, -1e-300, 700, -700, 1e300, -1e300, 5e-324]

const sigmoidOf = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplusOf = (x: number): number => (Number.isNaN(x) ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))

/** Relative difference; below 1e-290, where digits run out, absolute. */
function defect(actual: number, expected: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0
  if (Number.isNaN(actual) || Number.isNaN(expected)) return Number.POSITIVE_INFINITY
  return Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-290)
}

describe.each(hosts)('float64 special functions on $name', ({ open }) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await open()
  })
  afterAll(() => engine.dispose())

  const at = async (points: readonly number[]): Promise<Record<string, ArrayLike<number>>> => {
    const x = input('x', 'float64', [points.length])
    const graph = graphOf({ erf: erf(x), atan: atan(x), softplus: softplus(x), sigmoid: sigmoid(x) })
    const executable = await engine.compile(graph)
    const results = await executable.run({ x: tensorOf('float64', [points.length], points) })
    await executable.dispose()
    return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, t.data as Float64Array]))
  }

  it('agree with the math library to a few units in the last place over all magnitudes', async () => {
    const results = await at(everywhere)
    everywhere.forEach((x, i) => {
      expect(defect(results.atan[i], Math.atan(x)), `atan ${x}`).toBeLessThan(1e-15)
      expect(defect(results.softplus[i], softplusOf(x)), `softplus ${x}`).toBeLessThan(1e-15)
      if (x > -700) expect(defect(results.sigmoid[i], sigmoidOf(x)), `sigmoid ${x}`).toBeLessThan(1e-15)
    })
  })

  it('erf has the digits of the C library', async () => {
    const results = await at([...golden.x, ...golden.x.map((x) => -x)])
    golden.erf.forEach((y, i) => {
      expect(defect(results.erf[i], y), `erf ${golden.x[i]}`).toBeLessThan(4.5e-16)
      expect(results.erf[golden.x.length + i], `erf −${golden.x[i]}`).toBe(-results.erf[i])
    })
  })

  it('take NaN, infinities, zeros and subnormal numbers to their limits', async () => {
    const results = await at(special)
    special.forEach((x, i) => {
      expect(defect(results.atan[i], Math.atan(x)), `atan ${x}`).toBeLessThan(1e-15)
      expect(defect(results.softplus[i], softplusOf(x)), `softplus ${x}`).toBeLessThan(1e-15)
      expect(defect(results.sigmoid[i], sigmoidOf(x)), `sigmoid ${x}`).toBeLessThan(1e-13)
    })
    expect(results.erf[0]).toBeNaN()
    expect([results.erf[1], results.erf[2], results.erf[3] === 0]).toEqual([1, -1, true])
    expect(results.erf[4] / 1e-300).toBeCloseTo(2 / Math.sqrt(Math.PI), 14)
  })
})
