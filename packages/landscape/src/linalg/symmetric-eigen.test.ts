import { describe, expect, test } from 'vitest'
import { gemv, matrix, row, transpose, zeros } from './matrix.ts'
import {
  eigenResidual,
  spectralFactors,
  symmetricEigen,
  symmetricEigenbasis,
  symmetricEigenvalues,
} from './symmetric-eigen.ts'
import {
  difficultSpectra,
  epsilon,
  randomMatrix,
  sizes,
  stream,
  symmetrized,
  withSpectrum,
} from './testing/random-matrices.ts'
import { maxNorm, norm } from './vector.ts'

describe.each(sizes)('symmetricEigen of size %d', (n) => {
  test.each(Object.entries(difficultSpectra(n)))('%s', (name, spectrum) => {
    const a = withSpectrum(spectrum, stream(`eigen ${name}`, n))
    const eigen = symmetricEigen(a)
    const { residual, orthogonality } = eigenResidual(a, eigen)
    expect(residual).toBeLessThan(30)
    expect(orthogonality).toBeLessThan(30)
    const expected = spectrum.slice().sort()
    const scale = n * epsilon * maxNorm(spectrum)
    eigen.values.forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(30 * scale)
    })
    expect([...eigen.values]).toEqual([...eigen.values].sort((x, y) => x - y))
    symmetricEigenvalues(a).forEach((value, i) => {
      expect(Math.abs(value - eigen.values[i])).toBeLessThanOrEqual(30 * scale)
    })
  })

  test('a dense random matrix', () => {
    const a = symmetrized(randomMatrix(n, n, stream('eigen dense', n)))
    const { residual, orthogonality } = eigenResidual(a, symmetricEigen(a))
    expect(residual).toBeLessThan(30)
    expect(orthogonality).toBeLessThan(30)
  })
})

test('a diagonal matrix has its diagonal as eigenvalues, to the bit', () => {
  const a = zeros(4, 4)
  const diagonal = [3, -1e-200, 0, 7e10]
  diagonal.forEach((x, i) => {
    a.data[5 * i] = x
  })
  expect([...symmetricEigen(a).values]).toEqual([-1e-200, 0, 3, 7e10])
})

test('panels of reflectors meet: sizes around the panel width', () => {
  for (const n of [31, 32, 33, 34, 35, 63, 65, 66, 67]) {
    const a = symmetrized(randomMatrix(n, n, stream('eigen panel', n)))
    const { residual, orthogonality } = eigenResidual(a, symmetricEigen(a))
    expect(Math.max(residual, orthogonality)).toBeLessThan(30)
  }
})

test.each([1, 2, 40, 150])(
  'the eigenbasis of size %d: vectors one by one or together, coordinates, combinations',
  (n) => {
    const a = symmetrized(randomMatrix(n, n, stream('eigenbasis', n)))
    const basis = symmetricEigenbasis(a)
    const all = Array.from({ length: n }, (_, i) => i)
    const together = basis.vectors(all)
    const { residual, orthogonality } = eigenResidual(a, { values: basis.values, vectors: transpose(together) })
    expect(Math.max(residual, orthogonality)).toBeLessThan(30)
    const near = (x: Float64Array, y: Float64Array): void => {
      expect(norm(x.map((entry, i) => entry - y[i]))).toBeLessThan(30 * n * epsilon * Math.max(1, norm(y)))
    }
    for (const i of all) near(basis.vectors([i]).data, row(together, i))
    const x = stream('eigenbasis vector', n).normals(n)
    near(basis.coordinates(x), gemv(together, x))
    near(basis.combination(basis.coordinates(x)), x)
    expect(basis.vectors([]).rows).toBe(0)
    const factors = spectralFactors(a)
    near(factors.values, basis.values)
    near(factors.combination(factors.coordinates(x)), x)
    const image = factors.combination(factors.coordinates(x).map((c, i) => c * factors.values[i]))
    expect(norm(image.map((y, i) => y - gemv(a, x)[i]))).toBeLessThan(30 * n * epsilon * norm(a.data) * norm(x))
  },
)

test('an empty matrix has no eigenvalues', () => {
  expect(symmetricEigen(zeros(0, 0)).values.length).toBe(0)
})

test('what is not square, symmetric or finite is refused', () => {
  expect(() => symmetricEigen(zeros(2, 3))).toThrow(/symmetricEigen: the matrix must be square, got 2 × 3/)
  expect(() => symmetricEigen(matrix(2, 2, Float64Array.of(1, 2, 3, 4)))).toThrow(/must be symmetric/)
  expect(() => symmetricEigen(matrix(2, 2, Float64Array.of(1, Number.NaN, 3, 4)))).toThrow(
    /finite, got NaN at \(0, 1\)/,
  )
})

test('the residual check sees a wrong pair', () => {
  const a = symmetrized(randomMatrix(20, 20, stream('eigen wrong')))
  const eigen = symmetricEigen(a)
  eigen.values[3] += 1e-10
  expect(eigenResidual(a, eigen).residual).toBeGreaterThan(30)
})
