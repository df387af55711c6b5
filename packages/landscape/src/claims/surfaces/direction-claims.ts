import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { hessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import type { HessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import { objectiveOf } from '../../critical/finders/objective.ts'
import { gemv } from '../../linalg/matrix.ts'
import { dot } from '../../linalg/vector.ts'
import { valuesAt } from '../../loss/loss-batch.ts'
import type { Loss } from '../../loss/loss.ts'
import type { LossSpec } from '../../loss/loss-function.ts'
import { mlp } from '../../model/mlp.ts'
import { parameterRanges } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'
import { cosine, forEachFilter, randomDirection } from '../../surface/direction.ts'
import type { Normalization } from '../../surface/direction.ts'
import { lossLine } from '../../surface/loss-plane.ts'
import { adam } from '../../train/adam.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { deviation, mean } from '../sample-statistics.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import type { LossMaker } from '../with-losses.ts'
import { li, surfacesTopic as topic } from './source.ts'

const crossEntropy: LossSpec = { name: 'cross-entropy', reduction: 'mean' }

/** A ReLU network 4-8-8-3 without biases. */
function rectifierLoss(make: LossMaker, seed: number): Loss {
  const dataset = gaussianMixture({ samples: 150, classes: 3, dimension: 4, separation: 2, seed })
  return make(mlp({ widths: [4, 8, 8, 3], activation: 'relu', bias: false }), dataset, crossEntropy)
}

async function trained(loss: Loss, seed: number, steps: number): Promise<Float64Array> {
  return (await train({ loss, optimizer: adam(), learningRate: 0.01, steps, seed })).theta
}

/** The first matrix times `factor` and the second divided by it, for all hidden units or for the first one only. */
function rescaled(loss: Loss, theta: Float64Array, factor: number, units: 'all' | 'first'): Float64Array {
  const out = theta.slice()
  const [first, second] = parameterRanges(loss.model)
  const [hidden, inputs] = first.parameter.shape
  const width = units === 'all' ? hidden : 1
  for (let i = 0; i < width * inputs; i++) out[first.start + i] *= factor
  for (let at = second.start; at < second.end; at++) if ((at - second.start) % hidden < width) out[at] /= factor
  return out
}

async function curve(
  loss: Loss,
  theta: Float64Array,
  seed: number,
  normalization: Normalization,
): Promise<Float64Array> {
  const direction = randomDirection(loss.model, theta, seed, 0, { normalization })
  const valuesOf = (thetas: Float64Array, count: number): ReturnType<typeof valuesAt> => valuesAt(loss, thetas, count)
  const t = { start: -1, end: 1, count: 51 }
  return (await lossLine({ center: theta, direction, t, valuesAt: valuesOf })).values
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]) / Math.abs(v)), 0)
}

async function runInvariance(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 2)
  const { seed } = context
  const factor = 7
  const curves = await withLosses(context, async (make) => {
    const loss = rectifierLoss(make, seed)
    const theta = await trained(loss, seed, 300)
    part()
    const layer = rescaled(loss, theta, factor, 'all')
    const unit = rescaled(loss, theta, factor, 'first')
    const of = (at: Float64Array, normalization: Normalization): Promise<Float64Array> =>
      curve(loss, at, seed, normalization)
    return {
      same: largestDifference(await loss.outputs(theta), await loss.outputs(layer)),
      filter: await of(theta, 'filter'),
      filterLayer: await of(layer, 'filter'),
      filterUnit: await of(unit, 'filter'),
      raw: await of(theta, 'none'),
      rawLayer: await of(layer, 'none'),
    }
  })
  part()
  const layerChange = largestDifference(curves.filter, curves.filterLayer)
  const rawChange = largestDifference(curves.raw, curves.rawLayer)
  const unitChange = largestDifference(curves.filter, curves.filterUnit)
  const measurements = [
    atMost('largest relative change of an output by rescaling layers', curves.same, 1e-10),
    atMost('relative change of the filter-normalized curve, layers rescaled', layerChange, 1e-9),
    atLeast('relative change of the plain curve, layers rescaled', rawChange, 0.1),
    atLeast('relative change of the filter-normalized curve, one unit rescaled', unitChange, 1e-3),
  ]
  const t = Array.from({ length: 51 }, (_, i) => -1 + i / 25)
  return {
    outcome: allMet(measurements) ? 'holds-with-conditions' : 'false',
    summary: `Rescaling whole layers by ${factor} changes the filter-normalized curve by ${layerChange.toExponential(1)} and the plain one by ${(100 * rawChange).toFixed(0)} %; rescaling one unit changes even the normalized curve, by ${(100 * unitChange).toFixed(1)} %.`,
    measurements,
    figure: {
      title: 'One function, one random direction, other weights',
      xLabel: 't',
      yLabel: 'loss',
      series: [
        { name: 'filter-normalized', mark: 'line', x: t, y: [...curves.filter] },
        { name: 'filter-normalized, layers rescaled', mark: 'points', x: t, y: [...curves.filterLayer] },
        { name: 'filter-normalized, one unit rescaled', mark: 'line', x: t, y: [...curves.filterUnit] },
        { name: 'plain', mark: 'line', x: t, y: [...curves.raw] },
        { name: 'plain, layers rescaled', mark: 'line', x: t, y: [...curves.rawLayer] },
      ],
    },
  }
}

