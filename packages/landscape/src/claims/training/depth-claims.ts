import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { unitSphere } from '../../data/unit-sphere.ts'
import { matmulTransposedRight } from '../../linalg/matrix.ts'
import { mlp } from '../../model/mlp.ts'
import { inputRows } from '../../theory/gram/kernel-inputs.ts'
import { infiniteKernel } from '../../theory/gram/infinite-kernel.ts'
import { smallestEigenvalue } from '../../theory/gram/smallest-eigenvalue.ts'
import { adam } from '../../train/adam.ts'
import { trainMany } from '../../train/train-many.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { median } from '../sample-statistics.ts'
import { partCounter, startsOf, withLosses } from '../with-losses.ts'
import { trainingTopic as topic } from './source.ts'

const depths = [2, 6, 12, 20, 30] as const
const width = 12
const networks = 6

/** Median training loss after 400 Adam steps. */
function trainedLoss(context: ClaimContext, depth: number, skip: boolean): Promise<number> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const dataset = gaussianMixture({ samples: 120, classes: 3, dimension: width, separation: 3, seed })
    const model = mlp({ widths: [width, ...new Array<number>(depth).fill(width), 3], activation: 'relu', skip })
    const { losses } = await trainMany({
      loss: make(model, dataset, { name: 'cross-entropy', reduction: 'mean' }),
      thetas: startsOf(model, 1000 * seed, networks),
      optimizer: adam(),
      steps: 400,
      learningRates: 0.003,
      batchSize: 40,
      seed,
      onProgress: context.throwIfStopped,
    })
    return median(losses)
  })
}

const kernelDepths = [2, 4, 6, 8, 10] as const

interface KernelRates {
  /** λ_min of K⁽ᴴ⁾ by depth, and of K⁽⁰⁾. */
  readonly plain: readonly number[]
  readonly residual: readonly number[]
  readonly input: number
}

async function kernelRates(seed: number): Promise<KernelRates> {
  const x = inputRows(unitSphere({ samples: 8, dimension: 12, seed }))
  const rate = async (architecture: 'fc' | 'resnet', depth: number): Promise<number> => {
    const kernel = infiniteKernel(x, { architecture, depth, activation: 'softplus', layers: false, normalize: true })
    return (await smallestEigenvalue(kernel.gram, kernel.errors.gram)).value
  }
  return {
    plain: await Promise.all(kernelDepths.map((depth) => rate('fc', depth))),
    residual: await Promise.all(kernelDepths.map((depth) => rate('resnet', depth))),
    input: (await smallestEigenvalue(matmulTransposedRight(x, x))).value,
  }
}

async function runTrainability(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 2 * depths.length + 1)
  const kernels = await kernelRates(context.seed)
  part()
  const plain: number[] = []
  const residual: number[] = []
  for (const depth of depths) {
    plain.push(await trainedLoss(context, depth, false))
    part()
    residual.push(await trainedLoss(context, depth, true))
    part()
  }
  const scaled = kernels.residual.map((v, i) => v * kernelDepths[i] ** 2 * 4)
  const measurements = [
    atMost('training loss, plain, 2 layers', plain[0], 0.1),
    atLeast('training loss, plain, 30 layers', plain[4], 0.5),
    atMost('training loss, with skips, 30 layers', residual[4], 0.1),
    atMost('λ_min(K⁽ᴴ⁾), plain, H = 10 over H = 2', kernels.plain[4] / kernels.plain[0], 1e-2),
    near('λ_min(K⁽ᴴ⁾) H²/c², residual, H = 10 over H = 2', scaled[4] / scaled[0], 1, 0.5),
    { name: 'λ_min(K⁽⁰⁾), the constant of the first version, the same for every depth', measured: kernels.input },
    { name: 'training loss, plain', measured: plain.map((l) => l.toPrecision(2)).join(', ') },
    { name: 'training loss, with skips', measured: residual.map((l) => l.toPrecision(2)).join(', ') },
    { name: 'λ_min(K⁽ᴴ⁾), plain, H = 2 … 10', measured: kernels.plain.map((v) => v.toExponential(1)).join(', ') },
    { name: 'λ_min(K⁽ᴴ⁾), residual, H = 2 … 10', measured: kernels.residual.map((v) => v.toExponential(1)).join(', ') },
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `After the same training plain networks of 30 layers have loss ${plain[4].toPrecision(2)} and those with skips ${residual[4].toPrecision(2)}. In theory λ_min(K⁽ᴴ⁾) falls ${(kernels.plain[0] / kernels.plain[4]).toExponential(0)}-fold from H = 2 to 10 without skips and ${(kernels.residual[0] / kernels.residual[4]).toFixed(0)}-fold with them.`,
    measurements,
    figure: {
      title: 'Trainability over depth',
      xLabel: 'hidden layers',
      yLabel: 'training loss; λ_min',
      yScale: 'log',
      series: [
        { name: 'training loss, plain', mark: 'line', x: [...depths], y: plain },
        { name: 'training loss, with skips', mark: 'line', x: [...depths], y: residual },
        { name: 'λ_min(K⁽ᴴ⁾), plain', mark: 'points', x: [...kernelDepths], y: [...kernels.plain] },
        { name: 'λ_min(K⁽ᴴ⁾), residual', mark: 'points', x: [...kernelDepths], y: [...kernels.residual] },
      ],
      levels: [{ label: 'λ_min(K⁽⁰⁾)', value: kernels.input }],
    },
  }
}

export const depthClaims: readonly Claim[] = [
  {
    id: 'residual-trainability',
    topic,
    statement: 'Deep networks train with skip connections where plain ones of the same depth do not.',
    source: {
      text: 'He et al. 2016; Du et al. 2019',
      place: '§4.1; §6',
      reference: 'arXiv:1512.03385; arXiv:1811.03804',
    },
    experiment: `ReLU networks of width ${width} with 2 … 30 hidden layers, plain and x + σ(Wx + b), ${networks} each: training loss after 400 Adam steps on 120 samples. Beside it λ_min(K⁽ᴴ⁾) of both infinitely wide networks (softplus, 8 inputs on the sphere), H = 2 … 10.`,
    expected: 'holds',
    remark:
      'The kernels belong to infinitely wide networks in their own scaling: they explain the trend, not these losses. The constant of the paper’s first version, from K⁽⁰⁾, does not depend on depth at all.',
    estimateSeconds: 4,
    run: runTrainability,
  },
]
