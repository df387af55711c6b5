import { mlp } from '../../model/index.ts'
import type { LossSpec } from '../../loss/index.ts'
import { randomStream } from '../../random/index.ts'
import {
  ModifiedLoss,
  certify,
  eliminate,
  eliminateByScaling,
  neuronsOfVariant,
  scaledLossVariant,
} from '../../theory/elimination/index.ts'
import type { Elimination, VariantName } from '../../theory/elimination/index.ts'
import { sineLoss } from '../../theory/elimination/toy-problems.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { withLosses } from '../with-losses.ts'
import { labeledDataset, normalRows, topic } from './source.ts'

interface LiangCase {
  readonly id: string
  readonly variant: VariantName
  readonly what: string
  readonly place: string
  readonly remark: string
  readonly seconds: number
}

const liangCases: readonly LiangCase[] = [
  {
    id: 'Liang-exponential',
    variant: 'liang',
    what: 'one exponential neuron with the penalty (λ/2)a²',
    place: 'the theorem on one exponential neuron',
    remark:
      'The loss must have its minimizers at finite margins (polynomial hinge, p ≥ 3); the logistic loss is excluded.',
    seconds: 5,
  },
  {
    id: 'Liang-monomial',
    variant: 'monomial',
    what: 'one monomial neuron a(wᵀx + b)^n of degree n = number of samples',
    place: 'the theorem on monomial neurons',
    remark: 'Polynomials of degree n separate n distinct inputs, which is all the proof needs of the exponential.',
    seconds: 6,
  },
  {
    id: 'Liang-per-layer',
    variant: 'per-layer',
    what: 'one exponential neuron in every layer, without a connection past the layers, and the penalty λ Σ a^{2L}',
    place: 'the theorem on neurons in every layer',
    remark: 'The wiring between the neurons is our reading of the source; the penalty a^{2L} lets them fade slowly.',
    seconds: 11,
  },
]

function liangClaim(which: LiangCase): Claim {
  const { id, what, place, remark, seconds } = which
  return {
    id,
    topic,
    statement: `For binary labels that the network can separate and a loss whose critical points are its minima, ${what} makes every local minimum global, with all samples classified.`,
    source: { text: 'Liang, Sun, Lee, Srikant 2018', place, reference: 'arXiv:1805.08671' },
    experiment:
      'tanh network 2-10-1, five labeled samples, Σ max(0, 1 − yf)³: trainings from random weights until one reaches zero loss, at most six; 30 random points with a = 0 that are not minima and 30 with a ≠ 0, a lower point sought for each.',
    expected: 'holds',
    remark,
    estimateSeconds: seconds,
    run: (context) => liangFinding(which, context),
  }
}

const startsMax = 6
const solvedLoss = 1e-4

function isSolved({ lossAfter }: Elimination): boolean {
  return lossAfter <= solvedLoss
}

async function liangFinding(which: LiangCase, context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress, throwIfStopped } = context
  const { variant } = which
  const spec: LossSpec = { name: 'hinge', reduction: 'sum', power: 3 }
  return withLosses(context, async (make) => {
    const model = mlp({ widths: [2, 10, 1], activation: 'tanh', initialization: 'glorot-normal' })
    const loss = make(model, labeledDataset(normalRows(seed + 4, 5, 2), [0, 1, 1, 0, 1], 2), spec)
    const neurons = neuronsOfVariant(variant, loss)
    const runs: Elimination[] = []
    for (let i = 0; i < startsMax && !runs.some(isSolved); i++) {
      throwIfStopped()
      runs.push(await eliminate(loss, model.initialize(seed + 1 + i), { neurons, timeEnd: 1e4, tolerance: 1e-6, seed }))
      progress(i + 1, startsMax + 2)
    }
    const modified = new ModifiedLoss(loss, { lambda: 0.3, neurons })
    const decreases: number[] = []
    for (let i = 0; i < 60; i++) {
      throwIfStopped()
      const z = randomStream(seed, 'points of variants', i)
        .normals(modified.size)
        .map((v) => 0.5 * v)
      if (i < 30) modified.part(z, 'a').fill(0)
      const { accepted, witness } = await certify(modified, z, { seed: i })
      decreases.push(accepted ? Number.NaN : (witness?.decrease ?? 0))
    }
    progress(startsMax + 1, startsMax + 2)
    const gauge = await symmetryError(modified, seed)
    progress(startsMax + 2, startsMax + 2)
    await modified.dispose()
    const unexplained = runs.filter((r) => !isSolved(r) && !((r.certificate?.witness?.decrease ?? 0) > 0)).length
    const rejected = decreases.filter((d) => !Number.isNaN(d))
    const measurements = [
      atMost('least loss at the end', Math.min(...runs.map((r) => r.lossAfter)), solvedLoss),
      near('ends that are neither optimal nor have a lower point', unexplained, 0, 0),
      atMost('error of the identity that forces a = 0', gauge, 1e-10),
      near('other points without a lower point', rejected.filter((d) => !(d > 0)).length, 0, 0),
      atLeast('points that were rejected', rejected.length, 50),
    ]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `Training number ${runs.length} reaches zero loss (all: ${runs.map((r) => r.lossAfter.toExponential(1)).join(', ')}); every other end, and all ${rejected.length} random points, have an explicit lower point.`,
      measurements,
      figure: {
        title: 'Loss while network and neurons are trained',
        xLabel: 'time',
        yLabel: 'L(θ)',
        xScale: 'log',
        yScale: 'log',
        series: runs.map((r, i) => ({
          name: `start ${i + 1}`,
          mark: 'line' as const,
          x: r.history.slice(1).map((p) => p.time),
          y: r.history.slice(1).map((p) => Math.max(1e-20, p.loss)),
        })),
      },
    }
  })
}

