import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { split } from '../../data/split.ts'
import { norm } from '../../linalg/vector.ts'
import { valuesAt } from '../../loss/loss-batch.ts'
import type { Loss } from '../../loss/loss.ts'
import type { LossSpec } from '../../loss/loss-function.ts'
import { mlp } from '../../model/mlp.ts'
import { parameterRanges } from '../../model/model.ts'
import { randomDirection } from '../../surface/direction.ts'
import type { Normalization } from '../../surface/direction.ts'
import { filterNormalizedSharpness, keskarSharpness, topEigenvalue } from '../../surface/sharpness.ts'
import { adam } from '../../train/adam.ts'
import { sgd } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import { trainMany } from '../../train/train-many.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { mean, median, quantile, rankCorrelation } from '../sample-statistics.ts'
import { partCounter, rowOf, startsOf, withLosses } from '../with-losses.ts'
import { surfacesTopic as topic } from './source.ts'

const crossEntropy: LossSpec = { name: 'cross-entropy', reduction: 'mean' }

/** Mean rise of the loss at ±α d over random directions. */
async function meanRise(loss: Loss, theta: Float64Array, normalization: Normalization, alpha: number): Promise<number> {
  const directions = 12
  const p = theta.length
  const thetas = new Float64Array((2 * directions + 1) * p)
  thetas.set(theta)
  for (let k = 0; k < directions; k++) {
    const d = randomDirection(loss.model, theta, 0, k, { normalization })
    for (const [side, sign] of [1, -1].entries())
      for (let i = 0; i < p; i++) thetas[(1 + 2 * k + side) * p + i] = theta[i] + sign * alpha * d[i]
  }
  const { values } = await valuesAt(loss, thetas, 2 * directions + 1)
  return mean(values.subarray(1)) - values[0]
}

interface BatchEnd {
  readonly raw: number
  readonly filter: number
  readonly weightNorm: number
  readonly loss: number
}

const batchSizes = [32, 512] as const
const decays = [0, 5e-3] as const
const batchNetworks = 6

function batchEnds(context: ClaimContext, batchSize: number, weightDecay: number): Promise<BatchEnd[]> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const dataset = gaussianMixture({ samples: 1024, classes: 5, dimension: 10, separation: 3, seed })
    const model = mlp({ widths: [10, 32, 32, 5], activation: 'relu' })
    const loss = make(model, dataset, crossEntropy)
    const epochs = 60
    const { thetas } = await trainMany({
      loss,
      thetas: startsOf(model, 1000 * seed, batchNetworks),
      optimizer: sgd({ momentum: 0.9, weightDecay }),
      steps: (epochs * 1024) / batchSize,
      learningRates: 0.1,
      batchSize,
      seed,
      onProgress: context.throwIfStopped,
    })
    const ends: BatchEnd[] = []
    for (let i = 0; i < batchNetworks; i++) {
      const theta = rowOf(thetas, loss.size, i)
      ends.push({
        raw: await meanRise(loss, theta, 'none', 0.1),
        filter: await meanRise(loss, theta, 'filter', 0.3),
        weightNorm: norm(theta),
        loss: await loss.value(theta),
      })
    }
    return ends
  })
}

