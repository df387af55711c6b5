import { describe, expect, test } from 'vitest'
import type { InteriorEigenpairs, InteriorEigenpairsOptions } from './interior-eigenpairs.ts'
import { interiorEigenpairs, interiorProductsMin } from './interior-eigenpairs.ts'
import type { LinearOperator } from './linear-operator.ts'
import { denseOperator, diagonalOperator } from './linear-operator.ts'
import { matrixFromRows, transpose } from './matrix.ts'
import { symmetricEigenvalues } from './symmetric-eigen.ts'
import { difficultSpectra, orthogonalityDefect, stream, withSpectrum } from './testing/random-matrices.ts'
import { norm } from './vector.ts'

const diagonal = (entries: ArrayLike<number>): LinearOperator => diagonalOperator(Float64Array.from(entries))

const nearest = (values: ArrayLike<number>, target: number, count: number): number[] =>
  Array.from(values)
    .sort((a, b) => Math.abs(a - target) - Math.abs(b - target))
    .slice(0, count)

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

const valuesOf = ({ pairs }: InteriorEigenpairs): number[] => pairs.map(({ value }) => value)

/** Every pair is what it says: unit vector, true residual, orthogonal to the others, an eigenvalue within the residual,
 * and nearest first. */
async function expectHonest(
  operator: LinearOperator,
  spectrum: ArrayLike<number>,
  result: InteriorEigenpairs,
  options: InteriorEigenpairsOptions,
): Promise<void> {
  const scale = Math.max(...Array.from(spectrum, Math.abs))
  for (const { value, vector, residualNorm, converged } of result.pairs) {
    const image = await operator.apply(vector)
    const residual = image.map((x, i) => x - value * vector[i])
    expect(Math.abs(norm(vector) - 1)).toBeLessThan(1e-14)
    expect(Math.abs(norm(residual) - residualNorm)).toBeLessThanOrEqual(1e-13 * scale)
    const [closest] = nearest(spectrum, value, 1)
    expect(Math.abs(closest - value)).toBeLessThanOrEqual(residualNorm + 1e-13 * scale)
    expect(converged).toBe(residualNorm <= (options.tolerance ?? 1e-8) * result.operatorNorm)
  }
  const distances = valuesOf(result).map((value) => Math.abs(value - options.target))
  expect(distances).toEqual(ascending(distances))
  expect(result.operatorNorm).toBeLessThanOrEqual(scale * (1 + (options.search ? 1e-6 : 1e-13)))
  const columns = transpose(matrixFromRows(result.pairs.map((pair) => pair.vector)))
  expect(orthogonalityDefect(columns) * 2 ** -53 * columns.rows).toBeLessThan(1e-11)
}

/** Distances, for where an eigenvalue on either side is as near as the other one. */
function expectNearest(result: InteriorEigenpairs, spectrum: ArrayLike<number>, target: number, error: number): void {
  const expected = nearest(spectrum, target, result.pairs.length)
  valuesOf(result).forEach((value, i) => {
    expect(Math.abs(Math.abs(value - target) - Math.abs(expected[i] - target))).toBeLessThanOrEqual(error)
  })
}

const ordinary = ([name]: [string, Float64Array]): boolean => !['huge', 'tiny', 'graded'].includes(name)

describe.each([1, 2, 3, 50, 200])('against the dense solver, p = %d', (n) => {
  test.each(Object.entries(difficultSpectra(n)).filter(ordinary))('%s', async (name, spectrum) => {
    const a = withSpectrum(spectrum, stream(`interior ${name}`, n))
    const operator = denseOperator(a)
    const values = symmetricEigenvalues(a)
    const [least, most] = [values[0], values[n - 1]]
    const middle = values[Math.floor(n / 2)]
    const unit = Math.max(Math.abs(least), Math.abs(most))
    for (const target of [0, middle, middle + 0.003 * unit, least - 1, most + 10, 1e12]) {
      const options = { target, count: 4, subspaceSize: 320, maxProducts: 1200 }
      const result = await interiorEigenpairs(operator, options)
      expect(result.pairs).toHaveLength(Math.min(4, n))
      expect(['exact', 'converged']).toContain(result.status)
      expectNearest(result, values, target, 1e-7 * unit + 1e-15 * Math.abs(target))
      await expectHonest(operator, values, result, options)
    }
  })
})

