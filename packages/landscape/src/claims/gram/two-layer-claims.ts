import { constant, matmul, mul, numbersOf, relu, tensor, transpose } from '@thalweg/graph'
import { withFields } from '../../data/dataset.ts'
import type { Dataset } from '../../data/dataset.ts'
import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { split } from '../../data/split.ts'
import { unitSphere } from '../../data/unit-sphere.ts'
import { matmulTransposedRight, matrix } from '../../linalg/matrix.ts'
import { norm } from '../../linalg/vector.ts'
import { initialTheta, weightParameter } from '../../model/initialization.ts'
import type { Model } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'
import { inputRows } from '../../theory/gram/kernel-inputs.ts'
import { powerLaw } from '../../theory/gram/power-law.ts'
import { twoLayerRelu } from '../../theory/gram/two-layer-relu.ts'
import type { TwoLayerReluRun } from '../../theory/gram/two-layer-relu.ts'
import { sgd } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { firstStart, places } from './theory-networks.ts'
import { topic, twoLayerPrecursor } from './source.ts'

const widths = [100, 400, 1600, 6400]
const steps = 200

/** B-6: the two-layer ReLU network of the precursor. */
const twoLayer: Claim = {
  id: 'B-6',
  topic,
  statement:
    'Two-layer ReLU networks with fixed output signs converge at a linear rate, ‖u(k) − y‖² ≤ (1 − ηλ₀/2)ᵏ ‖u(0) − y‖², and the wider they are, the fewer activation patterns change and the less every neuron moves.',
  source: twoLayerPrecursor('Theorems 3.2 and 4.1'),
  experiment:
    'n = 50 unit vectors in 50 dimensions, labels ±1, η = 1, 200 steps, widths 100, 400, 1600, 6400 (the paper: n = d = 1000, labels N(0, 1), several widths).',
  expected: 'holds',
  estimateSeconds: 25,
  run: twoLayerFinding,
}

/** Measured before in another implementation with other random numbers: what to expect, within a third. */
const reference = {
  pattern: [0.074, 0.034, 0.019, 0.009],
  movement: [1.82, 0.88, 0.5, 0.23],
  distance: [0.19, 0.1, 0.056, 0.024],
}

async function twoLayerFinding(context: ClaimContext): Promise<ClaimFinding> {
  const dataset = unitSphere({ samples: 50, dimension: 50, seed: context.seed })
  const x = inputRows(dataset)
  const y = numbersOf(dataset.targets)
  const done = partCounter(context, widths.length)
  const runs: TwoLayerReluRun[] = []
  for (const width of widths) {
    runs.push(await twoLayerRelu(x, y, { width, stepSize: 1, steps, seed: context.seed }))
    done()
  }
  const measurements = [
    ...widths.flatMap((width, i) => twoLayerNumbers(width, runs[i], i)),
    near(
      'exponent of the largest movement',
      powerLaw(
        widths,
        runs.map((run) => run.largestMovement),
      ).exponent,
      -0.5,
      0.1,
    ),
  ]
  const shares = runs.map(({ patternChange }) => `${(100 * patternChange).toFixed(1)} %`)
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Patterns changed: ${shares.join(', ')} at widths ${widths.join(', ')}; no step lay above the bound, and every width reached ‖u − y‖² below ${Math.max(...runs.map((run) => run.squaredErrors[steps])).toExponential(0)}.`,
    measurements,
    figure: {
      title: 'Squared error of two-layer ReLU networks',
      xLabel: 'step k',
      yLabel: '‖u(k) − y‖²',
      yScale: 'log',
      series: runs.map((run, i) => {
        const at = places(run.squaredErrors.length)
        return { name: `m = ${widths[i]}`, mark: 'line', x: at, y: at.map((k) => run.squaredErrors[k]) }
      }),
    },
  }
}

function twoLayerNumbers(width: number, run: TwoLayerReluRun, i: number): ClaimMeasurement[] {
  const like = (name: string, measured: number, expected: number): ClaimMeasurement =>
    near(`m = ${width}: ${name}`, measured, expected, Number((expected / 3).toPrecision(2)))
  return [
    atMost(`m = ${width}: steps above the bound, of ${steps}`, run.violations, 0),
    like('share of patterns that changed', run.patternChange, reference.pattern[i]),
    like('largest movement of a neuron', run.largestMovement, reference.movement[i]),
    like('‖H(k) − H^∞‖/‖H^∞‖', run.gramDistance, reference.distance[i]),
    atMost(`m = ${width}: movement over its bound`, run.largestMovement / run.movementBound, 1),
  ]
}

const clusterWidths = [64, 256, 1024, 4096]

/** Clusters, cross-entropy, SGD. */
const clusters: Claim = {
  id: 'li-liang-clusters',
  topic,
  statement:
    'SGD on an over-parametrized two-layer ReLU network learns a mixture of well separated clusters, while most activation patterns and, relative to their size, the weights stay what they were.',
  source: { text: 'Li & Liang 2018', place: 'Theorem 4.1', reference: 'arXiv:1808.01204' },
  experiment:
    'Six clusters in 20 dimensions, 10 standard deviations apart, inputs divided by their largest norm, 300 training and 600 test samples, f = m^(−½) A relu(Wx) with A fixed, W and A from N(0, 1), cross-entropy, SGD with batch 32 and η = 1, 600 steps, widths 64 … 4096.',
  expected: 'holds',
  estimateSeconds: 20,
  run: clusterFinding,
}

interface ClusterRun {
  readonly accuracy: number
  readonly patterns: number
  readonly relative: number
}

async function clusterFinding(context: ClaimContext): Promise<ClaimFinding> {
  const done = partCounter(context, clusterWidths.length)
  const runs: ClusterRun[] = []
  for (const width of clusterWidths) {
    runs.push(await clusterRun(context, width))
    done()
  }
  const law = powerLaw(
    clusterWidths,
    runs.map(({ relative }) => relative),
  )
  const last = runs[runs.length - 1]
  const measurements: ClaimMeasurement[] = [
    atLeast('smallest test accuracy', Math.min(...runs.map(({ accuracy }) => accuracy)), 0.98),
    atMost('m = 4096: share of patterns that changed', last.patterns, 0.1),
    atMost('m = 4096: ‖W − W(0)‖/‖W(0)‖', last.relative, 0.1),
    atMost('patterns: m = 4096 over m = 64', last.patterns / runs[0].patterns, 0.5),
    near('exponent of the relative movement', law.exponent, -0.5, 0.2),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Every width classifies at least ${(100 * Math.min(...runs.map(({ accuracy }) => accuracy))).toFixed(1)} % of the test samples; at width 4096 only ${(100 * last.patterns).toFixed(1)} % of the patterns changed and the weights moved by ${(100 * last.relative).toFixed(1)} %.`,
    measurements,
    figure: {
      title: 'Change in training on clusters, over width',
      xLabel: 'width m',
      yLabel: 'share',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'patterns changed', mark: 'line', x: clusterWidths, y: runs.map(({ patterns }) => patterns) },
        { name: 'relative movement', mark: 'line', x: clusterWidths, y: runs.map(({ relative }) => relative) },
      ],
    },
  }
}

