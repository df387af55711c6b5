import { describe, expect, test } from 'vitest'
import { conjugateGradient } from './conjugate-gradient.ts'
import { denseOperator, diagonalOperator } from './linear-operator.ts'
import { lsqr, rectangularOperator } from './lsqr.ts'
import { gemv, matmul } from './matrix.ts'
import { minres } from './minres.ts'
import { minresQlp } from './minres-qlp.ts'
import { leastSquares } from './svd.ts'
import { randomMatrix, stream, withSpectrum } from './testing/random-matrices.ts'
import { axpy, dot, norm } from './vector.ts'

const difference = (x: Float64Array, y: Float64Array): number => norm(x.map((value, i) => value - y[i])) / norm(y)
const spectrumOf = (n: number, f: (i: number) => number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => f(i))

describe.each([1, 2, 3, 50, 200])('p = %d', (n) => {
  const random = stream('krylov', n)
  const definite = withSpectrum(
    spectrumOf(n, (i) => 1 + (i % 20)),
    random,
  )
  const indefinite = withSpectrum(
    spectrumOf(n, (i) => (i % 2 === 0 ? -1 : 1) * (1 + (i % 20))),
    random,
  )
  const b = random.normals(n)

  test('conjugate gradient on a definite system', async () => {
    const { x, status, residualNorm } = await conjugateGradient(denseOperator(definite), b, { tolerance: 1e-12 })
    expect(status).toBe('converged')
    expect(residualNorm).toBeLessThan(2e-12 * norm(b))
    expect(difference(gemv(definite, x), b)).toBeLessThan(2e-12)
  })

  test.each([
    ['minres', minres],
    ['minresQlp', minresQlp],
  ] as const)('%s on an indefinite system', async (_, solve) => {
    const { x, status, residualNorm } = await solve(denseOperator(indefinite), b, { tolerance: 1e-12 })
    expect(status).toBe('converged')
    expect(residualNorm).toBeLessThan(1e-11 * norm(b))
    expect(difference(gemv(indefinite, x), b)).toBeLessThan(1e-11)
  })

  test('right-hand side zero costs nothing', async () => {
    const zero = new Float64Array(n)
    for (const solve of [conjugateGradient, minres, minresQlp]) {
      const { x, status, iterations } = await solve(denseOperator(indefinite), zero)
      expect([status, iterations, norm(x)]).toEqual(['converged', 0, 0])
    }
  })
})

describe('minresQlp on singular systems is the pseudo-inverse', () => {
  test.each([2, 3, 10, 50])('compatible, p = %d', async (n) => {
    const random = stream('qlp compatible', n)
    const a = withSpectrum(
      spectrumOf(n, (i) => (i < n / 3 ? 0 : (i % 2 === 0 ? -1 : 1) * (1 + (i % 7)))),
      random,
    )
    const b = gemv(a, random.normals(n))
    const expected = leastSquares(a, b, { tolerance: 1e-10 }).x
    const { x, status, condition } = await minresQlp(denseOperator(a), b, { tolerance: 1e-13 })
    expect(status).toBe('converged')
    expect(difference(x, expected)).toBeLessThan(1e-11)
    expect(condition).toBeLessThan(100)
  })

  test.each([2, 3, 10, 50])('incompatible, p = %d: shortest least squares solution', async (n) => {
    const random = stream('qlp incompatible', n)
    const a = withSpectrum(
      spectrumOf(n, (i) => (i < n / 3 ? 0 : (i % 2 === 0 ? -1 : 1) * (1 + (i % 7)))),
      random,
    )
    const b = random.normals(n)
    const expected = leastSquares(a, b, { tolerance: 1e-10 })
    const result = await minresQlp(denseOperator(a), b, { tolerance: 1e-9 })
    expect(result.status).toBe('least-squares')
    expect(difference(result.x, expected.x)).toBeLessThan(1e-7)
    expect(Math.abs(result.residualNorm - expected.residualNorm)).toBeLessThan(1e-9 * norm(b))
    expect(result.normalResidualNorm).toBeLessThan(1e-8 * result.operatorNorm * result.residualNorm)
  })

  test('plain MINRES stops at the same residual, but with a part in the null space', async () => {
    const a = diagonalOperator(Float64Array.of(0, 1, -2, 3))
    const b = Float64Array.of(1, 1, 1, 1)
    const plain = await minres(a, b)
    const shortest = await minresQlp(a, b)
    expect([plain.status, shortest.status]).toEqual(['least-squares', 'least-squares'])
    expect(Math.abs(plain.residualNorm - 1)).toBeLessThan(1e-10)
    expect(Math.abs(shortest.residualNorm - 1)).toBeLessThan(1e-10)
    expect(Math.abs(plain.x[0])).toBeGreaterThan(0.01)
    expect(Math.abs(shortest.x[0])).toBeLessThan(1e-12)
  })

  test('b in the null space: x = 0', async () => {
    const { x, status } = await minresQlp(diagonalOperator(Float64Array.of(0, 0, 3)), Float64Array.of(1, 2, 0))
    expect(status).toBe('least-squares')
    expect(norm(x)).toBe(0)
  })

  test('the zero operator', async () => {
    const { x, status } = await minresQlp(diagonalOperator(new Float64Array(4)), Float64Array.of(1, 2, 3, 4))
    expect(status).toBe('least-squares')
    expect(norm(x)).toBe(0)
  })

  test('an ill-conditioned compatible system, with all Lanczos vectors kept, ends after p steps', async () => {
    const n = 40
    const random = stream('qlp graded')
    const a = withSpectrum(
      spectrumOf(n, (i) => 10 ** (-6 * (i / (n - 1)))),
      random,
    )
    const b = gemv(a, random.normals(n))
    const kept = await minresQlp(denseOperator(a), b, { tolerance: 1e-12, reorthogonalize: true })
    const short = await minresQlp(denseOperator(a), b, { tolerance: 1e-12, maxIterations: 4000 })
    expect(kept.status).toBe('converged')
    expect(kept.iterations).toBeLessThanOrEqual(n + 1)
    expect(short.iterations).toBeGreaterThan(n + 1)
  })

  test('bounds on the solution and on the condition end the iteration', async () => {
    const a = diagonalOperator(Float64Array.of(1, 1e-3, 1e-8))
    const b = Float64Array.of(1, 1, 1)
    const bounded = await minresQlp(a, b, { maxSolutionNorm: 1e4 })
    expect(bounded.status).toBe('solution-norm')
    expect(norm(bounded.x)).toBeLessThan(1e4)
    const conditioned = await minresQlp(a, b, { maxCondition: 1e5 })
    expect(conditioned.status).toBe('ill-conditioned')
    expect(conditioned.condition).toBeLessThan(1e5)
  })
})