async function runBatch(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 4)
  const ends: BatchEnd[][][] = []
  for (const decay of decays) {
    const pair: BatchEnd[][] = []
    for (const size of batchSizes) {
      pair.push(await batchEnds(context, size, decay))
      part()
    }
    ends.push(pair)
  }
  /** Large over small batches. */
  const ratio = ([small, large]: readonly BatchEnd[][], of: (end: BatchEnd) => number): number =>
    mean(large.map(of)) / mean(small.map(of))
  const plain = ends.map((pair) => ratio(pair, (end) => end.raw))
  const filter = ends.map((pair) => ratio(pair, (end) => end.filter))
  const measurements = [
    atLeast('plain rise, batch 512 over 32, without weight decay', plain[0], 1.2),
    atMost('filter-normalized rise, batch 512 over 32, without weight decay', filter[0], 0.9),
    atMost(
      '‖θ‖, batch 512 over 32, without weight decay',
      ratio(ends[0], (end) => end.weightNorm),
      0.8,
    ),
    { name: 'plain rise, batch 512 over 32, with weight decay', measured: plain[1] },
    { name: 'filter-normalized rise, batch 512 over 32, with weight decay', measured: filter[1] },
    ...decays.map((decay, d) => ({
      name: `training loss, batches 32 and 512, weight decay ${decay}`,
      measured: ends[d].map((group) => mean(group.map(({ loss }) => loss)).toPrecision(3)).join(', '),
    })),
  ]
  const all = [...plain, ...filter]
  const outcome = all.every((r) => r > 1) ? 'holds' : all.every((r) => r < 1) ? 'false' : 'holds-with-conditions'
  return {
    outcome: outcome === 'holds-with-conditions' && !allMet(measurements) ? 'not-decided' : outcome,
    summary: `Without weight decay, minima of batches of 512 are ${plain[0].toFixed(1)} times as sharp as those of 32 on a plain plot and ${filter[0].toFixed(2)} times filter-normalized: the small batches’ weights are larger. With weight decay ${plain[1].toFixed(1)} and ${filter[1].toFixed(1)} times.`,
    measurements,
    figure: {
      title: 'Rise of the loss, batches of 512 over batches of 32',
      xLabel: 'weight decay',
      yLabel: 'ratio',
      yScale: 'log',
      series: [
        { name: 'plain', mark: 'points', x: [...decays], y: plain },
        { name: 'filter-normalized', mark: 'points', x: [...decays], y: filter },
      ],
      levels: [{ label: 'equally sharp', value: 1 }],
    },
  }
}

const factors = [1, 2, 5, 10, 20] as const

interface Rescaled {
  readonly change: number
  readonly top: number
  readonly keskar: number
  readonly filter: number
}

/** First matrix and bias times c, second matrix divided by c: the same function. */
function layersRescaled(loss: Loss, theta: Float64Array, factor: number): Float64Array {
  const out = theta.slice()
  const [weight, bias, next] = parameterRanges(loss.model)
  for (let i = weight.start; i < bias.end; i++) out[i] *= factor
  for (let i = next.start; i < next.end; i++) out[i] /= factor
  return out
}

function rescaledMinima(context: ClaimContext, part: () => void): Promise<Rescaled[]> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const dataset = gaussianMixture({ samples: 200, classes: 3, dimension: 5, separation: 2.5, seed })
    const loss = make(mlp({ widths: [5, 16, 3], activation: 'relu' }), dataset, crossEntropy)
    const { theta } = await train({ loss, optimizer: adam(), learningRate: 0.01, steps: 400, seed })
    const outputs = await loss.outputs(theta)
    const found: Rescaled[] = []
    for (const factor of factors) {
      const at = layersRescaled(loss, theta, factor)
      const there = await loss.outputs(at)
      found.push({
        change: outputs.reduce((most, v, i) => Math.max(most, Math.abs(v - there[i])), 0),
        top: (await topEigenvalue(loss, at)).value,
        keskar: (await keskarSharpness(loss, at)).value,
        filter: (await filterNormalizedSharpness(loss, at, { seed, valuesAt: (t, n) => valuesAt(loss, t, n) })).value,
      })
      part()
    }
    return found
  })
}

