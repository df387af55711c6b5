import { describe, expect, test } from 'vitest'
import { denseOperator, diagonalOperator } from './linear-operator.ts'
import type { SpectralDensity } from './spectral-density.ts'
import { densityOf, spectralDensity, stochasticQuadrature, stochasticTraceFunction } from './spectral-density.ts'
import { stream, withSpectrum } from './testing/random-matrices.ts'

function mass({ grid, values }: SpectralDensity, from: number, to: number): number {
  let sum = 0
  for (let i = 1; i < grid.length; i++) {
    if (grid[i] > from && grid[i - 1] < to) sum += ((values[i] + values[i - 1]) / 2) * (grid[i] - grid[i - 1])
  }
  return sum
}

const spectrum = Float64Array.from({ length: 400 }, (_, i) => (i < 40 ? 8 + (i % 5) / 10 : Math.sin(i)))

describe('spectralDensity', () => {
  test('mass 1, support inside the spectrum, and the share of an outlying group within 4 standard errors', async () => {
    const a = withSpectrum(spectrum, stream('density'))
    const density = await spectralDensity(denseOperator(a), { probes: 12, steps: 60 })
    expect(Math.abs(mass(density, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) - 1)).toBeLessThan(1e-12)
    expect(density.support[0]).toBeGreaterThanOrEqual(-1 - 1e-12)
    expect(density.support[1]).toBeLessThanOrEqual(8.4 + 1e-12)
    expect([density.grid[0], density.grid[density.grid.length - 1]]).toEqual([...density.support])
    const shares = density.measures.map(({ nodes, weights }) =>
      weights.reduce((sum, w, k) => sum + (nodes[k] > 5 ? w : 0), 0),
    )
    const mean = shares.reduce((sum, x) => sum + x, 0) / shares.length
    const variance = shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (shares.length - 1)
    expect(Math.abs(mean - 0.1)).toBeLessThan(4 * Math.sqrt(variance / shares.length))
    expect(Math.abs(mass(density, 5, 10) - mean)).toBeLessThan(1e-6)
    expect(density.values.every((x) => x >= 0)).toBe(true)
    expect(density.products).toBe(12 * 60)
  })

  test('the band of one standard error covers the broadened truth as often as it should', async () => {
    const density = await spectralDensity(diagonalOperator(spectrum), { probes: 20, steps: 80, sigma: 0.3 })
    const truth = density.grid.map((t) => {
      let sum = 0
      for (const x of spectrum)
        sum += Math.exp(-0.5 * ((t - x) / 0.3) ** 2) / (0.3 * Math.sqrt(2 * Math.PI) * spectrum.length)
      return sum
    })
    // Away from the ends, where the cut-off Gaussians differ from whole ones.
    const inside = [...density.grid.keys()].filter((i) => density.grid[i] > 0.5 && density.grid[i] < 7)
    const covered = inside.filter(
      (i) => Math.abs(density.values[i] - truth[i]) < 4 * density.standardErrors[i] + 1e-3 / spectrum.length,
    )
    expect(covered.length / inside.length).toBeGreaterThan(0.9)
  })

  test('a diagonal operator with random signs: every probe sees every eigenvalue alike', async () => {
    const { measures } = await stochasticQuadrature(diagonalOperator(Float64Array.of(1, 1, 2, 4)), { probes: 3 })
    for (const { nodes, weights } of measures) {
      expect([...nodes].map((x) => x.toFixed(10))).toEqual(['1.0000000000', '2.0000000000', '4.0000000000'])
      expect([...weights].map((x) => x.toFixed(10))).toEqual(['0.5000000000', '0.2500000000', '0.2500000000'])
    }
  })

  test('one eigenvalue, and the zero operator, give a peak of mass 1', async () => {
    for (const value of [0, 3, -1e-20]) {
      const density = await spectralDensity(diagonalOperator(new Float64Array(50).fill(value)))
      expect(Math.abs(mass(density, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) - 1)).toBeLessThan(1e-9)
      expect(Math.abs(density.support[0] - value)).toBeLessThan(1e-12)
    }
  })

  test('the result does not depend on how probes are grouped', async () => {
    const operator = diagonalOperator(spectrum)
    const three = await stochasticQuadrature(operator, { probes: 3, steps: 20 })
    const one = await stochasticQuadrature(operator, { probes: 1, steps: 20 })
    expect(three.measures[0]).toEqual(one.measures[0])
  })

  test('from all eigenvalues: no error, and the mass where they are', () => {
    const density = densityOf(Float64Array.of(-1, 0, 0, 3), { sigma: 0.05 })
    expect(density.support).toEqual([-1, 3])
    expect(density.standardErrors.every((x) => x === 0)).toBe(true)
    expect(Math.abs(mass(density, -0.5, 0.5) - 0.5)).toBeLessThan(1e-9)
    expect(Math.abs(mass(density, 2, 4) - 0.25)).toBeLessThan(1e-9)
  })

  test('senseless options are refused', async () => {
    await expect(spectralDensity(diagonalOperator(spectrum), { sigma: -1 })).rejects.toThrow(/sigma must be positive/)
    await expect(spectralDensity(diagonalOperator(spectrum), { gridSize: 1 })).rejects.toThrow(/gridSize/)
    await expect(spectralDensity(diagonalOperator(spectrum), { probes: 0 })).rejects.toThrow(/probes must be/)
  })
})

describe('stochasticTraceFunction', () => {
  test('log det within 4 standard errors', async () => {
    const positive = Float64Array.from({ length: 300 }, (_, i) => 1 + (i % 30))
    const expected = positive.reduce((sum, x) => sum + Math.log(x), 0)
    const operator = denseOperator(withSpectrum(positive, stream('log det')))
    const { value, standardError } = await stochasticTraceFunction(operator, Math.log, { probes: 20, steps: 40 })
    expect(Math.abs(value - expected)).toBeLessThan(4 * standardError)
    expect(standardError).toBeLessThan(0.05 * expected)
  })

  test('the error contains what the quadrature has not settled: log det at condition number 1e5', async () => {
    const wide = Float64Array.from({ length: 600 }, (_, i) => 10 ** (-3 + (5 * i) / 599))
    const expected = wide.reduce((sum, x) => sum + Math.log(x), 0)
    const operator = denseOperator(withSpectrum(wide, stream('wide log det')))
    for (const steps of [10, 20, 40]) {
      const found = await stochasticTraceFunction(operator, Math.log, { probes: 6, steps })
      const error = Math.abs(found.value - expected)
      // The probes alone do not show it.
      expect(error).toBeGreaterThan(1.5 * found.probeError)
      expect(error).toBeLessThan(2 * found.standardError)
      expect(found.quadratureError).toBeLessThan(10 * error)
    }
    const settled = await stochasticTraceFunction(operator, (x) => Math.log(x + 50), { probes: 6, steps: 40 })
    expect(settled.quadratureError).toBeLessThan(1e-3 * settled.probeError)
  })

  test('polynomials up to degree 2 · steps − 1 are what the probes say: f = 1 is exact', async () => {
    const { value, standardError } = await stochasticTraceFunction(diagonalOperator(spectrum), () => 1, { steps: 5 })
    expect(Math.abs(value - 400)).toBeLessThan(1e-10)
    expect(standardError).toBeLessThan(1e-10)
  })

  test('a logarithm of negative eigenvalues is refused', async () => {
    await expect(stochasticTraceFunction(diagonalOperator(spectrum), Math.log)).rejects.toThrow(/f must be finite/)
  })
})
