import { randomStream } from '../../random/index.ts'
import {
  convexityWitnesses,
  effectiveMap,
  linearHessian,
  linearLoss,
  linearProblem,
  randomWeights,
} from '../../theory/linear/index.ts'
import type { LinearProblem, LinearWeights } from '../../theory/linear/index.ts'
import { shiftedWeights } from '../../theory/linear/linear-weights.ts'
import { randomProblem } from '../../theory/linear/random-problem.ts'
import { symmetricEigenvalues } from '../../linalg/index.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimSeries } from '../claim.ts'
import { poorLocalMinima, topic, workedExample } from './source.ts'

const shares = Array.from({ length: 41 }, (_, i) => i / 40)

function segment(problem: LinearProblem, from: LinearWeights, to: LinearWeights, name: string): ClaimSeries {
  const direction = to.map((w, k) => ({ ...w, data: w.data.map((v, i) => v - from[k].data[i]) }))
  return {
    name,
    mark: 'line',
    x: shares,
    y: shares.map((t) => linearLoss(problem, shiftedWeights(from, t, direction))),
  }
}

/** 0.4 of the popular claims. */
const convexBowl: Claim = {
  id: '0.4',
  topic,
  statement: 'With linear activations and squared error the loss of a network is a convex bowl in its weights.',
  source: {
    text: 'popular accounts; refuted by Kawaguchi 2016',
    place: 'Theorem 2.3 (i)',
    reference: 'arXiv:1605.07110',
  },
  experiment:
    'The segment from a global minimum to its mirror image (signs of two layers flipped) for widths 2-2-2, 2-1-1-2 and 2-2-2-2-2 on X = I, Y = [[2, 1], [1, 1]]; a 2-3-1 network, and 1000 random segments in the space of its end-to-end maps.',
  expected: 'false',
  remark:
    'It is convex in the end-to-end matrix only. A 2-3-1 linear network has nine weights and two effective parameters, and its loss is still not convex in the weights.',
  estimateSeconds: 1,
  run: convexBowlFinding,
}

async function convexBowlFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const architectures = [
    [2, 2, 2],
    [2, 1, 1, 2],
    [2, 2, 2, 2, 2],
  ]
  const series: ClaimSeries[] = []
  const measurements = architectures.flatMap((widths, index) => {
    const problem = workedExample(widths)
    const { notConvex } = convexityWitnesses(problem)
    series.push(segment(problem, ...notConvex.ends, widths.join('-')))
    progress(index + 1, architectures.length + 1)
    return [
      near(`${widths.join('-')}: loss in the middle, ½‖Y‖²`, notConvex.middleLoss, 3.5, 1e-12),
      near(`${widths.join('-')}: loss at both ends, L*`, notConvex.endLosses[1], problem.globalMinimum, 1e-12),
    ]
  })
  const problem = randomProblem([2, 3, 1], seed)
  const { parameters, effectiveParameters } = effectiveMap(problem, randomWeights([2, 3, 1], randomStream(seed, 'map')))
  measurements.push(
    near('2-3-1: weights', parameters, 9, 0),
    near('2-3-1: effective parameters', effectiveParameters, 2, 0),
    atLeast(
      '2-3-1: excess of the middle over the mean of the ends',
      convexityWitnesses(problem).notConvex.excess,
      1e-3,
    ),
    atMost('over maps: largest excess of a middle, 1000 segments', worstMapExcess(problem, seed), 0),
  )
  progress(architectures.length + 1, architectures.length + 1)
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary:
      'Between two mirrored global minima the loss rises to ½‖Y‖² = 3.5 in every architecture, so it is not convex in the weights; over end-to-end maps no segment violates convexity.',
    measurements,
    figure: {
      title: 'Loss between a global minimum and its mirror image',
      xLabel: 'share of the way',
      yLabel: 'loss ½‖ŷ − y‖²',
      series,
      levels: [{ label: '½‖Y‖²', value: 3.5 }],
    },
  }
}

/** The largest L(middle) − mean L(ends) in the one-layer problem over maps. */
function worstMapExcess(deep: LinearProblem, seed: number): number {
  const widths = [deep.widths[0], deep.widths[deep.layers]]
  const flat = linearProblem(deep.x, deep.y, widths)
  let worst = Number.NEGATIVE_INFINITY
  for (let i = 0; i < 1000; i++) {
    const random = randomStream(seed, 'segment of maps', i)
    const [[a], [b]] = [randomWeights(widths, random), randomWeights(widths, random)]
    const middle = [{ ...a, data: a.data.map((v, k) => (v + b.data[k]) / 2) }]
    worst = Math.max(worst, linearLoss(flat, middle) - (linearLoss(flat, [a]) + linearLoss(flat, [b])) / 2)
  }
  return worst
}

