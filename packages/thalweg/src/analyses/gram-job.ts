import { DomainError, sizeOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import type { Engine } from '@thalweg/engine'
import {
  Loss,
  activationConstants,
  convergenceRun,
  convergenceTheorem,
  dualActivation,
  eigenvalueAdvice,
  gramArchitectureOf,
  infiniteKernel,
  inputRows,
  kernelOfModel,
  modelFromSpec,
  nearlyParallelPairs,
  networkGram,
  runAdvice,
  sampleCount,
  scaledArchitecture,
  smallestEigenvalue,
  standardKernel,
  subset,
  unitRows,
  widthAdvice,
  widthSweep,
  withFields,
} from '@thalweg/landscape'
import type {
  ConvergenceRun,
  Dataset,
  GramArchitecture,
  Matrix,
  Model,
  NearPair,
  SmallestEigenvalue,
} from '@thalweg/landscape'
import { availableParallelism } from 'node:os'
import { writeFileAtomic } from '../files/write-atomic.ts'
import { encodeNpz } from '../formats/npz.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { openSubject, subjectJson } from '../subject/subject.ts'
import type { Subject, SubjectArgument } from '../subject/subject.ts'
import { loadKernelData } from './gram-inputs.ts'
import { gramTrajectory } from './gram-trajectory.ts'

export interface GramArgument {
  /** Everything about MODEL and its data; `model` is empty where only data are looked at. */
  readonly subject: SubjectArgument
  /** The limit of infinite width instead of the network itself. */
  readonly infinite: boolean
  readonly architecture?: GramArchitecture
  readonly depth?: number
  readonly activation?: string
  readonly cRes?: number
  /** [channels, pixels]. */
  readonly image?: readonly [number, number]
  readonly patch?: number
  readonly normalize: boolean
  readonly standard?: 'ntk' | 'nngp'
  readonly weightVariance?: number
  readonly biasVariance?: number
  /** The first so many samples. */
  readonly samples?: number
  /** Gradient descent steps to follow, and their size for ½ Σ ‖f − y‖². */
  readonly steps?: number
  readonly stepSize?: number
  /** Widths of a sweep, and networks per width. */
  readonly widths?: readonly number[]
  readonly seeds?: number
  /** Gram matrices at the checkpoints of a run. */
  readonly checkpoints?: boolean
  /** File for the matrices (.npz). */
  readonly out?: string
  readonly threads?: number
}

/** The document that `thalweg gram --json` prints, without the common head. */
export type GramDocument = Readonly<Record<string, unknown>>

/** Matrices with more rows than this go to a file, not into the document. */
const inlineRowsMax = 512
const rowsMax = 6000

/** Gram and tangent kernels of a network, or of its limit, with what they say about gradient descent. */
export async function gramJob(argument: GramArgument, context: JobContext): Promise<GramDocument> {
  checkArgument(argument)
  if (argument.subject.model === '') return kernelsOfData(argument, context)
  const subject = limited(await openSubject(argument.subject), argument)
  if (argument.infinite) return limitOfModel(argument, subject)
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    return await networkDocument(argument, subject, engine, context)
  } finally {
    await engine.dispose()
  }
}

/** @throws {DomainError} for options that do not belong together. */
function checkArgument(argument: GramArgument): void {
  const { subject, infinite, standard, architecture, depth, steps, widths, stepSize } = argument
  const kernel = infinite || standard !== undefined
  if (subject.model === '' && !kernel)
    throw new DomainError('gram: give a MODEL, or ask for a limit: --infinite or --standard ntk|nngp.')
  if (kernel && (steps !== undefined || widths || argument.checkpoints))
    throw new DomainError(
      'gram: --steps, --widths and --checkpoints are about a network; leave out --infinite and --standard.',
    )
  if (standard && subject.model !== '')
    throw new DomainError('gram: --standard takes --data, --depth and --activation, got a MODEL. Leave it out.')
  if (standard && architecture !== undefined && architecture !== 'fc')
    throw new DomainError(`gram: --standard is for fully connected networks, got --architecture ${architecture}.`)
  if (subject.model === '' && depth === undefined) throw new DomainError('gram: --infinite needs --depth, got none.')
  if (subject.model !== '' && (depth !== undefined || architecture !== undefined || argument.activation !== undefined))
    throw new DomainError('gram: --architecture, --depth and --activation are those of MODEL. Leave them out.')
  if (!standard && (argument.weightVariance !== undefined || argument.biasVariance !== undefined))
    throw new DomainError('gram: --weight-variance and --bias-variance belong to --standard ntk|nngp.')
  if (stepSize !== undefined && steps === undefined) throw new DomainError('gram: --step-size needs --steps, got none.')
}