/** Along the symmetry of g the penalty alone changes: p a·∂a − (w·∂w + b·∂b) for monomials of degree p, a ∂a − ∂b for
 * exponentials, both equal to what the penalty gives. */
async function symmetryError(modified: ModifiedLoss, seed: number): Promise<number> {
  const { kind, degree, penalties } = modified.neurons
  let worst = 0
  for (let i = 0; i < 50; i++) {
    const z = randomStream(seed, 'symmetry of variants', i)
      .normals(modified.size)
      .map((v) => 0.5 * v)
    const { gradient } = await modified.valueAndGradient(z)
    const [a, da] = [modified.part(z, 'a'), modified.part(gradient, 'a')]
    const dot = (name: 'b' | 'w'): number =>
      modified.part(z, name).reduce((s, v, j) => s + v * modified.part(gradient, name)[j], 0)
    const db = modified.part(gradient, 'b').reduce((s, v) => s + v, 0)
    const along = a.reduce((s, v, j) => s + v * da[j], 0)
    const [{ coefficient, power }] = penalties
    const penalty = modified.lambda * coefficient * power * a.reduce((s, v) => s + v ** power, 0)
    const left = kind === 'monomial' ? degree * along - dot('w') - dot('b') : along - db
    const size = Math.max(1, degree * Math.abs(along), Math.abs(db), Math.abs(dot('w')))
    worst = Math.max(worst, Math.abs(left - (kind === 'monomial' ? degree : 1) * penalty) / size)
  }
  return worst
}

const scaled: Claim = {
  id: 'Sohl-Dickstein-Kawaguchi',
  topic,
  statement: 'Without any extra unit, L(θ)(1 + (a e^b − 1)²) + λa² has no local minimum but those with L(θ) = 0.',
  source: { text: 'Sohl-Dickstein and Kawaguchi 2019', reference: 'arXiv:1901.03909' },
  experiment:
    'sin(θx): 2L on the slice a = 0; min over a = L + Lλ/(λ + L e^{2b}) at b = 0 … 8; gradient flow from θ = 1.4 (basin of the global minimum) and θ = 5.4.',
  expected: 'holds',
  remark: 'From bad minima of L the flow runs to b = ∞ with a e^b → 1: the failure mode in its purest form.',
  estimateSeconds: 2,
  run: scaledFinding,
}

async function scaledFinding({ engine, progress }: ClaimContext): Promise<ClaimFinding> {
  const loss = sineLoss(engine)
  const lambda = 0.1
  const objective = scaledLossVariant(loss, lambda)
  const theta = 5.585724
  const base = await loss.value(Float64Array.of(theta))
  const slice = await objective.value(Float64Array.of(theta, 0, 1.7))
  const bs = Array.from({ length: 9 }, (_, b) => b)
  const [measured, predicted]: [number[], number[]] = [[], []]
  for (const b of bs) {
    const e = Math.exp(b)
    measured.push(await objective.value(Float64Array.of(theta, (base * e) / (base * e * e + lambda), b)))
    predicted.push(base + (base * lambda) / (lambda + base * e * e))
  }
  progress(1, 3)
  const good = await eliminateByScaling(loss, Float64Array.of(1.4))
  progress(2, 3)
  const bad = await eliminateByScaling(loss, Float64Array.of(5.4))
  progress(3, 3)
  await loss.dispose()
  const measurements = [
    near('value on the slice a = 0, over L(θ)', slice / base, 2, 1e-12),
    atMost(
      'largest error of L + Lλ/(λ + L e^{2b})',
      Math.max(...measured.map((v, i) => Math.abs(v - predicted[i]))),
      1e-12,
    ),
    atMost('from θ = 1.4: loss at the end', good.lossAfter, 1e-8),
    near('from θ = 5.4: where θ stays', bad.theta[0], 5.585724, 1e-4),
    near('from θ = 5.4: a e^b', bad.a * Math.exp(bad.b), 1, 0.05),
    atLeast('from θ = 5.4: b', bad.b, 1),
    near('from θ = 5.4: value minus L(θ)', bad.modifiedLoss - bad.lossAfter, 0, 0.01),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `From the good basin the loss reaches ${good.lossAfter.toExponential(1)}; from the bad one b grows to ${bad.b.toFixed(2)} with a e^b → 1 and nothing is gained.`,
    measurements,
    figure: {
      title: 'min over a, and the loss it tends to',
      xLabel: 'b',
      yLabel: 'min over a',
      series: [
        { name: 'measured', mark: 'points', x: bs, y: measured },
        { name: 'closed form', mark: 'line', x: bs, y: predicted },
      ],
      levels: [{ label: 'L(θ)', value: base }],
    },
  }
}

export const variantClaims: readonly Claim[] = [...liangCases.map(liangClaim), scaled]
