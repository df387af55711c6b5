import { add, cos, exp, mul, reduceSum, selectAt } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { denseFlatness } from '../../critical/finders/dense-newton.ts'
import { toleranceStudy } from '../../critical/finders/finder-study.ts'
import type { FinderName } from '../../critical/finders/finders.ts'
import { finders } from '../../critical/finders/finders.ts'
import { gradientNormMinimization } from '../../critical/finders/gradient-norm-minimization.ts'
import { hessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import { noisyStarts } from '../../critical/finders/noisy-starts.ts'
import { expressionObjective, objectiveOf } from '../../critical/finders/objective.ts'
import { searchTogether } from '../../critical/finders/search-together.ts'
import type { SearchResult } from '../../critical/finders/search.ts'
import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { diagonalMatrix } from '../../linalg/matrix.ts'
import type { Loss } from '../../loss/loss.ts'
import { linearNetwork, mlp } from '../../model/mlp.ts'
import { gradientDescent } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import type { LossMaker } from '../with-losses.ts'
import { rowsDataset } from './rows-dataset.ts'
import { frye, saddlesTopic as topic } from './source.ts'

/** Variances with different subset sums, so that the loss of a critical point names its subset. */
const variances = [8, 4, 2, 1, 0.5]
const total = variances.reduce((sum, v) => sum + v, 0)

/** The linear autoencoder 5-2-5 on five samples √λ_i e_i, half the sum of squares. */
function autoencoder(make: LossMaker): Loss {
  const rows = diagonalMatrix(Float64Array.from(variances, Math.sqrt))
  return make(linearNetwork([5, 2, 5]), rowsDataset('five variances', rows, rows), {
    name: 'half-sum-squares',
    reduction: 'sum',
  })
}

/** Value and index of every critical class: subsets of up to two variances. */
function autoencoderClasses(): { subset: readonly number[]; loss: number; negative: number }[] {
  const subsets: number[][] = [[]]
  for (let i = 0; i < 5; i++) {
    subsets.push([i])
    for (let j = i + 1; j < 5; j++) subsets.push([i, j])
  }
  return subsets.map((subset) => {
    const loss = (total - subset.reduce((sum, i) => sum + variances[i], 0)) / 2
    const inversions = subset.reduce((n, i) => n + i - subset.filter((j) => j < i).length, 0)
    return { subset, loss, negative: (2 - subset.length) * (5 - subset.length) + inversions }
  })
}

async function autoencoderStarts(loss: Loss, seed: number, count: number): Promise<Float64Array[]> {
  const points: Float64Array[] = []
  for (let run = 0; run < 4; run++) {
    const theta = loss.model.initialize(10 * seed + run).map((t) => 0.2 * t)
    const { checkpoints } = await train({
      ...{ loss, optimizer: gradientDescent(), learningRate: 0.02, steps: 400, theta, checkpointEvery: 25 },
    })
    points.push(...checkpoints.map((checkpoint) => checkpoint.theta))
  }
  return noisyStarts(points, { noise: [0.1, 0.5, 1], count, seed })
}

async function negativeCount(loss: Loss, theta: Float64Array): Promise<number> {
  const { values } = await hessianSpectrum(objectiveOf(loss).at(theta).hessian)
  return values.filter((value) => value < -1e-5 * values[values.length - 1]).length
}

interface FoundClass {
  readonly loss: number
  readonly error: number
  readonly negative: number
  readonly expected: number
  readonly gradientNorm: number
}

async function runAutoencoder(context: ClaimContext): Promise<ClaimFinding> {
  const count = 60
  const part = partCounter(context, 2)
  const classes = autoencoderClasses()
  const found: FoundClass[] = await withLosses(context, async (make) => {
    const loss = autoencoder(make)
    const from = await autoencoderStarts(loss, context.seed, count)
    const ends = await searchTogether(loss, from, finders['damped-newton'], { together: 64 })
    part()
    const good = ends.filter(({ status }) => status === 'converged')
    return Promise.all(
      good.map(async ({ value, theta, gradientNorm }) => {
        const nearest = classes.reduce((a, b) => (Math.abs(b.loss - value) < Math.abs(a.loss - value) ? b : a))
        const negative = await negativeCount(loss, theta)
        return {
          loss: value,
          error: Math.abs(nearest.loss - value),
          negative,
          expected: nearest.negative,
          gradientNorm,
        }
      }),
    )
  })
  part()
  const kinds = new Set(found.map(({ loss }) => loss.toFixed(6))).size
  const measurements = [
    atLeast('searches that converge, of 60', found.length, 54),
    atMost('largest ‖∇L‖²', Math.max(...found.map((f) => f.gradientNorm)) ** 2, 1e-20),
    atMost('largest |L − L_S|', Math.max(...found.map(({ error }) => error)), 1e-13),
    near('points with another index than their class', found.filter((f) => f.negative !== f.expected).length, 0, 0),
    atLeast('different classes found, of 16', kinds, 3),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `${found.length} of ${count} searches converge, in ${kinds} classes; the largest error of the loss is ${Math.max(...found.map(({ error }) => error)).toExponential(1)} and every index is that of the closed form.`,
    measurements,
    figure: {
      title: 'Critical points of the linear autoencoder 5-2-5',
      xLabel: 'loss',
      yLabel: 'negative eigenvalues',
      series: [
        { name: 'found', mark: 'points', x: found.map(({ loss }) => loss), y: found.map(({ negative }) => negative) },
        {
          name: 'closed form',
          mark: 'points',
          x: classes.map(({ loss }) => loss),
          y: classes.map(({ negative }) => negative),
        },
      ],
    },
  }
}

const tolerances = [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-14, 1e-20] as const

async function runTolerance(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 1)
  const { rows, limits } = await withLosses(context, async (make) => {
    const loss = autoencoder(make)
    return toleranceStudy(loss, await autoencoderStarts(loss, context.seed, 60), tolerances, 'damped-newton')
  })
  part()
  const last = rows[rows.length - 1]
  const measurements = [
    atLeast('largest loss error at ‖∇L‖² ≤ 1e−2', rows[0].lossErrorMax, 1e-5),
    atLeast('wrong indices at ‖∇L‖² ≤ 1e−2', rows[0].wrongIndex, 1),
    atMost('largest loss error at ‖∇L‖² ≤ 1e−10', rows[4].lossErrorMax, 1e-8),
    atMost('largest loss error at ‖∇L‖² ≤ 1e−20', last.lossErrorMax, 1e-13),
    near('wrong indices at ‖∇L‖² ≤ 1e−20', last.wrongIndex, 0, 0),
    ...rows.map(({ squaredTolerance, wrongIndex, reached }) => ({
      name: `wrong indices at ‖∇L‖² ≤ ${squaredTolerance.toExponential(0)}`,
      measured: `${wrongIndex} of ${reached}`,
    })),
  ]
  const floor = 1e-17
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Stopped at ‖∇L‖² ≤ 1e−2, ${rows[0].wrongIndex} of ${rows[0].reached} searches show a wrong index and losses are off by up to ${rows[0].lossErrorMax.toExponential(1)}; at 1e−20 none of ${limits.length}.`,
    measurements,
    figure: {
      title: 'What a loose gradient does to loss and index',
      xLabel: '‖∇L‖² at the end',
      yLabel: '|L − L_S|',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'largest', mark: 'line', x: [...tolerances], y: rows.map((r) => Math.max(floor, r.lossErrorMax)) },
        { name: 'median', mark: 'line', x: [...tolerances], y: rows.map((r) => Math.max(floor, r.lossErrorMedian)) },
      ],
    },
  }
}

const first = (theta: Expr): Expr => selectAt(theta, 0, 0)
const second = (theta: Expr): Expr => selectAt(theta, 0, 1)
const square = (x: Expr): Expr => mul(x, x)

/** Functions with a gradient-flat point at 0 that is no critical point, and one with a critical point there. */
const toys: readonly { name: string; flat: boolean; build: (theta: Expr) => Expr }[] = [
  {
    name: 'x + x³ + y²',
    flat: true,
    build: (t) => add(add(first(t), mul(first(t), square(first(t)))), square(second(t))),
  },
  {
    name: 'x + x³ − y²',
    flat: true,
    build: (t) => add(add(first(t), mul(first(t), square(first(t)))), mul(-1, square(second(t)))),
  },
  {
    name: 'x² + 3xy − cos y',
    flat: false,
    build: (t) => add(add(square(first(t)), mul(3, mul(first(t), second(t)))), mul(-1, cos(second(t)))),
  },
]

interface ToyEnd {
  readonly name: string
  readonly flat: boolean
  readonly atZero: number
  readonly end: SearchResult
}

async function toyEnds(context: ClaimContext, part: () => void): Promise<ToyEnd[]> {
  const ends: ToyEnd[] = []
  for (const { name, flat, build } of toys) {
    const objective = expressionObjective({ engine: context.engine, name, size: 2, build })
    try {
      const zero = new Float64Array(2)
      const spectrum = await hessianSpectrum(objective.at(zero).hessian)
      const { gradient } = await objective.valueAndGradient(zero)
      const atZero = denseFlatness(spectrum, gradient)
      const end = await gradientNormMinimization(objective, Float64Array.of(0.3, -0.2))
      ends.push({ name, flat, atZero, end })
    } finally {
      await objective.dispose()
    }
    part()
  }
  return ends
}

/** L = Σ exp(θ): no critical point, and Newton’s equation solvable everywhere, so r = 0 and never 1. */
async function runaway(context: ClaimContext): Promise<SearchResult> {
  const objective = expressionObjective({
    ...{ engine: context.engine, name: 'Σ exp θ', size: 2, build: (t) => reduceSum(exp(t)) },
  })
  try {
    return await finders['newton-mr'](objective, Float64Array.of(0.3, -0.2), { maxIterations: 20 })
  } finally {
    await objective.dispose()
  }
}

async function runToys(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, toys.length + 1)
  const ends = await toyEnds(context, part)
  const away = await runaway(context)
  part()
  const measurements = [
    ...ends.map(({ name, flat, atZero }) => near(`r at 0 of ${name}`, atZero, flat ? 1 : 0, 1e-12)),
    ...ends.map(({ name, flat, end }) => ({
      name: `gradient-norm minimization on ${name} ends`,
      measured: end.status,
      expected: flat ? 'gradient-flat' : 'converged',
      met: end.status === (flat ? 'gradient-flat' : 'converged'),
    })),
    near('‖∇L‖ where it ends on x + x³ + y²', ends[0].end.gradientNorm, 1, 1e-6),
    atMost('r where Newton-MR is stopped on eˣ + eʸ, which has no critical point', away.flatness, 0.01),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Minimizing ½‖∇L‖² on x + x³ ± y² ends at 0 with ‖∇L‖ = ${ends[0].end.gradientNorm.toFixed(6)} and r = ${ends[0].end.flatness.toFixed(3)}: a point that is stationary for ‖∇L‖² and not for L.`,
    measurements,
    figure: {
      title: '‖∇L‖ along gradient-norm minimization',
      xLabel: 'iteration',
      yLabel: '‖∇L‖',
      yScale: 'log',
      series: ends.map(({ name, end }) => ({
        name,
        mark: 'line' as const,
        x: end.history.map(({ iteration }) => iteration),
        y: end.history.map(({ gradientNorm }) => gradientNorm),
      })),
    },
  }
}