const nonlinearityAlone: Claim = {
  id: '0.5',
  topic,
  statement: 'The loss of a neural network is not convex because of its non-linear activations.',
  source: {
    text: 'popular accounts; refuted by Kawaguchi 2016',
    place: 'Theorem 2.3 (i)',
    reference: 'arXiv:1605.07110',
  },
  experiment:
    'Hessians of linear networks (no activation) at 200 random weights each, widths 3-3-2, 3-2-2-2 and 3-2-2-2-2, Gaussian data: how many have a negative eigenvalue.',
  expected: 'false',
  remark: 'Products of weights are enough. Without a hidden layer the Hessian is positive semidefinite everywhere.',
  estimateSeconds: 2,
  run: nonlinearityFinding,
}

async function nonlinearityFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const architectures = [
    [3, 2],
    [3, 3, 2],
    [3, 2, 2, 2],
    [3, 2, 2, 2, 2],
  ]
  const negative = architectures.map((widths, index) => {
    throwIfStopped()
    const problem = randomProblem(widths, seed)
    let count = 0
    for (let i = 0; i < 200; i++) {
      const values = symmetricEigenvalues(
        linearHessian(problem, randomWeights(widths, randomStream(seed, 'curvature', i), 0.7)),
      )
      if (values[0] < -1e-9 * values[values.length - 1]) count++
    }
    progress(index + 1, architectures.length)
    return count / 200
  })
  const measurements = [
    near('no hidden layer: share of points with negative curvature', negative[0], 0, 0),
    ...architectures
      .slice(1)
      .map((widths, i) =>
        atLeast(`${widths.join('-')}: share of points with negative curvature`, negative[i + 1], 0.5),
      ),
  ]
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `Linear networks with 1, 2 and 3 hidden layers have negative curvature at ${negative
      .slice(1)
      .map((v) => `${(100 * v).toFixed(1)} %`)
      .join(', ')} of random points, without any non-linearity.`,
    measurements,
    figure: {
      title: 'Random points with negative curvature, linear networks',
      xLabel: 'hidden layers',
      yLabel: 'share of points',
      series: [{ name: 'share', mark: 'bars', x: [0, 1, 2, 3], y: negative }],
    },
  }
}

const neitherConvexNorConcave: Claim = {
  id: 'Kawaguchi-2.3-i',
  topic,
  statement: 'The squared loss of a deep linear network is neither convex nor concave in its weights.',
  source: poorLocalMinima('Theorem 2.3 (i)'),
  experiment: 'Explicit triples of points on a line, on 50 random problems of 1 to 4 hidden layers.',
  expected: 'holds',
  estimateSeconds: 1,
  run: neitherFinding,
}

async function neitherFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const depths: number[] = []
  const above: number[] = []
  const below: number[] = []
  for (let i = 0; i < 50; i++) {
    const hidden = 1 + (i % 4)
    const widths = [3, ...Array.from({ length: hidden }, (_, k) => 1 + ((i + k) % 3)), 2]
    const problem = randomProblem(widths, seed + i)
    const { notConvex, notConcave } = convexityWitnesses(problem)
    depths.push(hidden)
    above.push(notConvex.excess / problem.squaredTargets)
    below.push(notConcave.excess / problem.squaredTargets)
    progress(i + 1, 50)
  }
  const measurements = [
    atLeast('not convex: least excess of the middle, in ‖Y‖²', Math.min(...above), 1e-6),
    atMost('not concave: largest excess of the middle, in ‖Y‖²', Math.max(...below), -1e-6),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `In all 50 problems one segment has its middle above the mean of its ends (by at least ${Math.min(...above).toFixed(4)} ‖Y‖²) and another below it.`,
    measurements,
    figure: {
      title: 'Middle minus mean of the ends',
      xLabel: 'hidden layers',
      yLabel: 'excess / ‖Y‖²',
      series: [
        { name: 'refutes convexity', mark: 'points', x: depths, y: above },
        { name: 'refutes concavity', mark: 'points', x: depths, y: below },
      ],
    },
  }
}

export const convexityClaims: readonly Claim[] = [convexBowl, nonlinearityAlone, neitherConvexNorConcave]