async function runRescaling(context: ClaimContext): Promise<ClaimFinding> {
  const found = await rescaledMinima(context, partCounter(context, factors.length))
  const relative = (of: (r: Rescaled) => number): number[] => found.map((r) => of(r) / of(found[0]))
  const [top, keskar, filter] = [relative((r) => r.top), relative((r) => r.keskar), relative((r) => r.filter)]
  const measurements = [
    atMost('largest change of an output', Math.max(...found.map(({ change }) => change)), 1e-10),
    atLeast('λ_max after rescaling by 20, relative', top[4], 50),
    atLeast('Keskar’s sharpness after rescaling by 20, relative', Math.max(...keskar), 1.5),
    near('filter-normalized sharpness after rescaling by 20, relative', filter[4], 1, 1e-6),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Rescaling the layers of a ReLU network by 20 leaves its function as it is and multiplies λ_max by ${top[4].toFixed(0)} and Keskar’s sharpness by ${keskar[4].toFixed(1)}; the filter-normalized measure stays.`,
    measurements,
    figure: {
      title: 'Sharpness of one function in different weights',
      xLabel: 'factor between the layers',
      yLabel: 'relative to factor 1',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'λ_max', mark: 'line', x: [...factors], y: top },
        { name: 'Keskar', mark: 'line', x: [...factors], y: keskar },
        { name: 'filter-normalized', mark: 'line', x: [...factors], y: filter },
      ],
    },
  }
}

const learningRates = [0.02, 0.05, 0.15] as const
const batches = [16, 64, 256] as const
const repeats = 4
const measures = ['λ_max', 'plain rise', 'filter-normalized rise', 'Keskar’s sharpness'] as const

interface FlatEnd {
  readonly gap: number
  readonly weightNorm: number
  /** By `measures`. */
  readonly sharpness: readonly number[]
}

/** Ends of training over learning rates and batch sizes, with one weight decay. */
function flatEnds(context: ClaimContext, weightDecay: number, part: () => void): Promise<FlatEnd[]> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const data = gaussianMixture({ samples: 2256, classes: 4, dimension: 8, separation: 2, seed })
    const { train: shown, test } = split(data, 256 / 2256, { seed })
    const model = mlp({ widths: [8, 20, 4], activation: 'relu' })
    const loss = make(model, shown, crossEntropy)
    const held = make(model, test, crossEntropy)
    const ends: FlatEnd[] = []
    for (const batchSize of batches) {
      const each = learningRates.flatMap((rate) => new Array<number>(repeats).fill(rate))
      const { thetas } = await trainMany({
        loss,
        thetas: startsOf(model, 1000 * seed, each.length),
        optimizer: sgd({ momentum: 0.9, weightDecay }),
        steps: (60 * 256) / batchSize,
        learningRates: Float64Array.from(each),
        batchSize,
        seed,
        onProgress: context.throwIfStopped,
      })
      for (const i of each.keys()) ends.push(await flatEnd(loss, held, rowOf(thetas, loss.size, i)))
      part()
    }
    return ends
  })
}

async function flatEnd(loss: Loss, held: Loss, theta: Float64Array): Promise<FlatEnd> {
  return {
    gap: (await held.value(theta)) - (await loss.value(theta)),
    weightNorm: norm(theta),
    sharpness: [
      (await topEigenvalue(loss, theta, { tolerance: 1e-3 })).value,
      await meanRise(loss, theta, 'none', 0.1),
      await meanRise(loss, theta, 'filter', 0.3),
      (await keskarSharpness(loss, theta)).value,
    ],
  }
}

async function runGeneralization(context: ClaimContext): Promise<ClaimFinding> {
  const settings = [0, 1e-2] as const
  const part = partCounter(context, settings.length * batches.length)
  const groups: FlatEnd[][] = []
  for (const decay of settings) groups.push(await flatEnds(context, decay, part))
  const ties = groups.map((ends) =>
    measures.map((_, m) =>
      rankCorrelation(
        ends.map(({ sharpness }) => sharpness[m]),
        ends.map(({ gap }) => gap),
      ),
    ),
  )
  const all = ties.flat()
  const clear = 0.5
  const measurements: ClaimMeasurement[] = settings.flatMap((decay, g) =>
    measures.map((name, m) => ({
      name: `rank correlation of ${name} with test − training loss, weight decay ${decay}`,
      measured: ties[g][m],
    })),
  )
  for (const [g, decay] of settings.entries()) {
    const tie = rankCorrelation(
      groups[g].map(({ weightNorm }) => weightNorm),
      groups[g].map(({ gap }) => gap),
    )
    measurements.push({ name: `rank correlation of ‖θ‖ with the gap, weight decay ${decay}`, measured: tie })
  }
  const gaps = groups.flat().map(({ gap }) => gap)
  measurements.push(
    { name: 'networks', measured: groups.flat().length },
    // Nothing is undecided about networks that do not overfit, or differ in nothing.
    atLeast('median of test − training loss', median(gaps), 0.05),
    atLeast('nine tenths over one tenth of the distribution of that', quantile(gaps, 0.9) / quantile(gaps, 0.1), 1.5),
    atLeast('largest minus least of these correlations', Math.max(...all) - Math.min(...all), 0.3),
  )
  const outcome = all.every((c) => c > clear) ? 'holds' : all.every((c) => c < -clear) ? 'false' : 'not-decided'
  return {
    outcome,
    summary: `Over ${groups[0].length} networks without and ${groups[1].length} with weight decay the rank correlation of sharpness with the generalization gap runs from ${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}, depending on the measure and the setting.`,
    measurements,
    figure: {
      title: 'Sharpness against generalization gap',
      xLabel: 'sharpness over its median',
      yLabel: 'test − training loss',
      xScale: 'log',
      series: settings.flatMap((decay, g) =>
        [0, 2].map((m) => ({
          name: `${measures[m]}, weight decay ${decay}`,
          mark: 'points' as const,
          x: relativeTo(groups[g].map(({ sharpness }) => sharpness[m])),
          y: groups[g].map(({ gap }) => gap),
        })),
      ),
    },
  }
}

function relativeTo(values: readonly number[]): number[] {
  const center = median(values)
  return values.map((v) => v / center)
}

export const sharpnessClaims: readonly Claim[] = [
  {
    id: 'V-4',
    topic,
    statement: 'Large batches end at sharper minima than small ones.',
    source: {
      text: 'Keskar et al. 2017; Li et al. 2018',
      place: 'small against large batches',
      reference: 'arXiv:1609.04836; arXiv:1712.09913',
    },
    experiment: `${batchNetworks} ReLU networks 10-32-32-5 each, SGD with momentum 0.9 at 0.1 for 60 epochs of 1024 samples, batches of 32 and 512, without weight decay and with 5e−3; mean rise of the loss along 12 random directions, plain (0.1) and filter-normalized (0.3).`,
    expected: 'holds-with-conditions',
    remark:
      'Equal epochs, so unequal numbers of steps. Without weight decay small batches grow larger weights, and the plain plot measures those: filter normalization reverses its verdict. The sources compare batches of 128 (256) and 8192 on CIFAR-10.',
    estimateSeconds: 3,
    run: runBatch,
  },
  {
    id: 'sharpness-not-invariant',
    topic,
    statement: 'Measures of sharpness can be made as large as one likes without changing the function.',
    source: { text: 'Dinh et al. 2017', place: 'Theorem 4', reference: 'arXiv:1703.04933' },
    experiment:
      'A trained ReLU network 5-16-3, its first layer times 2, 5, 10, 20 and its second matrix divided by as much: λ_max, Keskar’s and filter-normalized sharpness.',
    expected: 'holds',
    remark: 'Filter-normalized sharpness is invariant under rescaling of whole layers, not of single units (V-1).',
    estimateSeconds: 0.3,
    run: runRescaling,
  },
  {
    id: 'flat-minima-generalize',
    topic,
    statement: 'Flat minima generalize better than sharp ones.',
    source: {
      text: 'Hochreiter & Schmidhuber 1997; Keskar et al. 2017; Jiang et al. 2020',
      reference: 'arXiv:1609.04836; arXiv:1912.02178',
    },
    experiment: `ReLU networks 8-20-4 on 256 samples (2000 to test), SGD with momentum for 60 epochs over 3 learning rates × 3 batch sizes × ${repeats} starts, without weight decay and with 1e−2: rank correlation of four measures of sharpness with test − training loss.`,
    expected: 'not-decided',
    remark:
      'An open question with data, not a verdict: the sign and size of the correlation depend on the measure, on what is varied and on the weights’ scale, and a correlation would not be a cause.',
    estimateSeconds: 1.8,
    run: runGeneralization,
  },
]
