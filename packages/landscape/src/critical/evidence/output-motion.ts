import { dot, norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/loss.ts'
import { randomStream } from '../../random/random-stream.ts'
import type { InvariantField } from './symmetry-orbit.ts'

type Terms = InvariantField['terms']

/** Outputs count as unmoved below this, relative to how far the parts of a field move them. */
export const motionTolerance = 1e-9
/** The same relative to how far a random direction of the same length moves them: rounding of J. */
const roundingTolerance = 1e-13
const batch = 64

/** J(θ) X(θ) for several fields, one row each; for cross-entropy without the mean over classes, which it does not see.
 * Cost: one product with J per field. */
export async function outputMotion(loss: Loss, point: LossPoint, fields: readonly Terms[]): Promise<Float64Array[]> {
  return imagesOf(
    loss,
    point,
    fields.map((terms) => velocity(point.theta, terms)),
  )
}

/** Those fields that move no output at any of the points.
 * @param locally  keep a field that has no effect at all at any of the points, all of its parts included. A rectified unit that
 *   is off there is no evidence of a symmetry elsewhere, but near those points it is one.
 * Cost: two products with J per field and point. */
export async function unmovedFields(
  loss: Loss,
  points: readonly LossPoint[],
  fields: readonly InvariantField[],
  locally = false,
): Promise<InvariantField[]> {
  const kept: InvariantField[] = []
  for (let start = 0; start < fields.length; start += batch) {
    const some = fields.slice(start, start + batch)
    const still = some.map(() => true)
    const seen = some.map(({ kind }) => locally || kind === 'data-null-space')
    for (const point of points) {
      const stream = randomStream(0, 'broken field')
      const speeds = some.map(({ terms }) => velocity(point.theta, terms))
      // The same field with random factors: how far its parts move the outputs when they do not cancel.
      const broken = some.map(({ terms }) =>
        velocity(
          point.theta,
          terms.map((t) => ({ ...t, factor: t.factor * stream.normal() })),
        ),
      )
      const random = stream.normals(point.theta.length)
      const images = await imagesOf(loss, point, [...speeds, ...broken, random])
      const typical = norm(images[2 * some.length]) / norm(random)
      some.forEach((_, i) => {
        const parts = norm(images[some.length + i])
        const allowed = Math.max(motionTolerance * parts, roundingTolerance * typical * norm(speeds[i]))
        if (parts > 0) seen[i] = true
        if (!(norm(images[i]) <= allowed)) still[i] = false
      })
    }
    kept.push(...some.filter((_, i) => still[i] && seen[i]))
  }
  return kept
}

/** Relative size of the moves by which a neighborhood of θ is sampled. */
const nearby = 1e-3

/** Those fields that are invariances near θ, where fields found elsewhere may end: behind a clip, say, that no random θ reached. */
export async function fieldsNear(
  loss: Loss,
  theta: Float64Array,
  fields: readonly InvariantField[],
  seed: number,
): Promise<readonly InvariantField[]> {
  if (fields.length === 0) return fields
  const size = nearby * Math.sqrt(dot(theta, theta) / theta.length)
  const points = [0, 1, 2].map((index) => {
    const stream = randomStream(seed, 'invariance nearby', index)
    return new LossPoint(loss, index === 0 ? theta : theta.map((t) => t + size * stream.normal()))
  })
  return unmovedFields(loss, points, fields, true)
}

function velocity(theta: Float64Array, terms: Terms): Float64Array {
  const out = new Float64Array(theta.length)
  for (const { to, from, factor } of terms) out[to] += from === null ? factor : factor * theta[from]
  return out
}

async function imagesOf(loss: Loss, point: LossPoint, directions: readonly Float64Array[]): Promise<Float64Array[]> {
  const p = point.theta.length
  const rows = new Float64Array(directions.length * p)
  directions.forEach((direction, i) => rows.set(direction, i * p))
  const images = await point.jacobian(rows, directions.length)
  if (loss.spec.name === 'cross-entropy')
    centerRows(
      images,
      loss.model.outputShape.reduce((a, b) => a * b, 1),
    )
  const width = images.length / directions.length
  return directions.map((_, i) => images.slice(i * width, (i + 1) * width))
}

/** Subtracts the mean of every `width` neighbors. */
function centerRows(values: Float64Array, width: number): void {
  for (let start = 0; start < values.length; start += width) {
    let mean = 0
    for (let c = 0; c < width; c++) mean += values[start + c] / width
    for (let c = 0; c < width; c++) values[start + c] -= mean
  }
}
