import { numbersOf } from '@thalweg/graph'
import { leastSquares, matrix, maxNorm } from '../../linalg/index.ts'
import type { Loss } from '../../loss/index.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import { mlp } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { quasiNewton, tangentModel } from '../../theory/elimination/index.ts'
import { rowsDataset, squared } from '../../theory/elimination/toy-problems.ts'
import { allMet, atLeast, atMost } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { withLosses } from '../with-losses.ts'
import { normalRows, topic } from './source.ts'

const source = (place: string): Claim['source'] => ({
  text: 'Kawaguchi and Kaelbling 2020; Kawaguchi, Huang, Kaelbling 2019',
  place,
  reference: 'arXiv:1901.00279, arXiv:1904.03673',
})

const equality: Claim = {
  id: 'C-6',
  topic,
  statement:
    'At a stationary point of the squared loss of a network with a linear last layer the loss equals the least-squares value of its tangent (Jacobian) features; elsewhere it is larger.',
  source: source('perturbable gradient basis (PGB) condition with S = {0}'),
  experiment:
    'tanh network 2-2-1 on 40 samples of such a network with noise, up to 40 problems: trainings to ‖∇L‖ ≤ 1e−10 that end at weights below 20 (a run to infinity has no stationary point), at most six; loss against least squares before and after.',
  expected: 'holds',
  estimateSeconds: 3,
  run: equalityFinding,
}

/** Samples of a tanh network 2-2-1 with noise, and weights near which there are minima at finite weights. */
function smallProblem(seed: number, samples: number): { x: number[][]; y: number[][]; teacher: Float64Array } {
  const x = normalRows(seed + 1, samples, 2)
  const random = randomStream(seed, 'teacher')
  const teacher = Float64Array.from(random.normals(9), (v) => Math.sign(v) * (0.7 + 0.5 * Math.abs(v)))
  const unit = ([u, v]: readonly number[], j: number): number =>
    teacher[6 + j] * Math.tanh(teacher[2 * j] * u + teacher[2 * j + 1] * v + teacher[4 + j])
  return { x, y: x.map((row) => [unit(row, 0) + unit(row, 1) + teacher[8] + 0.2 * random.normal()]), teacher }
}

async function equalityFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress, throwIfStopped } = context
  return withLosses(context, async (make) => {
    const points: { before: number; after: number }[] = []
    for (let i = 0; points.length < 6 && i < 40; i++) {
      throwIfStopped()
      const { x, y, teacher } = smallProblem(seed + i, 40)
      const loss = make(mlp({ widths: [2, 2, 1], activation: 'tanh' }), rowsDataset(x, y), squared)
      const start = startNear(teacher, seed, i)
      const found = await quasiNewton((t) => loss.valueAndGradient(t), start, {
        maxSteps: 400,
        gradientTolerance: 1e-10,
      })
      if (found.status !== 'converged' || maxNorm(found.x) > 20) continue
      const [before, after] = [await tangentModel(loss, start), await tangentModel(loss, found.x)]
      points.push({ before: before!.gap, after: after!.gap })
      progress(points.length, 7)
    }
    progress(7, 7)
    const measurements = [
      atLeast('trainings that reached a stationary point', points.length, 3),
      atMost('largest |loss − least squares| there', Math.max(...points.map((p) => Math.abs(p.after))), 1e-12),
      atLeast('least difference at the random starts', Math.min(...points.map((p) => p.before)), 1e-3),
    ]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `At ${points.length} stationary points the loss is that of the tangent model to ${Math.max(...points.map((p) => Math.abs(p.after))).toExponential(1)}; at the starts it is at least ${Math.min(...points.map((p) => p.before)).toPrecision(3)} above.`,
      measurements,
      figure: {
        title: 'Loss minus least squares in the tangent features',
        xLabel: 'training',
        yLabel: 'difference',
        yScale: 'log',
        series: [
          { name: 'at the start', mark: 'points', x: points.map((_, i) => i + 1), y: points.map((p) => p.before) },
          {
            name: 'at the end',
            mark: 'points',
            x: points.map((_, i) => i + 1),
            y: points.map((p) => Math.max(1e-18, Math.abs(p.after))),
          },
        ],
      },
    }
  })
}

