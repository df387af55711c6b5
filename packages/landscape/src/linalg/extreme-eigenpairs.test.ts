import { describe, expect, test } from 'vitest'
import type { ExtremeEigenpairs, ExtremeEigenpairsOptions } from './extreme-eigenpairs.ts'
import { extremeEigenpairs } from './extreme-eigenpairs.ts'
import type { LinearOperator } from './linear-operator.ts'
import { denseOperator, diagonalOperator } from './linear-operator.ts'
import { matrixFromRows, transpose } from './matrix.ts'
import { symmetricEigenvalues } from './symmetric-eigen.ts'
import { difficultSpectra, orthogonalityDefect, stream, withSpectrum } from './testing/random-matrices.ts'
import { maxNorm, norm } from './vector.ts'

const diagonal = (entries: ArrayLike<number>): LinearOperator => diagonalOperator(Float64Array.from(entries))

function valuesOf(result: ExtremeEigenpairs): { top: number[]; bottom: number[] } {
  return { top: result.top.map((p) => p.value), bottom: result.bottom.map((p) => p.value) }
}

/** Every pair is what it says: unit vector, true residual, orthogonal to the others of its end. */
async function expectHonest(operator: LinearOperator, result: ExtremeEigenpairs): Promise<void> {
  for (const end of [result.top, result.bottom]) {
    for (const { value, vector, residualNorm } of end) {
      const image = await operator.apply(vector)
      const residual = image.map((x, i) => x - value * vector[i])
      expect(Math.abs(norm(vector) - 1)).toBeLessThan(1e-14)
      expect(Math.abs(norm(residual) - residualNorm)).toBeLessThanOrEqual(1e-13 * result.operatorNorm)
    }
    if (end.length === 0) continue
    const columns = transpose(matrixFromRows(end.map((p) => p.vector)))
    expect(orthogonalityDefect(columns) * 2 ** -53 * columns.rows).toBeLessThan(1e-11)
  }
}

function expectValues(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length)
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(tolerance)
  })
}

describe.each([1, 2, 3, 50, 200])('against the dense solver, p = %d', (n) => {
  test.each(Object.entries(difficultSpectra(n)).filter(([name]) => name !== 'huge' && name !== 'tiny'))(
    '%s',
    async (name, spectrum) => {
      const a = withSpectrum(spectrum, stream(`extreme ${name}`, n))
      const operator = denseOperator(a)
      // The small end of 24 decades is out of reach for 30 basis rows; there the basis may fill the space.
      const subspaceSize = name === 'graded' ? n : 30
      const result = await extremeEigenpairs(operator, { top: 3, bottom: 3, subspaceSize, maxProducts: 3000 })
      const dense = [...symmetricEigenvalues(a)]
      const count = Math.min(3, n)
      await expectHonest(operator, result)
      expect(['exact', 'converged']).toContain(result.status)
      const tolerance = 1e-8 * maxNorm(spectrum)
      expectValues(valuesOf(result).top, dense.slice(-count).reverse(), tolerance)
      expectValues(valuesOf(result).bottom, dense.slice(0, count), tolerance)
    },
  )
})

