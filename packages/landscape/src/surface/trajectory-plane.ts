import { DomainError, ShapeError } from '@thalweg/graph'
import { matrixFromRows, row } from '../linalg/matrix.ts'
import { principalComponents } from '../linalg/principal-components.ts'
import { dot, norm } from '../linalg/vector.ts'
import type { Direction } from './direction-set.ts'
import { pointAt } from './loss-grid.ts'

/** The plane that a trajectory spans best. */
export interface TrajectoryPlane {
  /** The last point of the first trajectory: coordinate 0. */
  readonly center: Float64Array
  /** Orthonormal, by descending share of the variance; the trajectory starts at coordinates ≥ 0. */
  readonly directions: readonly Direction[]
  /** Shares of all components found, descending. */
  readonly explained: Float64Array
  /** What a random walk with as many points in high dimension would show: not a sign of a low-dimensional path. */
  readonly randomWalk: Float64Array
}

/** Principal components of the points of one trajectory, or of several on one plane, relative to the last point of the
 * first: rows θᵢ − θₙ, their mean removed, no normalisation per filter.
 *
 * High-dimensional random walks alone give the shares `randomWalkShares`, 61 % and 15 % for long ones, so two components that
 * hold three quarters of the variance say nothing about the loss.
 * @throws {DomainError} for fewer than three points, or points that lie on a line (or in one place) where two directions are asked for.
 * Cost: k² p for k points. Source: Li et al. 2018, §7; Antognini & Sohl-Dickstein 2018 for the null. */
export function trajectoryPlane(
  trajectories: readonly (readonly Float64Array[])[],
  count: number = 2,
): TrajectoryPlane {
  const points = trajectories.flat()
  const center = trajectories[0]?.at(-1)
  if (!center || points.length < 3)
    throw new DomainError(`trajectory plane: needs three points or more, got ${points.length}. Save more checkpoints.`)
  for (const point of points)
    if (point.length !== center.length)
      throw new ShapeError(`trajectory plane: points must agree in size, got ${point.length} and ${center.length}.`)
  const rows = matrixFromRows(points.map((point) => point.map((v, i) => v - center[i])))
  const { components, explained } = principalComponents(rows)
  if (components.rows < count)
    throw new DomainError(
      `trajectory plane: the points span ${components.rows} dimensions, got ${count} directions to find. Use more checkpoints, or a line.`,
    )
  const directions = Array.from({ length: count }, (_, c) => {
    const component = row(components, c).slice()
    const vector = dot(component, row(rows, 0)) < 0 ? component.map((v) => -v) : component
    return { vector, label: `PCA ${c + 1}`, explained: explained[c] }
  })
  return { center, directions, explained, randomWalk: randomWalkShares(points.length, explained.length) }
}

/** Expected shares of the variance along the principal components of a random walk of n points in infinitely many
 * dimensions: the eigenvalues of the inverse of the path's Laplacian,
 *
 *     share(k) = 3 / (2 (n² − 1) sin²(π k / 2n)) → 6 / (π² k²) for long walks.
 *
 * Source: Antognini & Sohl-Dickstein 2018 (the limit); steps D x = ξ give centered positions x = D⁺ξ, covariance (DᵀD)⁺. */
export function randomWalkShares(points: number, count: number): Float64Array {
  if (!(Number.isInteger(points) && points >= 2))
    throw new DomainError(`randomWalkShares: a walk has two points or more, got ${points}.`)
  return Float64Array.from({ length: Math.min(count, points - 1) }, (_, i) => {
    const sine = Math.sin((Math.PI * (i + 1)) / (2 * points))
    return 3 / (2 * (points ** 2 - 1) * sine ** 2)
  })
}

/** A point as seen on a plane (or line, or volume). */
export interface ProjectedPoint {
  readonly coordinates: readonly number[]
  /** ‖θ − center‖. */
  readonly distance: number
  /** ‖θ − projection‖. */
  readonly offPlaneDistance: number
  /** The same over ‖θ − center‖: 0 in the plane, 1 at a right angle to it; 0 for the center itself. */
  readonly offPlaneShare: number
}

/** The nearest points of θ₀ + span(d) to the given ones, by least squares: right for directions that are not orthogonal too.
 * @throws {DomainError} if the directions are linearly dependent. */
export function projectPoints(
  center: Float64Array,
  directions: readonly Float64Array[],
  points: readonly Float64Array[],
): ProjectedPoint[] {
  const basis = orthonormalBasis(directions)
  return points.map((theta) => {
    const offset = theta.map((v, i) => v - center[i])
    const along = basis.vectors.map((q) => dot(q, offset))
    const coordinates = solveUpper(basis.triangle, along)
    const nearest = pointAt(center, directions, coordinates)
    const offPlaneDistance = norm(theta.map((v, i) => v - nearest[i]))
    const length = norm(offset)
    const offPlaneShare = length === 0 ? 0 : offPlaneDistance / length
    return { coordinates, distance: length, offPlaneDistance, offPlaneShare }
  })
}

interface Basis {
  /** Orthonormal q. */
  readonly vectors: readonly Float64Array[]
  /** d_j = Σ_i triangle[i][j] q_i. */
  readonly triangle: readonly number[][]
}

function orthonormalBasis(directions: readonly Float64Array[]): Basis {
  const vectors: Float64Array[] = []
  const triangle: number[][] = directions.map(() => directions.map(() => 0))
  for (const [j, direction] of directions.entries()) {
    const u = direction.slice()
    for (let pass = 0; pass < 2; pass++)
      for (const [i, q] of vectors.entries()) {
        const c = dot(q, u)
        triangle[i][j] += c
        for (let k = 0; k < u.length; k++) u[k] -= c * q[k]
      }
    const length = norm(u)
    if (!(length > 1e-12 * norm(direction)))
      throw new DomainError('projectPoints: the directions must be independent, got dependent ones. Choose others.')
    triangle[j][j] = length
    vectors.push(u.map((v) => v / length))
  }
  return { vectors, triangle }
}

function solveUpper(triangle: readonly number[][], right: readonly number[]): number[] {
  const x = right.slice()
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i] -= triangle[i][j] * x[j]
    x[i] /= triangle[i][i]
  }
  return x
}
