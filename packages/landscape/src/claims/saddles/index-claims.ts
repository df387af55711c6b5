import { judgeCritical } from '../../critical/verdict/diagnose.ts'
import { finders } from '../../critical/finders/finders.ts'
import { hessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import { noisyStarts } from '../../critical/finders/noisy-starts.ts'
import { objectiveOf } from '../../critical/finders/objective.ts'
import type { SearchResult } from '../../critical/finders/search.ts'
import { searchTogether } from '../../critical/finders/search-together.ts'
import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { identity, matrixFromRows, transpose } from '../../linalg/matrix.ts'
import { linearNetwork, mlp } from '../../model/mlp.ts'
import { randomStream } from '../../random/random-stream.ts'
import { enumerateCriticalClasses, zeroBlockInertia } from '../../theory/linear/critical-classes.ts'
import { representatives } from '../../theory/linear/critical-point.ts'
import { linearProblem } from '../../theory/linear/linear-problem.ts'
import { flattenWeights } from '../../theory/linear/linear-weights.ts'
import { randomMember } from '../../theory/linear/random-members.ts'
import { adam } from '../../train/adam.ts'
import { train } from '../../train/train.ts'
import type { Loss } from '../../loss/loss.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { allMet, atLeast, near } from '../claim.ts'
import { mean, rankCorrelation } from '../sample-statistics.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { rowsDataset } from './rows-dataset.ts'
import { dauphin, saddlesTopic as topic } from './source.ts'

const starts = 128
const runs = 8
const ridge = 1e-2

/** Points of several training runs. */
async function trajectories(loss: Loss, seed: number): Promise<Float64Array[]> {
  const points: Float64Array[] = []
  for (let run = 0; run < runs; run++) {
    const { checkpoints } = await train({
      loss,
      optimizer: adam(),
      learningRate: 0.02,
      steps: 300,
      theta: loss.model.initialize(100 * seed + run),
      checkpointEvery: 30,
    })
    points.push(...checkpoints.map(({ theta }) => theta))
  }
  return points
}

interface CriticalCloud {
  readonly losses: readonly number[]
  /** Negative eigenvalues over p, per cut. */
  readonly indices: readonly (readonly number[])[]
  readonly searched: number
}

const cuts = [1e-3, 1e-5, 1e-7] as const

/** One of those that agree in the loss: symmetric copies, or one point found again. */
function distinct(found: readonly SearchResult[]): SearchResult[] {
  const kept: SearchResult[] = []
  for (const each of found) if (!kept.some(({ value }) => Math.abs(value - each.value) < 1e-9)) kept.push(each)
  return kept
}

async function criticalCloud(loss: Loss, from: readonly Float64Array[]): Promise<CriticalCloud> {
  const found = await searchTogether(loss, from, finders.polish, { together: 64 })
  const critical = distinct(found.filter(({ status }) => status === 'converged'))
  const indices: number[][] = []
  for (const { theta } of critical) {
    const { values, size } = await hessianSpectrum(objectiveOf(loss).at(theta).hessian)
    indices.push(cuts.map((cut) => values.filter((value) => value < -cut * values[size - 1]).length / size))
  }
  return { losses: critical.map(({ value }) => value), indices, searched: found.length }
}

async function runIndexLoss(context: ClaimContext): Promise<ClaimFinding> {
  const { seed } = context
  const part = partCounter(context, 2)
  const cloud = await withLosses(context, async (make) => {
    const dataset = gaussianMixture({ samples: 60, classes: 3, dimension: 4, separation: 1.5, seed })
    const model = mlp({ widths: [4, 5, 3], activation: 'tanh' })
    const loss = make(model, dataset, { name: 'cross-entropy', reduction: 'mean' }, { weightDecay: ridge })
    const path = await trajectories(loss, seed)
    part()
    return criticalCloud(loss, noisyStarts(path, { noise: [0.1, 0.3], count: starts, seed }))
  })
  part()
  const index = cloud.indices.map((each) => each[1])
  const order = [...cloud.losses.keys()].sort((i, j) => cloud.losses[i] - cloud.losses[j])
  const quarter = (k: number): number =>
    mean(order.slice(Math.floor((k * order.length) / 4), Math.floor(((k + 1) * order.length) / 4)).map((i) => index[i]))
  const quarters = [0, 1, 2, 3].map(quarter)
  const measurements: ClaimMeasurement[] = [
    {
      ...atLeast('rank correlation of loss and index', rankCorrelation(cloud.losses, index), 0.5),
      literature: 'reference run: 0.62',
    },
    atLeast('mean index, upper quarter of the losses minus lowest', quarters[3] - quarters[0], 0.04),
    {
      name: 'mean index per quarter of the losses',
      measured: quarters.map((q) => q.toFixed(3)).join(', '),
      literature: 'reference run: 0.006, 0.013, 0.016, 0.075',
    },
    atLeast('different critical points found', cloud.losses.length, 18),
    { name: 'searches', measured: cloud.searched },
    ...cuts.map((cut, c) => ({
      name: `rank correlation with the cut at ${cut} λ_max`,
      measured: rankCorrelation(
        cloud.losses,
        cloud.indices.map((each) => each[c]),
      ),
    })),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Over ${cloud.losses.length} critical points of a 4-5-3 network the rank correlation of loss and index is ${Number(measurements[0].measured).toFixed(2)}; the mean index rises from ${quarters[0].toFixed(3)} in the lowest quarter of the losses to ${quarters[3].toFixed(3)} in the highest.`,
    measurements,
    figure: {
      title: 'Index against loss of critical points, tanh network 4-5-3',
      xLabel: 'loss',
      yLabel: 'share of negative eigenvalues',
      series: [{ name: 'critical points', mark: 'points', x: cloud.losses, y: index }],
    },
  }
}

const workedX = identity(2)
const workedY = matrixFromRows([
  [2, 1],
  [1, 1],
])

interface InertiaCheck {
  readonly loss: number
  readonly negative: number
  readonly expected: number
}

/** Index of random members of every class by the network’s own Hessian, beside the closed form. */
function twoLayerChecks(context: ClaimContext, hidden: number, part: () => void): Promise<InertiaCheck[]> {
  return withLosses(context, async (make) => {
    const problem = linearProblem(workedX, workedY, [2, hidden, 2])
    const loss = make(linearNetwork([2, hidden, 2]), rowsDataset('worked example', workedX, transpose(workedY)), {
      name: 'half-sum-squares',
      reduction: 'sum',
    })
    const checks: InertiaCheck[] = []
    const stream = randomStream(context.seed, 'members', hidden)
    for (const { subset, loss: value } of enumerateCriticalClasses(problem).classes)
      for (let i = 0; i < 6; i++) {
        const theta = flattenWeights(randomMember(problem, subset, stream).weights)
        const { inertia } = await judgeCritical(loss, theta)
        checks.push({ loss: value, negative: inertia.negative, expected: zeroBlockInertia(problem, subset).negative })
      }
    part()
    return checks
  })
}

async function runLinearIndex(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 4)
  const groups = [1, 2, 3].map((hidden) => () => twoLayerChecks(context, hidden, part))
  const checks: InertiaCheck[][] = []
  for (const group of groups) checks.push(await group())
  const deep = await withLosses(context, async (make) => {
    const problem = linearProblem(workedX, workedY, [2, 2, 2, 2])
    const loss = make(linearNetwork([2, 2, 2, 2]), rowsDataset('worked example', workedX, transpose(workedY)), {
      name: 'half-sum-squares',
      reduction: 'sum',
    })
    const points = representatives(problem, [])
    return Promise.all(
      points.map(async ({ weights }) => (await judgeCritical(loss, flattenWeights(weights))).inertia.negative),
    )
  })
  part()
  const all = checks.flat()
  const wrong = all.filter(({ negative, expected }) => negative !== expected).length
  const measurements = [
    near('points of two-layer networks whose index is not that of their class', wrong, 0, 0),
    near('index of W = 0 in the network 2-2-2-2', deep[0], 0, 0),
    near('index of the point with Z₂ = I and the same loss', deep[1], 4, 0),
    { name: 'two-layer points checked', measured: all.length },
  ]
  return {
    outcome: allMet(measurements) ? 'holds-with-conditions' : 'false',
    summary: `With two weight matrices the index is a function of the loss class in all ${all.length} points; with three, two points of one loss (3.5) have indices ${deep[0]} and ${deep[1]}.`,
    measurements,
    figure: {
      title: 'Index against loss, linear networks 2-h-2',
      xLabel: 'loss',
      yLabel: 'negative eigenvalues',
      series: [1, 2, 3].map((hidden, i) => ({
        name: `h = ${hidden}`,
        mark: 'points' as const,
        x: checks[i].map(({ loss }) => loss),
        y: checks[i].map(({ negative }) => negative),
      })),
    },
  }
}

export const indexClaims: readonly Claim[] = [
  {
    id: 'D-2',
    topic,
    statement: 'The index of a critical point grows with its loss.',
    source: dauphin('Figure 1'),
    experiment: `Trust-region Newton for ∇L = 0 from ${starts} noisy points of ${runs} training runs of a tanh network 4-5-3 on 60 points of three overlapping classes (cross-entropy, weight decay 0.01); exact Hessians at the critical points.`,
    expected: 'holds',
    remark:
      'The source samples MNIST and CIFAR-10 at 10×10 pixels along saddle-free Newton runs. With weight decay 1e−3, as in the reference run, most searches end at gradient-flat points instead; hence 1e−2. Points of equal loss count once; negative means below −1e−5 λ_max.',
    estimateSeconds: 9,
    run: runIndexLoss,
  },
  {
    id: 'D-3',
    topic,
    statement: 'The loss of a critical point determines its index.',
    source: {
      text: 'Dauphin et al. 2014; Achour, Malgouyres & Gerchinovitz 2024',
      place: 'index against error; classification of critical points',
      reference: 'arXiv:2107.13289',
    },
    experiment:
      'Random members of every critical class of the linear networks 2-h-2, h = 1, 2, 3 (X = I, Y = [[2, 1], [1, 1]]), and two points of one class of 2-2-2-2: inertia of the exact Hessian.',
    expected: 'holds-with-conditions',
    remark: 'True for linear networks with two weight matrices; with more, one loss has points of different index.',
    estimateSeconds: 0.7,
    run: runLinearIndex,
  },
]