describe('p = 5699, diagonal', () => {
  const random = stream('extreme diagonal')
  const entries = random.normals(5699)
  entries[5] = -30
  entries[6] = 15
  for (const i of [7, 9, 100]) entries[i] = 20
  const sorted = [...entries].sort((a, b) => a - b)

  test.each([1, 2, 3])('an eigenvalue of multiplicity three at the top, block size %d', async (blockSize) => {
    const operator = diagonal(entries)
    const result = await extremeEigenpairs(operator, { top: 5, bottom: 2, blockSize })
    expect(result.status).toBe('converged')
    expect(result.multiplicityVerified).toBe(true)
    expectValues(valuesOf(result).top, sorted.slice(-5).reverse(), 1e-9)
    expectValues(valuesOf(result).bottom, sorted.slice(0, 2), 1e-9)
    await expectHonest(operator, result)
  })

  test('without verification one Krylov space shows one copy: the search for copies is what finds three', async () => {
    const operator = diagonal(entries)
    const options: ExtremeEigenpairsOptions = { top: 2, tolerance: 1e-4, verifyMultiplicity: false }
    expectValues(valuesOf(await extremeEigenpairs(operator, options)).top, [20, 15], 1e-6)
    const verified = await extremeEigenpairs(operator, { ...options, verifyMultiplicity: true })
    expectValues(valuesOf(verified).top, [20, 20], 1e-6)
  })

  test('60 products give no ghosts: values differ where eigenvalues do', async () => {
    const distinct = entries.map((x, i) => (i === 7 || i === 9 ? x - 10 - i / 10 : x))
    const result = await extremeEigenpairs(diagonal(distinct), {
      top: 3,
      bottom: 3,
      maxProducts: 60,
      verifyMultiplicity: false,
    })
    expect(result.products).toBeLessThanOrEqual(60)
    const ordered = [...distinct].sort((a, b) => a - b)
    expectValues(valuesOf(result).top.slice(0, 3), ordered.slice(-3).reverse(), 1e-6)
    expectValues(valuesOf(result).bottom.slice(0, 1), ordered.slice(0, 1), 1e-6)
    const all = [...valuesOf(result).top, ...valuesOf(result).bottom]
    for (let i = 0; i < all.length; i++)
      for (let j = 0; j < i; j++) expect(Math.abs(all[i] - all[j])).toBeGreaterThan(1e-3)
  })

  test('60 products without convergence are reported as such, with honest residuals', async () => {
    const flat = stream('extreme flat').uniforms(5699)
    const operator = diagonal(flat)
    const result = await extremeEigenpairs(operator, { top: 5, bottom: 5, maxProducts: 60 })
    expect(result.status).toBe('max-products')
    expect(result.products).toBe(60)
    expect(result.top.some((p) => !p.converged)).toBe(true)
    await expectHonest(operator, result)
    // A residual r proves an eigenvalue within r.
    for (const { value, residualNorm } of [...result.top, ...result.bottom]) {
      const nearest = flat.reduce((best, x) => Math.min(best, Math.abs(x - value)), Number.POSITIVE_INFINITY)
      expect(nearest).toBeLessThanOrEqual(residualNorm + 1e-14)
    }
  })

  test('the most negative eigenvalue, larger in modulus than the top one, does not hide it', async () => {
    const result = await extremeEigenpairs(diagonal(entries), { top: 1, bottom: 1 })
    expectValues(valuesOf(result).top, [20], 1e-9)
    expectValues(valuesOf(result).bottom, [-30], 1e-9)
  })
})

test('more pairs and steps than p: everything, exactly', async () => {
  const result = await extremeEigenpairs(diagonal([3, 1, -2]), {
    top: 10,
    bottom: 10,
    maxProducts: 60,
    subspaceSize: 60,
  })
  expect(result.status).toBe('exact')
  expectValues(valuesOf(result).top, [3, 1, -2], 1e-14)
  expectValues(valuesOf(result).bottom, [-2, 1, 3], 1e-14)
})

test('the zero operator and the identity, where every step breaks down', async () => {
  for (const value of [0, -1.5]) {
    const result = await extremeEigenpairs(diagonal(new Float64Array(500).fill(value)), { top: 2, bottom: 2 })
    expect(result.status).toBe('converged')
    expectValues([...valuesOf(result).top, ...valuesOf(result).bottom], [value, value, value, value], 1e-14)
    expect(result.breakdowns).toBeGreaterThan(0)
    expect([...result.top, ...result.bottom].every((p) => p.converged)).toBe(true)
  }
})

test('a start vector in an invariant subspace does not hide the rest', async () => {
  const startVectors = new Float64Array(300)
  startVectors[0] = 1
  const entries = Float64Array.from({ length: 300 }, (_, i) => (i === 299 ? -7 : i === 0 ? 2 : Math.sin(i)))
  const result = await extremeEigenpairs(diagonal(entries), { top: 1, bottom: 1, startVectors })
  expectValues([...valuesOf(result).top, ...valuesOf(result).bottom], [2, -7], 1e-12)
})

