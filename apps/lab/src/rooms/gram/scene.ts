import {
  convergenceRun,
  depthBehavior,
  infiniteKernel,
  makeDataset,
  matrix,
  nearlyParallelPairs,
  predictedBound,
  randomStream,
  residualMlp,
  scaledMlp,
  smallestEigenvalue,
} from '@thalweg/landscape'
import type { ActivationName, Dataset, Matrix, Model } from '@thalweg/landscape'
import { tensor } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'

export const gramActivations = ['softplus', 'relu', 'tanh', 'erf', 'sin'] as const
export type GramActivation = (typeof gramActivations)[number]
export type GramFamily = 'fc' | 'resnet'

/** Inputs on the unit circle, and the network. */
export interface GramInput {
  readonly angles: readonly number[]
  readonly family: GramFamily
  readonly depth: number
  readonly activation: GramActivation
}

const residualFactor = 0.5

/** Points of the unit circle as rows, angles in degrees. */
function circlePoints(angles: readonly number[]): Matrix {
  const data = new Float64Array(2 * angles.length)
  angles.forEach((angle, i) => {
    data[2 * i] = Math.cos((angle * Math.PI) / 180)
    data[2 * i + 1] = Math.sin((angle * Math.PI) / 180)
  })
  return matrix(angles.length, 2, data)
}

/** Angles spread over half the circle, away from each other and from opposite points. */
export function spreadAngles(count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.round((20 + (320 * i) / Math.max(1, count)) * 10) / 10)
}

export interface KernelScene {
  readonly size: number
  /** K⁽ᴴ⁾, row-major. */
  readonly gram: Float64Array
  readonly lambdaMin: { readonly value: number; readonly bound: number; readonly largest: number }
  readonly chi: number
  readonly cSigma: number
  readonly nearest: { readonly samples: readonly [number, number]; readonly angle: number; readonly opposite: boolean }
  readonly method: string
}

/** The infinite-width Gram matrix of the last hidden layer. */
export async function kernelScene({ angles, family, depth, activation }: GramInput): Promise<KernelScene> {
  const x = circlePoints(angles)
  const kernel = infiniteKernel(x, { architecture: family, depth, activation, cRes: residualFactor, layers: false })
  const { value, bound, largest } = await smallestEigenvalue(kernel.gram, kernel.errors.gram)
  return {
    size: angles.length,
    gram: kernel.gram.data,
    lambdaMin: { value, bound, largest },
    chi: kernel.constants.chi,
    cSigma: kernel.constants.cSigma,
    nearest: nearlyParallelPairs(x, 1)[0],
    method: kernel.method,
  }
}

export interface DepthScene {
  readonly depths: readonly number[]
  readonly fc: readonly number[]
  readonly resnet: readonly number[]
  readonly chi: number
}

/** λ_min(K⁽ᴴ⁾) over depth, fully connected against residual. */
export async function depthScene(angles: readonly number[], activation: GramActivation): Promise<DepthScene> {
  const depths = Array.from({ length: 12 }, (_, i) => i + 1)
  const { chi, points } = await depthBehavior(circlePoints(angles), depths, { activation, cRes: residualFactor })
  return { depths, fc: points.map((p) => p.fc.value), resnet: points.map((p) => p.resnet.value), chi }
}

export interface SpoilScene {
  /** Degrees between the two nearest inputs, descending. */
  readonly gaps: readonly number[]
  readonly lambdaMin: readonly number[]
  readonly bound: readonly number[]
}

/** λ_min as the second input is moved towards the first. */
export async function spoilScene(input: GramInput): Promise<SpoilScene> {
  const gaps = Array.from({ length: 25 }, (_, i) => 60 * 10 ** (-i / 6))
  const found: { value: number; bound: number }[] = []
  for (const gap of gaps) {
    const angles = input.angles.map((angle, i) => (i === 1 ? input.angles[0] + gap : angle))
    const kernel = infiniteKernel(circlePoints(angles), {
      architecture: input.family,
      depth: input.depth,
      activation: input.activation,
      cRes: residualFactor,
      layers: false,
    })
    found.push(await smallestEigenvalue(kernel.gram, kernel.errors.gram))
  }
  return { gaps, lambdaMin: found.map(({ value }) => value), bound: found.map(({ bound }) => bound) }
}