interface SearchPlan {
  readonly activation: 'tanh' | 'relu'
  /** Of the classes; at 0 they are one Gaussian, and labels are random. */
  readonly separation: number
  readonly method: FinderName
  readonly maxIterations: number
}

const plans: readonly SearchPlan[] = [
  { activation: 'tanh', separation: 0, method: 'trust-region-newton', maxIterations: 150 },
  { activation: 'tanh', separation: 1.5, method: 'trust-region-newton', maxIterations: 150 },
  { activation: 'relu', separation: 0, method: 'trust-region-newton', maxIterations: 150 },
  { activation: 'tanh', separation: 0, method: 'newton-mr', maxIterations: 100 },
]
const searches = 24

function endsOf(context: ClaimContext, plan: SearchPlan): Promise<SearchResult[]> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const { activation, separation, method, maxIterations } = plan
    const dataset = gaussianMixture({ samples: 60, classes: 3, dimension: 4, separation, seed })
    const model = mlp({ widths: [4, 5, 3], activation })
    const loss = make(model, dataset, { name: 'cross-entropy', reduction: 'mean' }, { weightDecay: 1e-3 })
    const base = Array.from({ length: searches }, (_, i) => model.initialize(100 * seed + i))
    const from = noisyStarts(base, { noise: [0.1, 0.5, 1], count: searches, seed })
    return searchTogether(loss, from, (objective, start) => finders[method](objective, start, { maxIterations }), {
      together: searches,
    })
  })
}