test('many restarts of a small basis keep it orthonormal', async () => {
  const entries = Float64Array.from({ length: 400 }, (_, i) => 2 - 2 * Math.cos((Math.PI * (i + 1)) / 401))
  const operator = diagonal(entries)
  const result = await extremeEigenpairs(operator, { top: 2, bottom: 2, subspaceSize: 20, maxProducts: 5000 })
  expect(result.status).toBe('converged')
  expect(result.restarts).toBeGreaterThan(5)
  const sorted = [...entries].sort((a, b) => a - b)
  expectValues(valuesOf(result).top, sorted.slice(-2).reverse(), 1e-8)
  expectValues(valuesOf(result).bottom, sorted.slice(0, 2), 1e-8)
  await expectHonest(operator, result)
})

test('same seed, same bits; another seed, other bits', async () => {
  const operator = diagonal(stream('extreme seed').normals(300))
  const [a, b, c] = await Promise.all([0, 0, 1].map((seed) => extremeEigenpairs(operator, { top: 2, seed })))
  expect(b).toEqual(a)
  expect(c.top[0].vector).not.toEqual(a.top[0].vector)
})

test('batched products are used for blocks and for the final residuals', async () => {
  const entries = stream('extreme batch').normals(400)
  const sizes: number[] = []
  const operator: LinearOperator = {
    size: 400,
    apply: async (v) => v.map((x, i) => x * entries[i]),
    applyBatch: async (v, count) => {
      sizes.push(count)
      return v.map((x, i) => x * entries[i % 400])
    },
  }
  const result = await extremeEigenpairs(operator, { top: 2, bottom: 1, blockSize: 4 })
  expect(sizes.reduce((sum, count) => sum + count, 0)).toBe(result.products)
  expect(sizes.slice(0, -1).every((count) => count === 4)).toBe(true)
  expect(sizes[sizes.length - 1]).toBe(3)
})

test('progress counts up, and a signal stops the search with what it has', async () => {
  const signal = { aborted: false }
  const seen: number[] = []
  const result = await extremeEigenpairs(diagonal(stream('extreme abort').uniforms(2000)), {
    top: 3,
    bottom: 3,
    signal,
    onProgress: ({ products }) => {
      seen.push(products)
      if (products > 20) signal.aborted = true
    },
  })
  expect(result.status).toBe('aborted')
  expect(result.products).toBeLessThan(50)
  expect(result.top.length).toBe(3)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
  const late = await extremeEigenpairs(diagonal([1, 2, 3, 4]), { top: 2, signal: { aborted: true } })
  expect(late).toMatchObject({ status: 'aborted', products: 2 })
  expect(late.top).toHaveLength(1)
})

test('NaN, wrong sizes and senseless options are refused by name', async () => {
  const broken: LinearOperator = { size: 5, apply: async (v) => v.map((x, i) => (i === 3 ? Number.NaN : x)) }
  await expect(extremeEigenpairs(broken)).rejects.toThrow(/must return finite numbers, got NaN at entry 3/)
  const short: LinearOperator = { size: 5, apply: async () => new Float64Array(4) }
  await expect(extremeEigenpairs(short)).rejects.toThrow(/must return 5 numbers, got 4/)
  const good = diagonal([1, 2, 3])
  await expect(extremeEigenpairs(good, { top: 0 })).rejects.toThrow(/top \+ bottom must be at least 1/)
  await expect(extremeEigenpairs(good, { top: 1.5 })).rejects.toThrow(/top must be an integer/)
  await expect(extremeEigenpairs(good, { tolerance: 0 })).rejects.toThrow(/tolerance must be positive/)
  await expect(extremeEigenpairs(good, { maxProducts: 1 })).rejects.toThrow(/maxProducts must be at least/)
})