/** `--infinite` and `--standard` without a MODEL. */
async function kernelsOfData(argument: GramArgument, { onProgress, signal }: JobContext): Promise<GramDocument> {
  const dataset = firstSamples(await loadKernelData(argument.subject), argument.samples)
  const { architecture = 'fc', activation = 'softplus', cRes, image, patch, normalize, standard } = argument
  const depth = argument.depth!
  const rows = inputRows(dataset)
  const report = ({ done, total }: { readonly done: number; readonly total: number }): void =>
    onProgress({ stage: 'kernel', done, total })
  const head = {
    model: { path: null, parameters: null },
    data: { path: argument.subject.data!.join(','), samples: sampleCount(dataset) },
    loss: null,
    dtype: 'float64',
  }
  if (standard) {
    const { weightVariance = 1, biasVariance = 0 } = argument
    const x = normalize ? unitRows(rows, true) : rows
    const options = { depth, activation, weightVariance, biasVariance, signal, onProgress: report }
    const { nngp, ntk, errors, method } = standardKernel(x, options)
    const gram = standard === 'ntk' ? ntk : nngp
    const { kernels, warnings } = await matrices(argument, gram, [], { nngp, ntk })
    const lambda = await smallestEigenvalue(gram, errors[standard])
    return {
      ...head,
      parametrization: { name: standard, weightVariance, biasVariance },
      ...{ architecture: 'fc', depth, activation, kernels, errors, expectations: method },
      ...eigenvalueJson(lambda, nearlyParallelPairs(x), activation),
      constants: constantsOf(activation, null),
      warnings,
    }
  }
  const kernel = infiniteKernel(rows, {
    ...{ architecture, depth, activation, cRes, patch, normalize, signal, onProgress: report },
    ...(image && { image: { channels: image[0], pixels: image[1] } }),
  })
  return limitDocument(argument, head, rows, kernel, { architecture, depth, activation })
}

/** `--infinite` with a scaled MODEL: the limit of its own architecture. */
async function limitOfModel(argument: GramArgument, subject: Subject): Promise<GramDocument> {
  const scaled = requireScaledModel(subject.model)
  const kernel = kernelOfModel(subject.model, subject.dataset)
  const head = { ...subjectJson(subject, Number.NaN, 'float64'), loss: null }
  const which = {
    architecture: gramArchitectureOf(subject.model),
    depth: scaled.depth,
    activation: scaled.activation,
    width: scaled.width,
  }
  return limitDocument(argument, head, inputRows(subject.dataset), kernel, which)
}

function requireScaledModel(model: Model): NonNullable<ReturnType<typeof scaledArchitecture>> {
  const scaled = scaledArchitecture(model)
  if (!scaled)
    throw new DomainError(
      `gram: the limit is known for scaled-mlp, residual-mlp and conv-resnet, got ${model.name}. Leave out --infinite, or describe a network by --architecture and --depth with --data.`,
    )
  return scaled
}

interface LimitOf {
  readonly architecture: GramArchitecture
  readonly depth: number
  readonly activation: string
  readonly width?: number
}

async function limitDocument(
  argument: GramArgument,
  head: object,
  rows: Matrix,
  kernel: ReturnType<typeof infiniteKernel>,
  which: LimitOf,
): Promise<GramDocument> {
  const { kernels, warnings } = await matrices(argument, kernel.gram, kernel.layers, { tangent: kernel.tangent })
  const lambda = await smallestEigenvalue(kernel.gram, kernel.errors.gram)
  const setting = { ...which, samples: rows.rows, lambda: lambda.value, pixels: argument.image?.[1] }
  const theorem = lambda.value > lambda.bound ? convergenceTheorem(setting) : null
  const found = eigenvalueJson(lambda, nearlyParallelPairs(rows), which.activation)
  return {
    ...head,
    ...which,
    kernels,
    errors: kernel.errors,
    expectations: kernel.method,
    ...found,
    constants: kernel.constants,
    theorem,
    advice: [...found.advice, ...(which.width === undefined ? [] : widthAdvice(theorem, which.width))],
    warnings,
  }
}