const isFlat = ({ status, flatness }: SearchResult): boolean => status !== 'converged' && flatness > 0.9
const isMissed = ({ status }: SearchResult): boolean => status !== 'converged'

async function runFlatEnds(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, plans.length)
  const ends: SearchResult[][] = []
  for (const plan of plans) {
    ends.push(await endsOf(context, plan))
    part()
  }
  const smooth = [...ends[0], ...ends[1]]
  const share = (group: readonly SearchResult[], of: (end: SearchResult) => boolean): number =>
    group.filter(of).length / group.length
  const measurements = [
    atLeast('tanh: share of the searches that end away from a critical point', share(smooth, isMissed), 0.1),
    atLeast('tanh: share of those that are gradient-flat', share(smooth.filter(isMissed), isFlat), 0.3),
    atLeast('ReLU: share of the searches that end away from a critical point', share(ends[2], isMissed), 0.05),
    atMost('ReLU: share of those that are gradient-flat', share(ends[2].filter(isMissed), isFlat), 0.2),
    ...plans.map(({ activation, separation, method }, i) => ({
      name: `${activation}, ${method}, separation ${separation}: converged, gradient-flat, of ${searches}`,
      measured: `${ends[i].filter((end) => !isMissed(end)).length}, ${ends[i].filter(isFlat).length}`,
    })),
  ]
  const bins = Array.from({ length: 10 }, (_, b) => b / 10)
  const histogram = (group: readonly SearchResult[]): number[] =>
    bins.map((low, b) => group.filter(({ flatness: r }) => r >= low && (r < low + 0.1 || b === 9)).length)
  return {
    outcome: allMet(measurements) ? 'holds-with-conditions' : 'false',
    summary: `On tanh networks ${smooth.filter(isFlat).length} of ${smooth.length} searches end at gradient-flat points and ${smooth.filter((end) => !isMissed(end)).length} at critical ones; on ReLU networks those that fail (${ends[2].filter(isMissed).length} of ${searches}) stall at kinks with r ≈ 0.`,
    measurements,
    figure: {
      title: 'r where searches end away from critical points',
      xLabel: 'r = ‖Hp + g‖ / (‖H‖‖p‖ + ‖g‖)',
      yLabel: 'searches',
      series: plans.map(({ activation, separation, method }, i) => ({
        name: `${activation}, ${method}, separation ${separation}`,
        mark: 'bars' as const,
        x: bins.map((b) => b + 0.05),
        y: histogram(ends[i].filter(isMissed)),
      })),
    },
  }
}

