import { describe, expect, test } from 'vitest'
import { randomStream } from './random-stream.ts'

/** |observed − expected| in standard errors of a mean of `count` samples. */
function deviations(samples: Float64Array, mean: number, variance: number): number {
  const observed = samples.reduce((sum, x) => sum + x, 0) / samples.length
  return Math.abs(observed - mean) / Math.sqrt(variance / samples.length)
}

describe('keys', () => {
  test('equal keys give equal bits, whatever other streams do in between', () => {
    const alone = randomStream(7, 'init', 3).normals(100)
    const other = randomStream(7, 'data')
    const again = randomStream(7, 'init', 3)
    const mixed = Float64Array.from({ length: 100 }, () => {
      other.uniform()
      return again.normal()
    })
    expect(mixed).toEqual(alone)
  })

  test('seed, purpose and index each change everything', () => {
    const keys: [number, string, number][] = [
      [0, '', 0],
      [1, '', 0],
      [2 ** 32, '', 0],
      [0, 'a', 0],
      [0, 'a\0', 0],
      [0, 'ab', 0],
      [0, 'ba', 0],
      [0, 'ä', 0],
      [0, '', 1],
      [0, '', 2 ** 32],
      [Number.MAX_SAFE_INTEGER, '', Number.MAX_SAFE_INTEGER],
    ]
    const first = keys.flatMap((key) => [...randomStream(...key).uniforms(4)])
    expect(new Set(first).size).toBe(first.length)
  })

  test('index k is not a shift of index k + 1', () => {
    const a = randomStream(0, 'x', 0).uniforms(1000)
    const b = new Set(randomStream(0, 'x', 1).uniforms(1000))
    expect(a.some((x) => b.has(x))).toBe(false)
  })

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('seed %d is refused', (seed) => {
    expect(() => randomStream(seed, 'x')).toThrow(/randomStream: seed must be an integer/)
    expect(() => randomStream(0, 'x', seed)).toThrow(/randomStream: index must be an integer/)
  })
})

describe('distributions', () => {
  test('uniform has mean 1/2, variance 1/12 and no correlation of neighbors', () => {
    const x = randomStream(1, 'uniform').uniforms(100_000)
    expect(x.every((u) => u >= 0 && u < 1)).toBe(true)
    expect(deviations(x, 1 / 2, 1 / 12)).toBeLessThan(4)
    const second = x.map((u) => (u - 0.5) ** 2)
    expect(deviations(second, 1 / 12, 1 / 180)).toBeLessThan(4)
    const neighbors = x.subarray(1).map((u, i) => (u - 0.5) * (x[i] - 0.5))
    expect(deviations(neighbors, 0, 1 / 144)).toBeLessThan(4)
  })

  test('normal has the moments 0, 1, 0, 3 and the tail beyond 3', () => {
    const x = randomStream(2, 'normal').normals(200_000)
    expect(deviations(x, 0, 1)).toBeLessThan(4)
    const power = (k: number): Float64Array => x.map((z) => z ** k)
    expect(deviations(power(2), 1, 2)).toBeLessThan(4)
    expect(deviations(power(3), 0, 15)).toBeLessThan(4)
    expect(deviations(power(4), 3, 96)).toBeLessThan(4)
    const tail = 0.0026997960632601866
    const beyond = x.map((z) => (Math.abs(z) > 3 ? 1 : 0))
    expect(deviations(beyond, tail, tail * (1 - tail))).toBeLessThan(4)
    const pairs = x.subarray(1).map((z, i) => z * x[i])
    expect(deviations(pairs, 0, 1)).toBeLessThan(4)
  })

  test('normals(length) continues what normal() began', () => {
    const a = randomStream(3, 'n')
    const b = randomStream(3, 'n')
    expect([a.normal(), ...a.normals(4)]).toEqual([...b.normals(5)])
  })

  test('integer is uniform, also where 2^32 is no multiple, and where 32 bits do not do', () => {
    const stream = randomStream(4, 'integer')
    const counts = new Float64Array(6)
    for (let i = 0; i < 60_000; i++) counts[stream.integer(6)]++
    const chiSquare = counts.reduce((sum, c) => sum + (c - 10_000) ** 2 / 10_000, 0)
    expect(chiSquare).toBeLessThan(20.5) // 99.9 % point of 5 degrees of freedom
    // A multiple of the word size with remainder: the naive remainder would put 2/3 of the mass below 2³¹.
    const large = 3 * 2 ** 30
    const halves = Float64Array.from({ length: 20_000 }, () => (stream.integer(large) < large / 2 ? 1 : 0))
    expect(deviations(halves, 0.5, 0.25)).toBeLessThan(4)
    const huge = Float64Array.from({ length: 5000 }, () => stream.integer(2 ** 52 + 1) / 2 ** 52)
    expect(deviations(huge, 0.5, 1 / 12)).toBeLessThan(4)
    expect(stream.integer(1)).toBe(0)
    expect(() => stream.integer(0)).toThrow(/integer: count must be an integer in 1/)
  })

  test('permutation holds every number once, each order equally often', () => {
    const stream = randomStream(5, 'permutation')
    expect([...stream.permutation(1000)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(stream.permutation(0).length).toBe(0)
    const counts = new Map<string, number>()
    for (let i = 0; i < 24_000; i++) {
      const key = stream.permutation(4).join('')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    const chiSquare = [...counts.values()].reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0)
    expect(chiSquare).toBeLessThan(49.7) // 99.9 % point of 23 degrees of freedom
  })

  test('rademacher gives independent signs', () => {
    const x = randomStream(6, 'signs').rademacher(100_001)
    expect(x.every((s) => s === 1 || s === -1)).toBe(true)
    expect(deviations(x, 0, 1)).toBeLessThan(4)
    expect(
      deviations(
        x.subarray(1).map((s, i) => s * x[i]),
        0,
        1,
      ),
    ).toBeLessThan(4)
    expect(
      deviations(
        x.subarray(32).map((s, i) => s * x[i]),
        0,
        1,
      ),
    ).toBeLessThan(4)
  })
})