describe('a basis that is far smaller than the space', () => {
  const random = stream('interior islands')
  // 1500 eigenvalues in [−1, 1], none within 0.1 of 0.3 but five, two of which are equal.
  const entries = random.uniforms(1500).map((x) => {
    const value = 2 * x - 1
    return Math.abs(value - 0.3) < 0.1 ? value - 0.8 : value
  })
  for (const [i, value] of [0.28, 0.29, 0.305, 0.305, 0.33].entries()) entries[i * 250] = value
  const operator = diagonal(entries)

  test('isolated eigenvalues are found with their multiplicity, through restarts, whatever is on the other side', async () => {
    const options = { target: 0.3, count: 5, subspaceSize: 120, maxProducts: 3000 }
    const result = await interiorEigenpairs(operator, options)
    expect(result).toMatchObject({ status: 'converged', multiplicityVerified: true })
    expect(result.restarts).toBeGreaterThan(3)
    expect(result.products).toBeLessThan(1200)
    ascending(valuesOf(result)).forEach((value, i) => {
      expect(Math.abs(value - [0.28, 0.29, 0.305, 0.305, 0.33][i])).toBeLessThan(1e-9)
    })
    await expectHonest(operator, entries, result, options)
  })

  test('a search for one of them from the eigenvalue itself', async () => {
    const result = await interiorEigenpairs(operator, { target: 0.29, count: 1, maxProducts: 2000 })
    expect(result.status).toBe('converged')
    expect(Math.abs(result.pairs[0].value - 0.29)).toBeLessThan(1e-12)
  })

  test('in a dense cluster the products run out, and that is what it says', async () => {
    const options = { target: -0.2, count: 4, maxProducts: 100, tolerance: 1e-6 }
    const result = await interiorEigenpairs(operator, options)
    expect(result).toMatchObject({ status: 'max-products', multiplicityVerified: false })
    expect(result.products).toBeLessThanOrEqual(100)
    expect(result.pairs.some(({ converged }) => converged)).toBe(false)
    await expectHonest(operator, entries, result, options)
  })

  test('outside of the spectrum it is an end of it', async () => {
    for (const target of [1.001, 1e9]) {
      const options = { target, count: 2, tolerance: 1e-6, maxProducts: 2000 }
      const result = await interiorEigenpairs(operator, options)
      expect(result.status).toBe('converged')
      expectNearest(result, entries, target, 1e-9 + 1e-15 * target)
      await expectHonest(operator, entries, result, options)
    }
  })

  test('fewest products: a pair all the same', async () => {
    for (const count of [1, 3]) {
      const options = { target: 0.3, count, maxProducts: interiorProductsMin(1500, count) }
      const result = await interiorEigenpairs(operator, options)
      expect(result.products).toBeLessThanOrEqual(options.maxProducts)
      expect(result.pairs.length).toBeGreaterThan(0)
      await expectHonest(operator, entries, result, options)
    }
  })

  test('a signal stops it with the best so far', async () => {
    const signal = { aborted: false }
    const seen: number[] = []
    const onProgress = ({ products }: { products: number }): void => {
      seen.push(products)
      signal.aborted = products > 40
    }
    const options = { target: 0.3, count: 3, signal, onProgress }
    const result = await interiorEigenpairs(operator, options)
    expect(result).toMatchObject({ status: 'aborted', multiplicityVerified: false })
    expect(result.products).toBeLessThan(70)
    expect(result.pairs).toHaveLength(3)
    expect(seen).toEqual(ascending(seen))
    await expectHonest(operator, entries, result, options)
    const atOnce = await interiorEigenpairs(operator, { target: 0, count: 3, signal: { aborted: true } })
    expect(atOnce).toMatchObject({ status: 'aborted', products: 2 })
    expect(atOnce.pairs).toHaveLength(1)
  })

  test('same seed, same bits; another seed, other bits', async () => {
    const run = (seed: number): Promise<InteriorEigenpairs> =>
      interiorEigenpairs(operator, { target: 0.3, count: 2, maxProducts: 120, seed })
    const [a, b, c] = [await run(0), await run(0), await run(1)]
    expect(b).toEqual(a)
    expect(c.pairs[0].vector).not.toEqual(a.pairs[0].vector)
  })

  test('a search with a rounded operator is refined with the operator itself', async () => {
    const rounded: LinearOperator = {
      size: 1500,
      apply: async (v) => Float64Array.from(Float32Array.from(v.map((x, i) => x * entries[i]))),
    }
    const options = { target: 0.3, count: 5, tolerance: 1e-6, search: rounded }
    const result = await interiorEigenpairs(operator, options)
    expect(result.status).toBe('converged')
    expect(result.searchProducts).toBeGreaterThan(result.products / 2)
    expectNearest(result, entries, 0.3, 1e-9)
    await expectHonest(operator, entries, result, options)
  })
})

