import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { mlp } from '../../model/mlp.ts'
import { curvatureGrid, nonConvexShare } from '../../surface/curvature-grid.ts'
import { randomDirection } from '../../surface/direction.ts'
import { adam } from '../../train/adam.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, atMost } from '../claim.ts'
import { mean, median } from '../sample-statistics.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { li, surfacesTopic as topic } from './source.ts'

const depths = [2, 8, 14] as const
const networks = 4
const width = 12

interface Roughness {
  /** Share of the plane where negative curvature exceeds a tenth of the positive. */
  readonly share: number
  /** Median of max(0, −λ_min)/|λ_max| on the plane. */
  readonly ratio: number
  readonly loss: number
}

/** One trained network and a 5 × 5 filter-normalized plane of half the weights’ size around it. */
function roughness(context: ClaimContext, depth: number, skip: boolean, seed: number): Promise<Roughness> {
  return withLosses(context, async (make) => {
    const dataset = gaussianMixture({ samples: 120, classes: 3, dimension: width, separation: 3, seed })
    const widths = [width, ...new Array<number>(depth).fill(width), 3]
    const model = mlp({ widths, activation: 'relu', skip })
    const loss = make(model, dataset, { name: 'cross-entropy', reduction: 'mean' })
    const { theta } = await train({ loss, optimizer: adam(), learningRate: 0.003, steps: 400, batchSize: 40, seed })
    const direction = (i: number): Float64Array => randomDirection(model, theta, seed, i, { normalization: 'filter' })
    const axis = { start: -0.5, end: 0.5, count: 5 }
    const grid = await curvatureGrid({
      ...{ loss, center: theta, directions: [direction(0), direction(1)], x: axis, y: axis },
      ...{ tolerance: 1e-2, maxProducts: 60 },
    })
    const known = grid.convexity.filter((c) => !Number.isNaN(c))
    return { share: nonConvexShare(grid), ratio: median(known), loss: await loss.value(theta) }
  })
}

async function runDepth(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 2 * depths.length * networks)
  const means = async (skip: boolean): Promise<Roughness[]> => {
    const all: Roughness[] = []
    for (const depth of depths) {
      const group: Roughness[] = []
      for (let i = 0; i < networks; i++) {
        group.push(await roughness(context, depth, skip, networks * context.seed + i))
        part()
      }
      const over = (of: (r: Roughness) => number): number => mean(group.map(of))
      all.push({ share: over((r) => r.share), ratio: over((r) => r.ratio), loss: over((r) => r.loss) })
    }
    return all
  }
  const plain = await means(false)
  const skip = await means(true)
  const convex = skip[2].share <= 0.1
  const measurements = [
    atLeast('plain: ratio |λ_min|/λ_max at depth 14 over that at depth 2', plain[2].ratio / plain[0].ratio, 1.5),
    atMost('ratio at depth 14, with skips over plain', skip[2].ratio / plain[2].ratio, 0.8),
    {
      name: 'share of the plane above 10 %, plain, depths 2, 8, 14',
      measured: plain.map(({ share }) => share.toFixed(2)).join(', '),
    },
    {
      name: 'share of the plane above 10 %, with skips',
      measured: skip.map(({ share }) => share.toFixed(2)).join(', '),
    },
    { name: 'median ratio, plain', measured: plain.map(({ ratio }) => ratio.toFixed(3)).join(', ') },
    { name: 'median ratio, with skips', measured: skip.map(({ ratio }) => ratio.toFixed(3)).join(', ') },
    { name: 'training loss, plain', measured: plain.map(({ loss }) => loss.toExponential(1)).join(', ') },
    { name: 'training loss, with skips', measured: skip.map(({ loss }) => loss.toExponential(1)).join(', ') },
  ]
  return {
    outcome: !allMet(measurements) ? 'not-decided' : convex ? 'holds' : 'holds-with-conditions',
    summary: `From depth 2 to 14 the median of |λ_min|/λ_max around the end of training goes from ${plain[0].ratio.toFixed(3)} to ${plain[2].ratio.toFixed(3)} without skips and from ${skip[0].ratio.toFixed(3)} to ${skip[2].ratio.toFixed(3)} with them.`,
    measurements,
    figure: {
      title: 'Negative against positive curvature around trained networks',
      xLabel: 'hidden layers',
      yLabel: 'median of |λ_min|/λ_max on the plane',
      series: [
        { name: 'plain', mark: 'line', x: [...depths], y: plain.map(({ ratio }) => ratio) },
        { name: 'with skips', mark: 'line', x: [...depths], y: skip.map(({ ratio }) => ratio) },
      ],
      levels: [{ label: '10 %', value: 0.1 }],
    },
  }
}

export const depthClaims: readonly Claim[] = [
  {
    id: 'V-2',
    topic,
    statement: 'Without skip connections surfaces become non-convex with depth; with them they stay convex.',
    source: li('skip connections and depth'),
    experiment: `ReLU networks of width ${width} with 2, 8 and 14 hidden layers, plain and x + σ(Wx + b), ${networks} each, 400 Adam steps on 120 samples; extreme Hessian eigenvalues on a 5 × 5 filter-normalized plane within half the weights’ size.`,
    expected: 'holds-with-conditions',
    remark:
      'The source shows convolutional networks of 20 to 110 layers on CIFAR-10. On this scale skips keep negative curvature small beside the positive; the share of the plane above 10 % is too coarse to tell them apart, and at depth 20 the plain network no longer trains.',
    estimateSeconds: 14,
    run: runDepth,
  },
]