const dimensions = [100, 1000, 10_000] as const
const pairCount = 400

async function runOrthogonality(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, dimensions.length)
  const samples = dimensions.map((size) => {
    const cosines = Array.from({ length: pairCount }, (_, i) => {
      const stream = randomStream(context.seed, `pair in ${size}`, i)
      return cosine(stream.normals(size), stream.normals(size))
    })
    part()
    return cosines
  })
  const measurements = dimensions.flatMap((size, i) => [
    near(`deviation of the cosine times √P, P = ${size}`, deviation(samples[i]) * Math.sqrt(size), 1, 0.15),
    near(`mean cosine times √(${pairCount} P), P = ${size}`, mean(samples[i]) * Math.sqrt(pairCount * size), 0, 4),
  ])
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `In ${dimensions.join(', ')} dimensions the cosine of two Gaussian directions has deviation ${samples.map((s) => deviation(s).toFixed(4)).join(', ')}, 1/√P.`,
    measurements,
    figure: {
      title: 'Cosine of two random directions',
      xLabel: 'dimension P',
      yLabel: 'standard deviation of the cosine',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'measured', mark: 'points', x: [...dimensions], y: samples.map(deviation) },
        { name: '1/√P', mark: 'line', x: [...dimensions], y: dimensions.map((p) => 1 / Math.sqrt(p)) },
      ],
    },
  }
}

const probes = 3000

interface Forms {
  readonly spectrum: HessianSpectrum
  readonly plain: readonly number[]
  readonly filter: readonly number[]
  /** Σ over filters of ‖θ_f‖² tr(H_ff)/dim f. */
  readonly predicted: number
}

/** δᵀHδ over random directions at an early point of training, where the Hessian is indefinite. */
function quadraticForms(context: ClaimContext): Promise<Forms> {
  const { seed } = context
  return withLosses(context, async (make) => {
    const dataset = gaussianMixture({ samples: 150, classes: 3, dimension: 4, separation: 2, seed })
    const loss = make(mlp({ widths: [4, 8, 8, 3], activation: 'tanh' }), dataset, crossEntropy)
    const theta = await trained(loss, seed, 60)
    const spectrum = await hessianSpectrum(objectiveOf(loss).at(theta).hessian)
    const { matrix } = spectrum
    const form = (d: Float64Array): number => dot(d, gemv(matrix, d))
    const options = { ignoreVectors: false } as const
    const sample = (normalization: Normalization): number[] =>
      Array.from({ length: probes }, (_, i) =>
        form(randomDirection(loss.model, theta, seed, i, { ...options, normalization })),
      )
    let predicted = 0
    for (const range of parameterRanges(loss.model))
      forEachFilter(range, (positions) => {
        let [square, diagonal] = [0, 0]
        for (const p of positions) {
          square += theta[p] ** 2
          diagonal += matrix.data[p * loss.size + p]
        }
        predicted += (square * diagonal) / positions.length
      })
    return { spectrum, plain: sample('none'), filter: sample('filter'), predicted }
  })
}

function histogramOf(values: readonly number[], bins: number): { x: number[]; y: number[] } {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const step = (high - low) / bins
  const y = new Array<number>(bins).fill(0)
  for (const v of values) y[Math.min(bins - 1, Math.floor((v - low) / step))]++
  return { x: y.map((_, i) => low + (i + 0.5) * step), y }
}

