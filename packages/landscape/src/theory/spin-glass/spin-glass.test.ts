import { describe, expect, test } from 'vitest'
import { matrix } from '../../linalg/matrix.ts'
import { symmetricEigen, symmetricEigenvalues } from '../../linalg/symmetric-eigen.ts'
import { column } from '../../linalg/matrix.ts'
import { dot, norm } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'
import { bandEdge, deviationCost, indexComplexity, layerEnergy, totalComplexity } from './complexity.ts'
import { onSphere, randomSpins, sphericalSpinGlass, spinGlassHessian, spinGlassPoint } from './spherical-spin-glass.ts'
import { spinGlassDescent, spinGlassSpectrum } from './spin-glass-descent.ts'

describe('complexity', () => {
  test('thresholds of the 3-spin and 4-spin models are those of the literature', () => {
    expect(bandEdge(3)).toBeCloseTo(1.632993161855452, 14)
    // Auffinger, Ben Arous, Černý 2013, §2: E₀(3) ≈ 1.657
    expect(layerEnergy(3, 0)).toBeCloseTo(1.657, 4)
    expect(layerEnergy(4, 0)).toBeCloseTo(1.7941, 4)
  })

  test('layer energies are zeros and fall towards the band edge', () => {
    const layers = [0, 1, 2, 10, 100, 1000].map((k) => layerEnergy(3, k))
    for (const [i, k] of [0, 1, 2, 10, 100, 1000].entries()) {
      expect(Math.abs(indexComplexity(3, k, -layers[i]))).toBeLessThan(1e-12 * (k + 1))
      if (i > 0) expect(layers[i]).toBeLessThan(layers[i - 1])
      expect(layers[i]).toBeGreaterThan(bandEdge(3))
    }
    expect(layers[5] - bandEdge(3)).toBeLessThan(1e-3)
  })

  test('Θ_k is continuous at the band edge and Θ is the largest of them below it', () => {
    const edge = bandEdge(5)
    expect(deviationCost(5, -edge)).toBe(0)
    expect(indexComplexity(5, 3, -edge)).toBeCloseTo(indexComplexity(5, 3, -edge + 1e-9), 12)
    expect(totalComplexity(5, -edge * 1.01)).toBeCloseTo(indexComplexity(5, 0, -edge * 1.01), 12)
    expect(totalComplexity(5, 0)).toBeCloseTo(Math.log(2), 14)
    expect(() => deviationCost(3, -1)).toThrow(/at most -1.63/)
    expect(() => bandEdge(2)).toThrow(/at least 3/)
  })
})

describe('Hamiltonian', () => {
  const raw = randomStream(3, 'spin glass couplings', 5).normals(5 ** 4)
  const glass = sphericalSpinGlass(5, 4, 3)
  const w = randomSpins(glass, 1)

  test('is the sum over all indices with the couplings as drawn', () => {
    let sum = 0
    for (let at = 0; at < raw.length; at++) {
      let product = raw[at]
      for (let k = 0, rest = at; k < 4; k++, rest = Math.floor(rest / 5)) product *= w[rest % 5]
      sum += product
    }
    expect(spinGlassPoint(glass, w).energy).toBeCloseTo(sum / 5 ** 1.5, 12)
    expect(norm(w)).toBeCloseTo(Math.sqrt(5), 14)
  })

  test('couplings with more than 65535 orders of their indices are averaged right', () => {
    const deep = sphericalSpinGlass(2, 20, 1)
    const drawn = randomStream(1, 'spin glass couplings', 2).normals(2 ** 20)
    // at w = (1, 1) every product is 1
    const sum = drawn.reduce((total, x) => total + x, 0)
    expect(spinGlassPoint(deep, Float64Array.of(1, 1)).energy).toBeCloseTo(sum / 2 ** 9.5, 9)
  })

  test('gradient and Hessian are those of the energy along great circles', () => {
    const u = randomStream(9, 'tangent').normals(5)
    const along = dot(u, w) / 5
    const tangent = onSphere(u.map((x, i) => x - along * w[i]))
    const at = (t: number): number =>
      spinGlassPoint(
        glass,
        w.map((x, i) => Math.cos(t) * x + Math.sin(t) * tangent[i]),
      ).energy
    const h = 1e-4
    const { gradient } = spinGlassPoint(glass, w)
    expect(Math.abs(dot(gradient, w))).toBeLessThan(1e-12)
    expect(dot(gradient, tangent)).toBeCloseTo((at(h) - at(-h)) / (2 * h), 6)
    const hessian = spinGlassHessian(glass, w)
    let form = 0
    for (let i = 0; i < 5; i++) for (let j = 0; j < 5; j++) form += tangent[i] * hessian.data[5 * i + j] * tangent[j]
    expect(form).toBeCloseTo((at(h) - 2 * at(0) + at(-h)) / h ** 2, 5)
  })

  test('two factors: eigenvectors are the critical points, their position is their index, descent finds the least', () => {
    const pair = sphericalSpinGlass(12, 2, 5)
    const { values, vectors } = symmetricEigen(matrix(12, 12, pair.couplings))
    for (const k of [0, 4, 11]) {
      const point = onSphere(column(vectors, k))
      const { energy, gradient } = spinGlassPoint(pair, point)
      expect(energy / 12).toBeCloseTo(values[k], 12)
      expect(norm(gradient)).toBeLessThan(1e-12)
      expect(spinGlassSpectrum(pair, point).filter((value) => value < 0)).toHaveLength(k)
    }
    const found = spinGlassDescent(pair, randomSpins(pair, 2), { tolerance: 1e-9 })
    expect(found).toMatchObject({ converged: true })
    expect(found.energyPerSpin).toBeCloseTo(symmetricEigenvalues(matrix(12, 12, pair.couplings))[0], 12)
  })

  test('descent of the 3-spin model ends at a minimum', () => {
    const three = sphericalSpinGlass(15, 3, 1)
    const found = spinGlassDescent(three, randomSpins(three, 1), { tolerance: 1e-8 })
    expect(found.converged).toBe(true)
    expect(spinGlassSpectrum(three, found.w)[0]).toBeGreaterThan(0)
    expect(found.energyPerSpin).toBeLessThan(-1.1)
    expect(() => spinGlassPoint(three, new Float64Array(3))).toThrow(/15 entries/)
    expect(() => sphericalSpinGlass(1000, 3, 0)).toThrow(/at most/)
    expect(() => sphericalSpinGlass(3, 1.5, 0)).toThrow(/order/)
  })
})