const classes = 6
const dimension = 20

async function clusterRun(context: ClaimContext, width: number): Promise<ClusterRun> {
  const { seed } = context
  const { train: known, test: held } = split(clusterData(seed), 1 / 3, { seed })
  const model = fixedOutputNetwork(width, seed)
  return withLosses(context, async (make) => {
    const loss = make(model, known, { name: 'cross-entropy', reduction: 'mean' })
    const test = make(model, held, { name: 'cross-entropy', reduction: 'mean' })
    const theta = model.initialize(firstStart(seed))
    const trained = await train({
      ...{ loss, theta, seed, optimizer: sgd(), learningRate: 1, steps: 600, batchSize: 32, evaluateEvery: 600 },
    })
    const x = inputRows(known)
    const active = (weights: Float64Array): Float64Array =>
      matmulTransposedRight(x, matrix(width, dimension, weights)).data
    const [before, after] = [active(theta), active(trained.theta)]
    return {
      accuracy: await test.accuracy(trained.theta),
      patterns: before.filter((value, i) => value >= 0 !== after[i] >= 0).length / before.length,
      relative: norm(trained.theta.map((value, i) => value - theta[i])) / norm(theta),
    }
  })
}

/** Samples of the clusters, divided by their largest norm. */
function clusterData(seed: number): Dataset {
  const raw = gaussianMixture({ samples: 900, classes, dimension, separation: 10, seed })
  const { data, shape } = raw.inputs['x']
  const values = Float64Array.from(data as Float64Array)
  let largest = 0
  for (let i = 0; i < values.length; i += dimension)
    largest = Math.max(largest, norm(values.subarray(i, i + dimension)))
  return withFields(raw, {
    inputs: {
      x: tensor(
        'float64',
        shape,
        values.map((value) => value / largest),
      ),
    },
  })
}

/** f = m^(−½) A relu(W x), W trained and A fixed, both from N(0, 1). */
function fixedOutputNetwork(width: number, seed: number): Model {
  const parameters = [weightParameter('weight', [width, dimension], 1)]
  const entries = randomStream(seed, 'claims/fixed outputs', width).normals(width * classes)
  const outputs = constant(tensor('float64', [width, classes], entries))
  return {
    name: `two-layer ReLU network of width ${width}, outputs fixed`,
    inputs: [{ name: 'x', dtype: 'float', shape: [dimension] }],
    parameters,
    outputShape: [classes],
    architecture: { kind: 'unknown' },
    notes: [],
    forward: ([weight], [x]) => mul(matmul(relu(matmul(x, transpose(weight, [1, 0]))), outputs), 1 / Math.sqrt(width)),
    initialize: (start) => initialTheta(parameters, 'standard-normal', start),
  }
}

export const twoLayerClaims: readonly Claim[] = [twoLayer, clusters]