/** The network itself: G at θ, by layer; along training and over widths where asked. */
async function networkDocument(
  argument: GramArgument,
  subject: Subject,
  engine: Engine,
  context: JobContext,
): Promise<GramDocument> {
  const { onProgress, signal, now } = context
  const { model, dataset, theta, spec, weightDecay } = subject
  requireSmall(model, dataset)
  const loss = new Loss({ engine, model, dataset, spec, weightDecay })
  const value = await loss.value(theta)
  const gram = await networkGram(loss, theta, {
    signal,
    onProgress: ({ done, total }) => onProgress({ stage: 'Gram matrix', done, total }),
  })
  const lambda = await smallestEigenvalue(gram.total)
  const layers = gram.layers.map(({ gram: layer }) => layer)
  const { kernels, warnings } = await matrices(argument, gram.total, layers, {})
  const pairs =
    dataset.inputs && Object.keys(dataset.inputs).length === 1 ? nearlyParallelPairs(inputRows(dataset)) : []
  const scaled = scaledArchitecture(model)
  const found = eigenvalueJson(lambda, pairs, scaled?.activation)
  const run =
    argument.steps === undefined
      ? undefined
      : await convergenceRun({
          ...{ engine, model, dataset, theta, steps: argument.steps, stepSize: argument.stepSize, signal, now },
          onProgress,
        })
  const sweep = argument.widths && (await sweepOf(argument, argument.widths, subject, engine, context))
  const checkpoints = argument.checkpoints && (await gramTrajectory(argument.subject, loss, context))
  return {
    ...subjectJson(subject, value, 'float64'),
    kernels,
    layerNames: gram.layers.map(({ name }) => name),
    ...found,
    largestEigenvalue: lambda.largest,
    stabilityLimit: 2 / lambda.largest,
    ...(run && { convergence: runJson(run) }),
    ...(sweep && { sweep }),
    ...(checkpoints && { checkpoints }),
    advice: [
      ...found.advice,
      ...(run?.check && scaled ? widthAdvice(run.check.theorem, scaled.width) : []),
      ...(run ? runAdvice(run) : []),
    ],
    warnings: [...subject.warnings, ...warnings, ...conventionWarning(argument, subject)],
  }
}

function conventionWarning({ steps, widths }: GramArgument, { spec, weightDecay }: Subject): string[] {
  if (steps === undefined && !widths) return []
  if (spec.name === 'half-sum-squares' && weightDecay === 0) return []
  return [`Steps are taken on ½ Σ ‖f − y‖² without regularization, the loss of the theory, not on ${spec.name}.`]
}

function runJson(run: ConvergenceRun): object {
  const { points, losses, check, initial, ...rest } = run
  return {
    ...rest,
    initial: { lambdaMin: { value: initial.value, bound: initial.bound }, largest: initial.largest },
    check: check && { ...check, lambdaMin: { value: check.lambdaMin.value, bound: check.lambdaMin.bound } },
    losses: Array.from(losses),
    points,
  }
}

async function sweepOf(
  { seeds, steps }: GramArgument,
  widths: readonly number[],
  { model, dataset }: Subject,
  engine: Engine,
  { signal, now, onProgress }: JobContext,
): Promise<object> {
  requireScaledModel(model)
  const { lambdaMin, ...rest } = await widthSweep({
    ...{ engine, dataset, widths, seeds, steps: steps ?? 400, signal, now },
    modelOf: (width) => scaledModelOfWidth(model, width),
    onProgress: ({ done, total }) => onProgress({ stage: 'width sweep', done, total }),
  })
  return { lambdaMin: { value: lambdaMin.value, bound: lambdaMin.bound }, ...rest }
}