export const finderClaims: readonly Claim[] = [
  {
    id: 'N-1',
    topic,
    statement:
      'Where critical points are known, on linear autoencoders, second-order finders find them with the right loss and index.',
    source: frye('linear autoencoder'),
    experiment:
      'Linear autoencoder 5-2-5 with variances 8, 4, 2, 1, ½: damped Newton from 60 noisy points of four descents; loss and index of every end beside the closed form.',
    expected: 'holds',
    remark: 'The source uses 16 inputs and 4 units. Smaller here, so that every class has a loss of its own.',
    estimateSeconds: 1.3,
    run: runAutoencoder,
  },
  {
    id: 'N-2',
    topic,
    statement: 'Loss and index of a “critical point” are wrong unless the squared gradient is driven very low.',
    source: { text: 'Frye et al. 2019', reference: 'arXiv:1901.10603' },
    experiment: 'The searches of N-1 stopped at ‖∇L‖² = 1e−2 … 1e−20, compared with where each goes on to.',
    expected: 'holds',
    estimateSeconds: 6,
    run: runTolerance,
  },
  {
    id: 'N-3',
    topic,
    statement:
      'Finders that minimize ‖∇L‖² end at gradient-flat points, where ∇L ≠ 0 lies in the kernel of the Hessian.',
    source: frye('definition of gradient-flat points'),
    experiment:
      'x + x³ ± y², gradient-flat at 0; x² + 3xy − cos y, critical there; eˣ + eʸ, without either: r at 0 and where gradient-norm minimization from (0.3, −0.2) ends.',
    expected: 'holds',
    estimateSeconds: 0.2,
    run: runToys,
  },
  {
    id: 'N-4',
    topic,
    statement: 'On non-linear networks searches for critical points often end at gradient-flat points instead.',
    source: frye('results on non-linear networks'),
    experiment:
      'Tanh and ReLU networks 4-5-3 on 60 points with random labels, and tanh on three overlapping classes (cross-entropy, weight decay 1e−3): trust-region Newton (150 steps) and Newton-MR (100 steps) for ∇L = 0 from 24 noisy starts each; r at the ends.',
    expected: 'holds-with-conditions',
    remark:
      'True for smooth networks and methods that go on to the end. ReLU searches that fail end at kinks, not at flat gradients; Newton-MR stopped by its budget is still moving at r ≈ 0. r > 0.9 counts as gradient-flat.',
    estimateSeconds: 10,
    run: runFlatEnds,
  },
]