test('conjugate gradient returns a direction of negative curvature', async () => {
  const a = diagonalOperator(Float64Array.of(1, 2, -3))
  const { status, negativeCurvature } = await conjugateGradient(a, Float64Array.of(1, 1, 1))
  expect(status).toBe('negative-curvature')
  const d = negativeCurvature?.direction as Float64Array
  const quotient = dot(d, await a.apply(d)) / dot(d, d)
  expect(quotient).toBeLessThanOrEqual(0)
  expect(negativeCurvature?.curvature).toBeCloseTo(quotient, 12)
})

describe('lsqr', () => {
  test.each([
    [30, 12, 12],
    [12, 30, 12],
    [25, 20, 8],
    [1, 1, 1],
  ])('%d × %d of rank %d against the pseudo-inverse', async (m, n, rank) => {
    const random = stream('lsqr', 100 * m + n)
    const a = matmul(randomMatrix(m, rank, random), randomMatrix(rank, n, random))
    const b = random.normals(m)
    const expected = leastSquares(a, b)
    const { x, status, residualNorm } = await lsqr(rectangularOperator(a), b, { tolerance: 1e-13, maxIterations: 400 })
    expect(status).toBe(rank === m ? 'converged' : 'least-squares')
    expect(difference(x, expected.x)).toBeLessThan(1e-8)
    expect(Math.abs(residualNorm - expected.residualNorm)).toBeLessThan(1e-10 * norm(b))
  })

  test('b orthogonal to the range, and b = 0', async () => {
    const a = rectangularOperator({ rows: 2, cols: 1, data: Float64Array.of(1, 0) })
    expect((await lsqr(a, Float64Array.of(0, 1))).status).toBe('least-squares')
    expect((await lsqr(a, Float64Array.of(0, 0))).status).toBe('converged')
  })
})

test('limits and aborts are statuses; NaN and wrong sizes are errors', async () => {
  const a = diagonalOperator(spectrumOf(50, (i) => 1 + i))
  const b = stream('limits').normals(50)
  for (const solve of [conjugateGradient, minres, minresQlp]) {
    expect((await solve(a, b, { maxIterations: 3 })).status).toBe('max-iterations')
    expect((await solve(a, b, { signal: { aborted: true } })).status).toBe('aborted')
    await expect(solve(a, b.subarray(1))).rejects.toThrow(/the vector must have 50 entries, got 49/)
    const broken = { size: 50, apply: async (v: Float64Array) => v.map(() => Number.NaN) }
    await expect(solve(broken, b)).rejects.toThrow(/must return finite numbers, got NaN/)
  }
  const partial = await minres(a, b, { maxIterations: 3 })
  const residual = b.slice()
  axpy(-1, await a.apply(partial.x), residual)
  expect(Math.abs(partial.residualNorm - norm(residual))).toBeLessThan(1e-13)
})
