import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { mlp } from '../../model/mlp.ts'
import { randomStream } from '../../random/random-stream.ts'
import { randomWalkShares, trajectoryPlane } from '../../surface/trajectory-plane.ts'
import { adam } from '../../train/adam.ts'
import type { Optimizer } from '../../train/optimizer.ts'
import { sgd } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { mean } from '../sample-statistics.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { li, surfacesTopic as topic } from './source.ts'

const walkPoints = 201
const walkDimension = 3000
const walks = 4

/** Mean shares of the first four components over some random walks. */
function walkShares(seed: number, part: () => void): number[] {
  const shares = Array.from({ length: walks }, (_, i) => {
    const stream = randomStream(seed, 'random walk', i)
    const points = [new Float64Array(walkDimension)]
    for (let k = 1; k < walkPoints; k++) {
      const before = points[k - 1]
      points.push(stream.normals(walkDimension).map((z, j) => before[j] + z))
    }
    part()
    return trajectoryPlane([points]).explained
  })
  return [0, 1, 2, 3].map((k) => mean(shares.map((share) => share[k])))
}

async function runRandomWalk(context: ClaimContext): Promise<ClaimFinding> {
  const measured = walkShares(context.seed, partCounter(context, walks))
  const limit = [1, 2, 3, 4].map((k) => 6 / (Math.PI * k) ** 2)
  const finite = randomWalkShares(walkPoints, 4)
  const measurements = [
    ...measured.map((share, k) => near(`share of component ${k + 1}`, share, limit[k], k === 0 ? 0.03 : 0.02)),
    near('share of the first two', measured[0] + measured[1], 0.76, 0.03),
    atMost(
      'largest difference from the formula for 201 points',
      Math.max(...measured.map((s, k) => Math.abs(s - finite[k]))),
      0.03,
    ),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Random walks of ${walkPoints} points in ${walkDimension} dimensions have shares ${measured.map((s) => s.toFixed(4)).join(', ')}; 6/(π²k²) is ${limit.map((s) => s.toFixed(4)).join(', ')}.`,
    measurements,
    figure: {
      title: 'Shares of the variance of a random walk',
      xLabel: 'component',
      yLabel: 'share of the variance',
      yScale: 'log',
      series: [
        { name: 'measured', mark: 'points', x: [1, 2, 3, 4], y: measured },
        { name: '6/(π²k²)', mark: 'line', x: [1, 2, 3, 4], y: limit },
      ],
    },
  }
}

interface TrajectoryPlan {
  readonly name: string
  readonly optimizer: Optimizer
  readonly learningRate: number
  readonly steps: number
}

const trajectoryPlans: readonly TrajectoryPlan[] = [
  { name: 'SGD', optimizer: sgd(), learningRate: 0.1, steps: 2000 },
  { name: 'SGD with momentum', optimizer: sgd({ momentum: 0.9 }), learningRate: 0.05, steps: 2000 },
  { name: 'Adam', optimizer: adam(), learningRate: 0.003, steps: 2000 },
]

function trainedShares(context: ClaimContext, plan: TrajectoryPlan): Promise<{ whole: number[]; later: number[] }> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const dataset = gaussianMixture({ samples: 600, classes: 5, dimension: 10, separation: 2.5, seed })
    const model = mlp({ widths: [10, 40, 40, 5], activation: 'relu' })
    const loss = make(model, dataset, { name: 'cross-entropy', reduction: 'mean' })
    const { checkpoints } = await train({ loss, ...plan, batchSize: 32, seed, checkpointEvery: 20 })
    const points = checkpoints.map(({ theta }) => theta)
    const shares = (part: readonly Float64Array[]): number[] => [...trajectoryPlane([part]).explained.slice(0, 4)]
    return { whole: shares(points), later: shares(points.slice(points.length >> 1)) }
  })
}

async function runTrajectories(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, trajectoryPlans.length + walks)
  const walk = walkShares(context.seed, part)
  const shares: number[][] = []
  const later: number[][] = []
  for (const plan of trajectoryPlans) {
    const found = await trainedShares(context, plan)
    shares.push(found.whole)
    later.push(found.later)
    part()
  }
  const two = shares.map((each) => each[0] + each[1])
  const null2 = walk[0] + walk[1]
  const measurements: ClaimMeasurement[] = [
    ...trajectoryPlans.map(({ name }, i) => ({
      ...atLeast(`share of the first two components, ${name}`, two[i], 0.4, '40 to 90 %'),
    })),
    atLeast('the same for a random walk', null2, 0.7),
    ...trajectoryPlans.map(({ name }, i) => ({
      name: `share of two in the second half of training, ${name}`,
      measured: later[i][0] + later[i][1],
    })),
    ...trajectoryPlans.map(({ name }, i) => ({
      name: `shares of four components, ${name}`,
      measured: shares[i].map((s) => s.toFixed(3)).join(', '),
    })),
  ]
  const beyond = two.every((share) => share > null2 + 0.05)
  const met = allMet(measurements)
  return {
    outcome: !met ? 'false' : beyond ? 'holds-with-conditions' : 'vacuous',
    summary: `Two components hold ${two.map((s) => `${(100 * s).toFixed(0)} %`).join(', ')} of the variance of trajectories, and ${(100 * null2).toFixed(0)} % of that of a random walk, which has no low dimension.`,
    measurements,
    figure: {
      title: 'Shares of the variance, trajectories and random walk',
      xLabel: 'component',
      yLabel: 'share of the variance',
      yScale: 'log',
      series: [
        ...trajectoryPlans.map(({ name }, i) => ({ name, mark: 'line' as const, x: [1, 2, 3, 4], y: shares[i] })),
        { name: 'random walk', mark: 'line', x: [1, 2, 3, 4], y: walk },
      ],
    },
  }
}

export const trajectoryClaims: readonly Claim[] = [
  {
    id: 'V-3',
    topic,
    statement: 'Principal components of a random walk in high dimension hold the shares 6/(π²k²) of its variance.',
    source: { text: 'Antognini & Sohl-Dickstein 2018', reference: 'arXiv:1806.08805' },
    experiment: `${walks} Gaussian random walks of ${walkPoints} points in ${walkDimension} dimensions.`,
    expected: 'holds',
    estimateSeconds: 3,
    run: runRandomWalk,
  },
  {
    id: 'low-dimensional-trajectories',
    topic,
    statement:
      'Two principal components hold 40 to 90 % of the variance of a training trajectory: it is confined to a very low-dimensional space.',
    source: li('trajectories in principal components'),
    experiment:
      'ReLU network 10-40-40-5 on 600 samples, 2000 steps of 32 by SGD, SGD with momentum and Adam; principal components of 101 points each, beside random walks.',
    expected: 'holds-with-conditions',
    remark:
      'The stated 40 to 90 % alone say nothing: a random walk, which fills all dimensions, has 76 % in two components. Only what exceeds that counts; here 95 % or more do, most of it in one component, a steady growth of the weights.',
    estimateSeconds: 5,
    run: runTrajectories,
  },
]