test('pairs at ±δ about the target, which (A − σI)² cannot tell apart', async () => {
  const half = Float64Array.from({ length: 400 }, (_, i) => (i < 5 ? 0.01 * (i + 1) : 0.2 + i / 500))
  const entries = Float64Array.from({ length: 800 }, (_, i) => 3 + (i % 2 === 0 ? 1 : -1) * half[i >> 1])
  const operator = diagonal(entries)
  for (const count of [1, 2, 10]) {
    const options = { target: 3, count, maxProducts: 1500 }
    const result = await interiorEigenpairs(operator, options)
    expect(result.status).toBe('converged')
    expectNearest(result, entries, 3, 1e-10)
    await expectHonest(operator, entries, result, options)
  }
})

test('eigenvalues of multiplicity three, a block of the matrix repeated', async () => {
  const random = stream('interior repeated')
  const block = Float64Array.from({ length: 300 }, (_, i) =>
    i < 4 ? 0.02 * (i - 1.6) : Math.sign(i % 2 || -1) * (0.2 + i / 200),
  )
  const inner = denseOperator(withSpectrum(block, random))
  const operator: LinearOperator = {
    size: 900,
    apply: async (v) => {
      const out = new Float64Array(900)
      for (let k = 0; k < 3; k++) out.set(await inner.apply(v.slice(300 * k, 300 * (k + 1))), 300 * k)
      return out
    },
  }
  const spectrum = Float64Array.from({ length: 900 }, (_, i) => block[i % 300])
  const options = { target: 0, count: 7, tolerance: 1e-7, maxProducts: 6000 }
  const result = await interiorEigenpairs(operator, options)
  expect(result).toMatchObject({ multiplicityVerified: true })
  expectNearest(result, spectrum, 0, 1e-6)
  await expectHonest(operator, spectrum, result, options)
})

test('the zero operator and multiples of the identity, where every step breaks down', async () => {
  for (const value of [0, -1.5, 1e-8])
    for (const target of [0, value, 7]) {
      const options = { target, count: 3 }
      const entries = new Float64Array(500).fill(value)
      const result = await interiorEigenpairs(diagonal(entries), options)
      expect(result.status).toBe('converged')
      for (const pair of result.pairs) expect(Math.abs(pair.value - value)).toBeLessThanOrEqual(1e-14 * Math.abs(value))
      await expectHonest(diagonal(entries), entries, result, options)
    }
})

test('scales from 1e-200 to 1e200 make no difference', async () => {
  const base = stream('interior scale').normals(400)
  base[7] = 2.6
  base[8] = 2.605
  const reference = await interiorEigenpairs(diagonal(base), { target: 2.6, count: 2 })
  expect(reference.status).toBe('converged')
  for (const unit of [2 ** -660, 2 ** -27, 2 ** 27, 2 ** 500]) {
    const result = await interiorEigenpairs(diagonal(base.map((x) => x * unit)), { target: 2.6 * unit, count: 2 })
    expect(result.products).toBe(reference.products)
    valuesOf(result).forEach((value, i) => {
      expect(Math.abs(value / unit - reference.pairs[i].value)).toBeLessThan(1e-12)
    })
  }
})

test('more pairs than p: everything, exactly', async () => {
  const result = await interiorEigenpairs(diagonal([3, 1, -2]), { target: 0.6, count: 10 })
  expect(result).toMatchObject({ status: 'exact', multiplicityVerified: true })
  expect(valuesOf(result).map((x) => Math.round(x * 1e12) / 1e12)).toEqual([1, 3, -2])
})

test('NaN, wrong sizes and senseless options are refused by name', async () => {
  const broken: LinearOperator = { size: 5, apply: async (v) => v.map((x, i) => (i === 3 ? Number.NaN : x)) }
  await expect(interiorEigenpairs(broken, { target: 0 })).rejects.toThrow(
    /must return finite numbers, got NaN at entry 3/,
  )
  const good = diagonal([1, 2, 3])
  await expect(interiorEigenpairs(good, { target: Number.NaN })).rejects.toThrow(/target must be a finite number/)
  await expect(interiorEigenpairs(good, { target: 0, count: 0 })).rejects.toThrow(/count must be an integer/)
  await expect(interiorEigenpairs(good, { target: 0, count: 1.5 })).rejects.toThrow(/count must be an integer/)
  await expect(interiorEigenpairs(good, { target: 0, tolerance: 0 })).rejects.toThrow(/tolerance must be positive/)
  await expect(interiorEigenpairs(good, { target: 0, maxProducts: 2 })).rejects.toThrow(
    /maxProducts must be at least 4/,
  )
  await expect(interiorEigenpairs(good, { target: 0, search: diagonal([1]) })).rejects.toThrow(
    /search must have size 3/,
  )
})
