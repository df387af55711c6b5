import { numbersOf } from '@thalweg/graph'
import { twoSpirals } from '../../data/index.ts'
import { denseOf, symmetricEigenvalues } from '../../linalg/index.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/index.ts'
import { mlp } from '../../model/index.ts'
import { compareEscapes, eliminate, quasiNewton } from '../../theory/elimination/index.ts'
import type { EscapeComparison, EscapeRow, EscapeWay } from '../../theory/elimination/index.ts'
import { deadReluStart, rowsDataset, sineLoss, squared, xorRows } from '../../theory/elimination/toy-problems.ts'
import { allMet, atLeast, atMost } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { withLosses } from '../with-losses.ts'
import type { LossMaker } from '../with-losses.ts'
import { topic } from './source.ts'

const practice: Claim = {
  id: 'elimination-in-practice',
  topic,
  statement: 'Where training is stuck in a bad local minimum, the added neurons get it out.',
  source: {
    text: 'popular accounts; Kawaguchi and Kaelbling 2020 warn of it themselves',
    place: 'the failure mode',
    reference: 'arXiv:1901.00279',
  },
  experiment:
    'Four points verified to be local minima (gradient, all Hessian eigenvalues) above the best known value: ReLU network 2-8-1 with dead units and ReLU network 2-2-1 on XOR, tanh network 2-3-1 on 24 points of two half-turn spirals, sin(θx). From each: L-BFGS again, restarts, perturbed gradient descent, a network twice as wide, elimination followed by L-BFGS.',
  expected: 'false',
  remark:
    'Restarts and wider networks get out at a fraction of the cost. Elimination certifies optimality where it is reached; it is no method of search.',
  estimateSeconds: 15,
  run: practiceFinding,
}

interface Stuck {
  readonly name: string
  readonly loss: Loss
  readonly theta: Float64Array
}

async function practiceFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress, throwIfStopped } = context
  return withLosses(context, async (make) => {
    const cases = await stuckPoints(make, context)
    const tables: EscapeComparison[] = []
    const measurements: ClaimMeasurement[] = []
    for (const { name, loss, theta } of cases) {
      throwIfStopped()
      const { gradientNorm, least } = await verified(loss, theta)
      measurements.push(
        atMost(`${name}: ‖∇L‖ at the stuck point`, gradientNorm, 1e-7),
        atLeast(`${name}: smallest Hessian eigenvalue there`, least, -1e-7),
      )
      const options = { attempts: 6, maxSteps: 1000, descentSteps: 600, seed: seed + 1 }
      const elimination = { method: 'quasi-newton' as const, maxSteps: 600 }
      tables.push(await compareEscapes(loss, theta, { ...options, elimination }))
      progress(tables.length, cases.length)
    }
    const row = (table: EscapeComparison, way: EscapeWay): EscapeRow | undefined =>
      table.rows.find((r) => r.way === way)
    cases.forEach(({ name }, i) => {
      for (const { way, escaped, attempts, best, gradients } of tables[i].rows)
        measurements.push({
          name: `${name}: ${way}`,
          measured: `${escaped} of ${attempts} out, best ${best.toPrecision(3)}, ${gradients} gradients`,
        })
    })
    // A refutation by failures needs to know that the method as run here can succeed.
    const control = await eliminate(cases[3].loss, Float64Array.of(1.4), { method: 'quasi-newton', maxSteps: 600 })
    const escapes = (way: EscapeWay): number => tables.filter((t) => (row(t, way)?.escaped ?? 0) > 0).length
    measurements.push(
      atMost('control, sin(θx) from θ = 1.4: loss after elimination', control.lossAfter, 1e-8),
      atMost('cases that elimination gets out of', escapes('elimination'), cases.length - 1),
      atLeast('cases that restarts get out of', escapes('restarts'), 3),
    )
    return {
      outcome: allMet(measurements) ? 'false' : 'not-decided',
      summary: `Of ${cases.length} bad local minima elimination leaves ${escapes('elimination')}, restarts ${escapes('restarts')}, wider networks ${escapes('wider')}, perturbed gradient descent ${escapes('perturbed-gradient-descent')}.`,
      measurements,
      figure: {
        title: 'Share of the gap that is left, best attempt',
        xLabel: cases.map(({ name }) => name).join(', '),
        yLabel: '(best − target) / (stuck − target)',
        series: (['again', 'restarts', 'perturbed-gradient-descent', 'wider', 'elimination'] as const).map((way) => ({
          name: way,
          mark: 'points' as const,
          x: tables.map((_, i) => i + 1),
          y: tables.map((t) => ((row(t, way)?.best ?? Number.NaN) - t.target) / (t.stuckLoss - t.target)),
        })),
      },
    }
  })
}

async function verified(loss: Loss, theta: Float64Array): Promise<{ gradientNorm: number; least: number }> {
  const { gradient } = await loss.valueAndGradient(theta)
  const { matrix } = await denseOf(new LossPoint(loss, theta).operator('hessian'))
  return { gradientNorm: Math.hypot(...gradient), least: symmetricEigenvalues(matrix)[0] }
}

async function stuckPoints(make: LossMaker, { engine, seed }: ClaimContext): Promise<Stuck[]> {
  const xor = rowsDataset(
    xorRows.map(([x]) => x),
    xorRows.map(([, y]) => [y]),
  )
  const dead = make(mlp({ widths: [2, 8, 1], activation: 'relu' }), xor, squared)
  const narrow = make(mlp({ widths: [2, 2, 1], activation: 'relu' }), xor, squared)
  const sine = sineLoss(engine)
  const spirals = twoSpirals({ samples: 24, turns: 0.5 })
  const labels = numbersOf(spirals.targets)
  const points = numbersOf(Object.values(spirals.inputs)[0])
  const rows = Array.from(labels, (_, i) => Array.from(points.subarray(2 * i, 2 * i + 2)))
  const curve = make(
    mlp({ widths: [2, 3, 1], activation: 'tanh' }),
    rowsDataset(
      rows,
      Array.from(labels, (v) => [v]),
    ),
    squared,
  )
  return [
    { name: 'dead ReLU units', loss: dead, theta: deadReluStart(dead.model) },
    { name: 'ReLU 2-2-1 on XOR', loss: narrow, theta: await worstMinimum(narrow, seed) },
    { name: 'tanh 2-3-1 on spirals', loss: curve, theta: await worstMinimum(curve, seed) },
    { name: 'sin(θx)', loss: sine, theta: await worstMinimum(sine, seed, [Float64Array.of(5.4)]) },
  ]
}

/** The highest end of training that is a local minimum by gradient and spectrum, of 20 starts. */
async function worstMinimum(loss: Loss, seed: number, starts?: readonly Float64Array[]): Promise<Float64Array> {
  const from = starts ?? Array.from({ length: 20 }, (_, i) => loss.model.initialize(seed + i))
  let [worst, highest]: [Float64Array | null, number] = [null, Number.NEGATIVE_INFINITY]
  for (const start of from) {
    const end = await quasiNewton((t) => loss.valueAndGradient(t), start, { maxSteps: 1500, gradientTolerance: 1e-9 })
    if (end.value <= highest || Math.hypot(...end.gradient) > 1e-8) continue
    if ((await verified(loss, end.x)).least < -1e-9) continue
    ;[worst, highest] = [end.x, end.value]
  }
  return worst ?? from[0]
}

export const caseClaims: readonly Claim[] = [practice]