const silentUnit: Claim = {
  id: 'PGB-silent-unit',
  topic,
  statement:
    'At a local minimum with a hidden unit of output weight zero the perturbable gradient basis spans all functions on the data, so the loss there is the best of all functions; inserting such a unit at a bad minimum makes it a saddle.',
  source: source('perturbable gradient basis (PGB) condition with S ≠ {0}'),
  experiment:
    'A bad stationary point of a tanh network 2-2-1 on 12 samples, widened by a unit with output weight 0: the least-squares value of the Jacobian features over 24 choices of that unit’s input weights, and the loss after training goes on from one of them.',
  expected: 'holds',
  remark:
    'The same mechanism as the exponential neuron. Bad minima whose units all have output weights ≠ 0 remain possible.',
  estimateSeconds: 6,
  run: silentUnitFinding,
}

async function silentUnitFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress } = context
  return withLosses(context, async (make) => {
    const { x, y, teacher } = smallProblem(seed, 12)
    const narrow = make(mlp({ widths: [2, 2, 1], activation: 'tanh' }), rowsDataset(x, y), squared)
    const wide = make(mlp({ widths: [2, 3, 1], activation: 'tanh' }), rowsDataset(x, y), squared)
    const descend = (loss: Loss, start: Float64Array): ReturnType<typeof quasiNewton> =>
      quasiNewton((t) => loss.valueAndGradient(t), start, { maxSteps: 3000, gradientTolerance: 1e-10 })
    const stuck = await descend(narrow, startNear(teacher, seed, 0))
    progress(1, 3)
    const random = randomStream(seed, 'silent unit')
    const placed = Array.from({ length: 24 }, () => widened(stuck.x, random.normals(3)))
    const values = placed.map((_, count) => count + 1)
    const fits: number[] = []
    for (const count of values) fits.push(await commonFit(wide, placed.slice(0, count)))
    progress(2, 3)
    const after = await descend(wide, placed[0])
    progress(3, 3)
    const same = Math.abs((await wide.value(placed[0])) - stuck.value)
    const measurements = [
      atMost('change of the loss by inserting the unit', same, 1e-14),
      atLeast('loss of the stuck network (best function: 0)', stuck.value, 1e-3),
      atMost('least-squares value of the basis, 24 placements', fits[fits.length - 1], 1e-12),
      atLeast('decrease when training goes on with the unit', stuck.value - after.value, 1e-4),
    ]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `The stuck network has loss ${stuck.value.toPrecision(4)}; with a silent unit the basis of 24 placements fits the data to ${fits[fits.length - 1].toExponential(1)}, and training goes on to ${after.value.toPrecision(3)}.`,
      measurements,
      figure: {
        title: 'Least squares in the perturbable gradient basis',
        xLabel: 'placements of the silent unit',
        yLabel: 'least-squares value',
        yScale: 'log',
        series: [{ name: 'value', mark: 'line', x: values, y: fits.map((v) => Math.max(1e-30, v)) }],
        levels: [{ label: 'loss of the stuck network', value: stuck.value }],
      },
    }
  })
}

/** The teacher's weights moved by half a standard deviation. */
function startNear(teacher: Float64Array, seed: number, index: number): Float64Array {
  const noise = randomStream(seed, 'start near teacher', index).normals(teacher.length)
  return teacher.map((v, i) => v + 0.5 * noise[i])
}

/** θ of 2-3-1 that computes what θ of 2-2-1 does: a third unit with input weights and bias `unit`, output weight 0. */
function widened(theta: Float64Array, unit: Float64Array): Float64Array {
  const [w, b, v, c] = [theta.subarray(0, 4), theta.subarray(4, 6), theta.subarray(6, 8), theta.subarray(8, 9)]
  return Float64Array.of(...w, unit[0], unit[1], ...b, unit[2], ...v, 0, ...c)
}

/** Least squares of the targets in the Jacobian columns at all points together, as a mean of squares. */
async function commonFit(loss: Loss, points: readonly Float64Array[]): Promise<number> {
  const n = loss.samples
  const p = loss.size
  const columns = points.length * p
  const design = matrix(n, columns, new Float64Array(n * columns))
  const unit = new Float64Array(n * n)
  for (let i = 0; i < n; i++) unit[i * n + i] = 1
  for (const [k, theta] of points.entries()) {
    const rows = await new LossPoint(loss, theta).jacobianTransposed(unit, n)
    for (let i = 0; i < n; i++) design.data.set(rows.subarray(i * p, (i + 1) * p), i * columns + k * p)
  }
  return leastSquares(design, numbersOf(loss.dataset.targets)).residualNorm ** 2 / n
}

export const tangentClaims: readonly Claim[] = [equality, silentUnit]