export interface TrainingInput extends GramInput {
  readonly width: number
  readonly seed: number
  readonly steps: number
}

export interface TrainingScene {
  readonly steps: number
  /** L(θ(k)), k = 0 … steps. */
  readonly losses: Float64Array
  /** (1 − ηλ/2)ᵏ L(0); empty where λ is not positive beyond its error. */
  readonly bound: Float64Array
  /** What the linear dynamics under G(0) predict, at the measured steps. */
  readonly predicted: readonly { readonly step: number; readonly loss: number }[]
  readonly stepSize: number
  readonly lambda: number
  /** λ_min of the whole Gram matrix at the start. */
  readonly initialLambda: number
  readonly violations: number
  readonly linearized: boolean
  /** ‖W⁽ʰ⁾(k) − W⁽ʰ⁾(0)‖, the largest, and relative to ‖W⁽ʰ⁾(0)‖. */
  readonly movement: { readonly absolute: number; readonly relative: number }
  /** The width that the theorem asks for. */
  readonly theoremWidth: number | null
  readonly parameters: number
}

function gramModel({ family, depth, activation, width }: Omit<TrainingInput, 'seed' | 'steps'>): Model {
  const options = { inputs: 2, depth, width, activation: activation as ActivationName }
  return family === 'fc' ? scaledMlp(options) : residualMlp({ ...options, cRes: residualFactor })
}

/** Random signs: the theorem does not ask what the labels mean. */
export function gramLabels(count: number, seed: number): number[] {
  return [...randomStream(seed, 'rooms/gram labels', 0).rademacher(count)]
}

function gramDataset(angles: readonly number[], seed: number): Dataset {
  const n = angles.length
  const labels = Float64Array.from(gramLabels(n, seed))
  return makeDataset({
    name: 'circle',
    inputs: { x: tensor('float64', [n, 2], circlePoints(angles).data) },
    targets: tensor('float64', [n, 1], labels),
    task: 'regression',
    origin: `points of the unit circle, random signs, seed ${seed}`,
  })
}

/** Trains the network of finite width and holds its loss against the bound of the theorem. */
export async function trainingScene(
  engine: Engine,
  input: TrainingInput,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<TrainingScene> {
  const model = gramModel(input)
  const dataset = gramDataset(input.angles, input.seed)
  const run = await convergenceRun({
    engine,
    model,
    dataset,
    seed: input.seed,
    steps: input.steps,
    measurements: 6,
    signal: options.signal,
    onProgress: ({ done, total }) => options.onProgress?.(done, total),
  })
  const lambda = run.check?.lambdaMin
  const positive = lambda !== undefined && lambda.value > lambda.bound
  const movements = run.points.at(-1)?.movement ?? []
  return {
    steps: input.steps,
    losses: run.losses,
    bound: positive
      ? run.losses.map((_, k) => predictedBound(run.losses[0], run.stepSize.used, lambda.value, k))
      : new Float64Array(),
    predicted: run.points.map(({ step, predictedLoss }) => ({ step, loss: predictedLoss })),
    stepSize: run.stepSize.used,
    lambda: lambda?.value ?? Number.NaN,
    initialLambda: run.initial.value,
    violations: run.check?.violations ?? 0,
    linearized: run.linearized,
    movement: {
      absolute: Math.max(0, ...movements.map((m) => m.absolute)),
      relative: Math.max(0, ...movements.map((m) => m.relative)),
    },
    theoremWidth: run.check?.theorem?.width.value ?? null,
    parameters: model.parameters.reduce((sum, { shape }) => sum + shape.reduce((p, s) => p * s, 1), 0),
  }
}
