import type { Grid } from './contour-lines.ts'
import { intervalOf } from './plane-data.ts'

/** Value, gradient and Hessian (xx, xy, yy) at a point. */
export interface Jet {
  readonly value: number
  readonly gradient: readonly [number, number]
  readonly hessian: readonly [number, number, number]
}

/** A function of two variables with two derivatives. */
export interface PlaneFunction {
  readonly domain: { readonly x: readonly [number, number]; readonly y: readonly [number, number] }
  /** undefined outside the domain and in its holes. */
  at(x: number, y: number): Jet | undefined
}

/** The C² surface through the nodes: the tensor product of cubic splines with constant second derivative beyond the first
 *  and last node. Exact at the nodes, O(h⁴) between them; what a network's loss does between the nodes it cannot know.
 *  Nodes that are not finite are filled from their neighbours so that the rest is smooth, and cells that touch one are
 *  holes. Source: de Boor, A Practical Guide to Splines (1978), ch. IV and XVII. */
export function splineFunction(grid: Grid): PlaneFunction {
  const { xs, ys, values } = grid
  const [nx, ny] = [xs.length, ys.length]
  const f = filled(Float64Array.from(values), nx, ny)
  const fxx = alongRows(f, xs, nx, ny)
  const fyy = alongColumns(f, ys, nx, ny)
  const fxxyy = alongColumns(fxx, ys, nx, ny)
  const parts = [f, fxx, fyy, fxxyy]
  return {
    domain: { x: [xs[0], xs[nx - 1]], y: [ys[0], ys[ny - 1]] },
    at: (x, y) => {
      const i = intervalOf(xs, x)
      const j = intervalOf(ys, y)
      if (i < 0 || j < 0) return undefined
      const k = j * nx + i
      const corners = [k, k + 1, k + nx, k + nx + 1]
      if (!corners.every((corner) => Number.isFinite(values[corner]))) return undefined
      return jetOf(parts, corners, weights(xs, i, x), weights(ys, j, y))
    },
  }
}

/** Cardinal functions of an interval: for the values at its ends (rows 0, 1) and the second derivatives there (2, 3); each
 *  with its first and second derivative. */
type Weights = readonly (readonly [number, number, number])[]

function weights(nodes: ArrayLike<number>, i: number, x: number): Weights {
  const h = nodes[i + 1] - nodes[i]
  const b = (x - nodes[i]) / h
  const a = 1 - b
  return [
    [a, -1 / h, 0],
    [b, 1 / h, 0],
    [((a ** 3 - a) * h * h) / 6, (-(3 * a * a - 1) * h) / 6, a],
    [((b ** 3 - b) * h * h) / 6, ((3 * b * b - 1) * h) / 6, b],
  ]
}

function jetOf(parts: readonly Float64Array[], corners: readonly number[], wx: Weights, wy: Weights): Jet {
  const sum = (dx: number, dy: number): number => {
    let total = 0
    for (let part = 0; part < 4; part++)
      for (let corner = 0; corner < 4; corner++) {
        const column = (corner & 1) + (part & 1 ? 2 : 0)
        const row = (corner >> 1) + (part & 2 ? 2 : 0)
        total += parts[part][corners[corner]] * wx[column][dx] * wy[row][dy]
      }
    return total
  }
  return {
    value: sum(0, 0),
    gradient: [sum(1, 0), sum(0, 1)],
    hessian: [sum(2, 0), sum(1, 1), sum(0, 2)],
  }
}

function alongRows(values: Float64Array, xs: ArrayLike<number>, nx: number, ny: number): Float64Array {
  const out = new Float64Array(nx * ny)
  for (let j = 0; j < ny; j++) out.set(secondDerivatives(xs, values.subarray(j * nx, (j + 1) * nx)), j * nx)
  return out
}

function alongColumns(values: Float64Array, ys: ArrayLike<number>, nx: number, ny: number): Float64Array {
  const out = new Float64Array(nx * ny)
  for (let i = 0; i < nx; i++) {
    const column = Float64Array.from({ length: ny }, (_, j) => values[j * nx + i])
    secondDerivatives(ys, column).forEach((m, j) => {
      out[j * nx + i] = m
    })
  }
  return out
}

/** Second derivatives M of the cubic spline through (x, f) at its nodes, with M₀ = M₁ and M_{n−1} = M_{n−2}:
 *  hᵢ₋₁ Mᵢ₋₁ + 2 (hᵢ₋₁ + hᵢ) Mᵢ + hᵢ Mᵢ₊₁ = 6 (fᵢ₊₁ − fᵢ)/hᵢ − 6 (fᵢ − fᵢ₋₁)/hᵢ₋₁. */
function secondDerivatives(x: ArrayLike<number>, f: ArrayLike<number>): Float64Array {
  const n = x.length
  const m = new Float64Array(n)
  if (n < 3) return m
  const upper = new Float64Array(n)
  for (let i = 1; i < n - 1; i++) {
    const [h, k] = [x[i] - x[i - 1], x[i + 1] - x[i]]
    const right = 6 * ((f[i + 1] - f[i]) / k - (f[i] - f[i - 1]) / h)
    let diagonal = 2 * (h + k) + (i === 1 ? h : 0) + (i === n - 2 ? k : 0)
    const lower = i === 1 ? 0 : h
    diagonal -= lower * upper[i - 1]
    upper[i] = k / diagonal
    m[i] = (right - lower * m[i - 1]) / diagonal
  }
  for (let i = n - 3; i > 0; i--) m[i] -= upper[i] * m[i + 1]
  m[0] = m[1]
  m[n - 1] = m[n - 2]
  return m
}

/** Gives nodes that are not finite the mean of those neighbours that are, from the rim inwards. */
function filled(values: Float64Array, nx: number, ny: number): Float64Array {
  let missing = [...values.keys()].filter((k) => !Number.isFinite(values[k]))
  if (missing.length === values.length) return values.fill(0)
  while (missing.length > 0) {
    const means = missing.map((k) => {
      const known = neighbours(k, nx, ny).filter((other) => Number.isFinite(values[other]))
      return known.reduce((sum, other) => sum + values[other], 0) / known.length
    })
    missing.forEach((k, at) => {
      values[k] = means[at]
    })
    missing = missing.filter((k) => !Number.isFinite(values[k]))
  }
  return values
}

function neighbours(k: number, nx: number, ny: number): number[] {
  const i = k % nx
  return [i > 0 ? k - 1 : -1, i < nx - 1 ? k + 1 : -1, k - nx, k + nx < nx * ny ? k + nx : -1].filter((n) => n >= 0)
}

/** Eigenvalues of a symmetric 2 × 2 matrix, descending, with the direction of the first. */
export function eigenvalues2([a, b, c]: readonly [number, number, number]): {
  readonly values: readonly [number, number]
  readonly angle: number
} {
  const mean = (a + c) / 2
  const radius = Math.hypot((a - c) / 2, b)
  return { values: [mean + radius, mean - radius], angle: 0.5 * Math.atan2(2 * b, a - c) }
}

/** max(0, −λ_min)/|λ_max| of a Hessian: 0 where the function is convex, above 1 where it curves down more than up. */
export function convexityRatio(hessian: readonly [number, number, number]): number {
  const [largest, smallest] = eigenvalues2(hessian).values
  return smallest >= 0 ? 0 : -smallest / Math.max(Math.abs(largest), Number.MIN_VALUE)
}
