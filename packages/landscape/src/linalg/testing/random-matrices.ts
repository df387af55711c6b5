import type { RandomStream } from '../../random/random-stream.ts'
import { randomStream } from '../../random/random-stream.ts'
import type { Matrix } from '../matrix.ts'
import { diagonalMatrix, gemv, matmul, matrix, transpose } from '../matrix.ts'
import { qr } from '../qr.ts'
import { norm } from '../vector.ts'

export const epsilon: number = 2 ** -53

export function randomMatrix(rows: number, cols: number, random: RandomStream): Matrix {
  return matrix(rows, cols, random.normals(rows * cols))
}

export function randomOrthonormal(rows: number, cols: number, random: RandomStream): Matrix {
  return qr(randomMatrix(rows, cols, random)).q
}

/** (A + Aᵀ) / 2, so that the matrix is symmetric to the bit. */
export function symmetrized(a: Matrix): Matrix {
  const b = transpose(a)
  return matrix(
    a.rows,
    a.cols,
    a.data.map((x, i) => (x + b.data[i]) / 2),
  )
}

/** Q diag(spectrum) Qᵀ with a random orthogonal Q. */
export function withSpectrum(spectrum: ArrayLike<number>, random: RandomStream): Matrix {
  const q = randomOrthonormal(spectrum.length, spectrum.length, random)
  return symmetrized(matmul(matmul(q, diagonalMatrix(spectrum)), transpose(q)))
}

/** Spectra that break careless eigenvalue solvers, for any size. */
export function difficultSpectra(n: number): Record<string, Float64Array> {
  const spread = (f: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => f(i))
  return {
    indefinite: spread((i) => Math.sin(i + 1) * (i + 1)),
    repeated: spread((i) => [-2, 1, 1, 5][i % 4]),
    clustered: spread((i) => 1 + 1e-14 * i),
    graded: spread((i) => 10 ** (n === 1 ? 0 : -12 + (24 * i) / (n - 1))),
    zero: spread(() => 0),
    'rank one': spread((i) => (i === 0 ? 3 : 0)),
    'half singular': spread((i) => (i % 2 === 0 ? 0 : i)),
    huge: spread((i) => 1e300 * Math.cos(i)),
    tiny: spread((i) => 1e-300 * Math.cos(i)),
  }
}

export const sizes: readonly number[] = [1, 2, 3, 50, 200]

export function stream(purpose: string, index: number = 0): RandomStream {
  return randomStream(20240607, purpose, index)
}

/** ‖A x − b‖ / (n ε (‖A‖_F ‖x‖ + ‖b‖)): below 30 is right. */
export function solutionResidual(a: Matrix, x: Float64Array, b: Float64Array): number {
  const residual = gemv(a, x)
  for (let i = 0; i < b.length; i++) residual[i] -= b[i]
  const size = Math.max(a.rows, a.cols) * epsilon * (norm(a.data) * norm(x) + norm(b))
  return norm(residual) === 0 ? 0 : norm(residual) / size
}

/** ‖A − B‖_F / (n ε ‖A‖_F). */
export function relativeDifference(a: Matrix, b: Matrix): number {
  const difference = norm(a.data.map((x, i) => x - b.data[i]))
  return difference === 0 ? 0 : difference / (Math.max(a.rows, a.cols) * epsilon * norm(a.data))
}

/** ‖QᵀQ − I‖_F / (n ε) for columns. */
export function orthogonalityDefect(q: Matrix): number {
  const gram = matmul(transpose(q), q)
  for (let i = 0; i < q.cols; i++) gram.data[i * q.cols + i] -= 1
  return norm(gram.data) / (Math.max(q.rows, q.cols, 1) * epsilon)
}
