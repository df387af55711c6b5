import { edgeOfStabilityAlong } from '../../curvature/edge-of-stability.ts'
import { unitSphere } from '../../data/unit-sphere.ts'
import { mlp } from '../../model/mlp.ts'
import { gradientDescent } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, atMost } from '../claim.ts'
import { mean } from '../sample-statistics.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { trainingTopic as topic } from './source.ts'

const rates = [0.05, 0.1, 0.2] as const
const steps = 6000
const every = 300

interface StabilityPath {
  readonly steps: readonly number[]
  /** λ_max η/2. */
  readonly edges: readonly number[]
  readonly first: number
  readonly last: number
  /** Shares of the steps of the last half at which the loss rose. */
  readonly rises: number
}

function stabilityPath(context: ClaimContext, learningRate: number): Promise<StabilityPath> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const dataset = unitSphere({ samples: 50, dimension: 10, seed })
    const model = mlp({ widths: [10, 40, 40, 1], activation: 'tanh' })
    const loss = make(model, dataset, { name: 'mse', reduction: 'mean' })
    const run = await train({
      ...{ loss, optimizer: gradientDescent(), learningRate, steps, seed, checkpointEvery: every },
    })
    const points = await edgeOfStabilityAlong(
      loss,
      run.checkpoints.map(({ theta }) => theta),
      { learningRate, tolerance: 1e-3 },
    )
    const late = run.losses.subarray(run.losses.length >> 1)
    let rises = 0
    for (let i = 1; i < late.length; i++) if (late[i] > late[i - 1]) rises++
    return {
      steps: run.checkpoints.map(({ step }) => step),
      edges: points.map(({ edge }) => edge),
      first: run.history[0].loss,
      last: await loss.value(run.theta),
      rises: rises / late.length,
    }
  })
}

async function runStability(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, rates.length)
  const paths: StabilityPath[] = []
  for (const rate of rates) {
    paths.push(await stabilityPath(context, rate))
    part()
  }
  const late = paths.map(({ edges }) => mean(edges.slice(-10)))
  const measurements = [
    ...rates.map((rate, i) => ({ name: `λ_max η/2 at the start, η = ${rate}`, measured: paths[i].edges[0] })),
    ...rates.map((rate, i) => ({ name: `mean λ_max η/2 over the last third, η = ${rate}`, measured: late[i] })),
    ...rates.map((rate, i) => ({
      name: `loss at the start and at the end, η = ${rate}`,
      measured: `${paths[i].first.toPrecision(3)}, ${paths[i].last.toPrecision(3)}`,
    })),
    ...rates.map((rate, i) => ({
      name: `share of late steps at which the loss rises, η = ${rate}`,
      measured: paths[i].rises,
    })),
    atLeast('least of the late means', Math.min(...late), 0.8),
    atMost('largest of the late means', Math.max(...late), 1.2),
    atMost(
      'loss at the end over that at the start, worst',
      Math.max(...paths.map(({ first, last }) => last / first)),
      0.05,
    ),
    atMost('λ_max η/2 at the start, largest', Math.max(...paths.map(({ edges }) => edges[0])), 0.8),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `λ_max η/2 goes from ${paths.map(({ edges }) => edges[0].toFixed(2)).join(', ')} to ${late.map((e) => e.toFixed(2)).join(', ')} for η = ${rates.join(', ')}.`,
    measurements,
    figure: {
      title: 'λ_max against the edge of stability',
      xLabel: 'step of gradient descent',
      yLabel: 'λ_max η/2',
      series: rates.map((rate, i) => ({
        name: `η = ${rate}`,
        mark: 'line' as const,
        x: paths[i].steps,
        y: paths[i].edges,
      })),
      levels: [{ label: 'unstable above', value: 1 }],
    },
  }
}

export const stabilityClaims: readonly Claim[] = [
  {
    id: 'edge-of-stability',
    topic,
    statement:
      'Under gradient descent λ_max rises until it reaches 2/η and stays there while the loss goes on falling.',
    source: {
      text: 'Cohen et al. 2021',
      place: 'progressive sharpening and the edge of stability',
      reference: 'arXiv:2103.00065',
    },
    experiment: `Tanh network 10-40-40-1 on 50 points of the sphere with random labels ±1 (mean squared error), full-batch gradient descent for ${steps} steps at η = ${rates.join(', ')}; λ_max every ${every} steps.`,
    expected: 'holds',
    remark:
      'For full batches, squared errors and data hard enough that λ_max would exceed 2/η; on easy data (a smooth teacher) it stays below.',
    estimateSeconds: 2.5,
    run: runStability,
  },
]