async function runTrace(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 1)
  const { spectrum, plain, filter, predicted } = await quadraticForms(context)
  part()
  const trace = spectrum.values.reduce((sum, v) => sum + v, 0)
  const error = (values: readonly number[]): number => deviation(values) / Math.sqrt(probes)
  const measurements = [
    { ...near('(mean δᵀHδ − tr H) in standard errors', (mean(plain) - trace) / error(plain), 0, 4) },
    near(
      'the same, filter-normalized, from Σ ‖θ_f‖² tr H_ff / dim f',
      (mean(filter) - predicted) / error(filter),
      0,
      4,
    ),
    near('mean δᵀHδ over tr H', mean(plain) / trace, 1, 0.1),
    near('mean over prediction, filter-normalized', mean(filter) / predicted, 1, 0.1),
    { name: 'tr H', measured: trace },
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Over ${probes} directions δᵀHδ has mean ${mean(plain).toFixed(3)} (tr H = ${trace.toFixed(3)}), filter-normalized ${mean(filter).toFixed(4)} (predicted ${predicted.toFixed(4)}).`,
    measurements,
    figure: {
      title: 'Curvature along random directions',
      xLabel: 'δᵀHδ over its predicted mean',
      yLabel: 'directions',
      series: [
        {
          name: 'Gaussian',
          mark: 'bars',
          ...histogramOf(
            plain.map((v) => v / trace),
            40,
          ),
        },
        {
          name: 'filter-normalized',
          mark: 'bars',
          ...histogramOf(
            filter.map((v) => v / predicted),
            40,
          ),
        },
      ],
    },
  }
}

async function runConvexPicture(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 1)
  const { spectrum, plain, filter } = await quadraticForms(context)
  part()
  const { values, size } = spectrum
  const negative = values.filter((v) => v < -1e-5 * values[size - 1]).length
  const downward = (forms: readonly number[]): number => forms.filter((v) => v < 0).length / probes
  const measurements = [
    atMost('λ_min/λ_max', values[0] / values[size - 1], -0.002),
    atLeast('share of negative eigenvalues', negative / size, 0.1),
    atMost('share of Gaussian directions with negative curvature', downward(plain), 0.02),
    atMost('share of filter-normalized directions with negative curvature', downward(filter), 0.02),
  ]
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `${negative} of ${size} eigenvalues are negative (λ_min = ${values[0].toPrecision(2)}, λ_max = ${values[size - 1].toPrecision(2)}), yet ${((1 - downward(plain)) * 100).toFixed(1)} % of random directions curve upward.`,
    measurements,
    figure: {
      title: 'Eigenvalues, and curvatures that random directions show',
      xLabel: 'curvature over λ_max',
      yLabel: 'how many (directions: per unit length)',
      series: [
        {
          name: 'eigenvalues',
          mark: 'bars',
          ...histogramOf(
            Array.from(values, (v) => v / values[size - 1]),
            40,
          ),
        },
        {
          name: 'random directions',
          mark: 'bars',
          ...histogramOf(
            plain.map((v) => v / size / values[size - 1]),
            40,
          ),
        },
      ],
    },
  }
}

export const directionClaims: readonly Claim[] = [
  {
    id: 'V-1',
    topic,
    statement: 'Filter normalization makes plots of ReLU networks invariant under rescaling of their weights.',
    source: li('filter-wise normalization'),
    experiment:
      'A trained ReLU network 4-8-8-3 without biases, its first matrix times 7 and its second divided by 7, all units and one unit: loss on 51 points of the same random draw, filter-normalized and not.',
    expected: 'holds-with-conditions',
    remark:
      'For whole layers (and for filters before normalization layers). Rescaling single units is not undone, since a unit’s outgoing weights share rows with others.',
    estimateSeconds: 0.2,
    run: runInvariance,
  },
  {
    id: 'random-directions-orthogonal',
    topic,
    statement: 'Two random directions in a high-dimensional parameter space are nearly orthogonal.',
    source: li('random directions'),
    experiment: `Cosines of ${pairCount} pairs of Gaussian vectors in 100, 1000 and 10 000 dimensions.`,
    expected: 'holds',
    estimateSeconds: 1,
    run: runOrthogonality,
  },
  {
    id: 'random-curvature-trace',
    topic,
    statement:
      'The mean curvature along Gaussian directions is the trace of the Hessian; along filter-normalized ones a weighted trace.',
    source: li('principal curvatures of a random plane'),
    experiment: `A tanh network 4-8-8-3 after 60 Adam steps: δᵀHδ along ${probes} Gaussian and ${probes} filter-normalized directions with the exact Hessian.`,
    expected: 'holds',
    remark: 'The weights are ‖θ_f‖²/dim f per filter f.',
    estimateSeconds: 0.6,
    run: runTrace,
  },
  {
    id: 'convex-pictures',
    topic,
    statement: 'Where a surface looks convex along random directions, it is.',
    source: {
      text: 'popular accounts; discussed by Li et al. 2018',
      place: 'principal curvatures of a random plane',
      reference: 'arXiv:1712.09913',
    },
    experiment: 'The directions and the exact Hessian of random-curvature-trace.',
    expected: 'false',
    remark:
      'A random direction shows a mean of all curvatures, so negative ones hide behind a positive trace. The converse is true: visible negative curvature proves a negative eigenvalue.',
    estimateSeconds: 0.6,
    run: runConvexPicture,
  },
]