/** The scaled network that differs from `model` in its width only. */
function scaledModelOfWidth(model: Model, width: number): Model {
  const { family, depth, activation, cRes, patch } = requireScaledModel(model)
  const { shape } = model.inputs[0]
  const common = { depth, width, activation } as { depth: number; width: number; activation: 'softplus' }
  if (family === 'fully-connected') return modelFromSpec({ kind: 'scaled-mlp', ...common, inputs: shape[0] })
  if (family === 'residual') return modelFromSpec({ kind: 'residual-mlp', ...common, inputs: shape[0], cRes })
  return modelFromSpec({ kind: 'conv-resnet', ...common, inputShape: shape, cRes, patch })
}

function constantsOf(activation: string, cRes: number | null): object {
  const { cSigma, chi } = activationConstants(dualActivation(activation))
  return { cSigma, cRes, chi }
}

interface EigenvalueJson {
  readonly lambdaMin: { readonly value: number; readonly bound: number; readonly method: string }
  readonly nearlyParallel: readonly NearPair[]
  readonly advice: readonly string[]
}

function eigenvalueJson(lambda: SmallestEigenvalue, pairs: readonly NearPair[], activation?: string): EigenvalueJson {
  // odd and even activations cannot tell x from −x in the limit; ReLU and its kin can
  const kinked = activation !== undefined && dualActivation(activation).kink > 0
  return {
    lambdaMin: { value: lambda.value, bound: lambda.bound, method: lambda.method },
    nearlyParallel: pairs,
    advice: eigenvalueAdvice(lambda, pairs, kinked),
  }
}

/** The matrices of the document: inline up to 512 rows, in the file of --out in any case. */
async function matrices(
  { out }: GramArgument,
  gram: Matrix,
  layers: readonly Matrix[],
  more: Readonly<Record<string, Matrix>>,
): Promise<{ kernels: object; warnings: string[] }> {
  if (out !== undefined) {
    if (!/\.npz$/i.test(out)) throw new DomainError(`--out: must be an .npz file, got ${out}.`)
    const named = Object.fromEntries(layers.map((layer, h) => [`layer_${h}`, asTensor(layer)]))
    const others = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, asTensor(value)]))
    await writeFileAtomic(out, encodeNpz({ gram: asTensor(gram), ...named, ...others }))
  }
  const inline = gram.rows <= inlineRowsMax
  const file = out === undefined ? {} : { file: out }
  if (!inline)
    return {
      kernels: { gram: null, layers: null, ...file },
      warnings:
        out === undefined
          ? [`Matrices of more than ${inlineRowsMax} rows are not printed. Pass --out FILE.npz to keep them.`]
          : [],
    }
  const rest = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, rowsOf(value)]))
  return { kernels: { gram: rowsOf(gram), layers: layers.map(rowsOf), ...rest, ...file }, warnings: [] }
}

function asTensor({ rows, cols, data }: Matrix): Tensor {
  return tensor('float64', [rows, cols], data)
}

function rowsOf({ rows, cols, data }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * cols, (i + 1) * cols)))
}

function firstSamples(dataset: Dataset, samples: number | undefined): Dataset {
  const n = sampleCount(dataset)
  if (samples === undefined || samples >= n) return dataset
  return subset(
    dataset,
    Array.from({ length: samples }, (_, i) => i),
  )
}

/** The subject on the samples that are looked at, of norm 1 where asked. */
function limited(subject: Subject, { samples, normalize }: GramArgument): Subject {
  const dataset = firstSamples(subject.dataset, samples)
  return { ...subject, dataset: normalize ? normalized(dataset) : dataset }
}

function normalized(dataset: Dataset): Dataset {
  const [name] = Object.keys(dataset.inputs)
  const unit = unitRows(inputRows(dataset), true)
  const { shape } = dataset.inputs[name]
  return withFields(dataset, {
    inputs: { [name]: tensor('float64', shape, unit.data) },
    origin: `${dataset.origin}, unit norm`,
  })
}

function requireSmall(model: Model, dataset: Dataset): void {
  const rows = sampleCount(dataset) * sizeOf(model.outputShape)
  if (rows > rowsMax)
    throw new DomainError(
      `gram: the matrix has samples × outputs rows, at most ${rowsMax}, got ${rows}. Pass --samples N.`,
    )
}
