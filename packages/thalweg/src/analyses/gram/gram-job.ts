import { DomainError, numbersOf, tensor } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import {
  convergenceTheorem,
  dualActivation,
  gramArchitectureOf,
  infiniteKernel,
  inputRows,
  kernelOfModel,
  nearlyParallelPairs,
  sampleCount,
  smallestEigenvalue,
  standardKernel,
  subset,
  twoLayerRelu,
  unitRows,
  widthAdvice,
  withFields,
} from '@thalweg/landscape'
import type { Dataset, GramArchitecture, Matrix } from '@thalweg/landscape'
import { availableParallelism } from 'node:os'
import type { JobContext } from '../../jobs/job-context.ts'
import { openSubject, subjectJson } from '../../subject/subject.ts'
import type { Subject } from '../../subject/subject.ts'
import { deadlineOf } from '../deadline.ts'
import type { GramArgument, GramDocument } from './gram-argument.ts'
import { constantsOf, eigenvalueJson, matrices, requireScaledModel } from './gram-document.ts'
import { estimateKernel } from './gram-estimate.ts'
import { loadKernelData } from './gram-inputs.ts'
import { networkDocument } from './gram-network.ts'

/** Gram and tangent kernels of a network, or of its limit, with what they say about gradient descent. */
export async function gramJob(argument: GramArgument, context: JobContext): Promise<GramDocument> {
  checkArgument(argument)
  if (argument.twoLayer) return twoLayerDocument(argument, argument.twoLayer, context)
  if (argument.subject.model === '') return kernelsOfData(argument, context)
  const subject = limitedSubject(await openSubject(argument.subject), argument)
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
  if (
    argument.twoLayer &&
    (subject.model !== '' || kernel || widths || argument.depths || argument.labels !== undefined)
  )
    throw new DomainError('gram: --two-layer builds its own networks, give it --data, --steps and --step-size only.')
  if (subject.model === '' && !kernel && !argument.twoLayer)
    throw new DomainError(
      'gram: give a MODEL, or ask for a limit, --infinite or --standard ntk|nngp, or for --two-layer.',
    )
  const { depths, labels, checkpoints } = argument
  if (kernel && (steps !== undefined || widths || depths || labels !== undefined || checkpoints))
    throw new DomainError(
      'gram: --steps, --widths, --depths, --labels and --checkpoints are about a network; leave out --infinite and --standard.',
    )
  if (standard && subject.model !== '')
    throw new DomainError('gram: --standard takes --data, --depth and --activation, got a MODEL. Leave it out.')
  if (standard && architecture !== undefined && architecture !== 'fc')
    throw new DomainError(`gram: --standard is for fully connected networks, got --architecture ${architecture}.`)
  if (subject.model === '' && kernel && depth === undefined)
    throw new DomainError('gram: --infinite needs --depth, got none.')
  if (subject.model !== '' && (depth !== undefined || architecture !== undefined || argument.activation !== undefined))
    throw new DomainError('gram: --architecture, --depth and --activation are those of MODEL. Leave them out.')
  if (!standard && (argument.weightVariance !== undefined || argument.biasVariance !== undefined))
    throw new DomainError('gram: --weight-variance and --bias-variance belong to --standard ntk|nngp.')
  if (stepSize !== undefined && steps === undefined) throw new DomainError('gram: --step-size needs --steps, got none.')
}

/** `--infinite` and `--standard` without a MODEL. */
async function kernelsOfData(argument: GramArgument, context: JobContext): Promise<GramDocument> {
  const { onProgress } = context
  const { signal } = deadlineOf(context, argument.timeLimitMs)
  const dataset = firstSamples(await loadKernelData(argument.subject), argument.samples)
  const { architecture = 'fc', activation = 'softplus', cRes, image, patch, normalize, standard } = argument
  const depth = argument.depth!
  const rows = inputRows(dataset)
  const report = ({ done, total }: { readonly done: number; readonly total: number }): void =>
    onProgress({ stage: 'kernel', done, total })
  const rowCount = rows.rows * (image?.[1] ?? 1)
  estimateKernel(rowCount, depth, dualActivation(activation).method === 'closed-form', context)
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
    const { kernels, warnings } = await matrices(argument.out, gram, [], { nngp, ntk })
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
  const { kernels, warnings } = await matrices(argument.out, kernel.gram, kernel.layers, { tangent: kernel.tangent })
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

const twoLayerSteps = 200

/** Two-layer ReLU networks of several widths on the same data: the precursor of the theory. */
async function twoLayerDocument(
  argument: GramArgument,
  widths: readonly number[],
  context: JobContext,
): Promise<GramDocument> {
  const { subject, samples, normalize, steps = twoLayerSteps, stepSize = 1 } = argument
  const dataset = firstSamples(await loadKernelData(subject), samples)
  const x = inputRows(dataset)
  const y = numbersOf(dataset.targets)
  if (y.length !== x.rows || dataset.targets.dtype === 'int64')
    throw new DomainError('gram: --two-layer needs one number per sample as its target. Pass --task regression.')
  const deadline = deadlineOf(context, argument.timeLimitMs)
  const runs = []
  for (const width of widths) {
    if (deadline.signal.aborted) break
    const run = await twoLayerRelu(unitRows(x, normalize), y, { width, stepSize, steps, seed: subject.seed })
    const { lambda, squaredErrors, ...rest } = run
    runs.push({ width, ...rest, squaredErrors: Array.from(squaredErrors), lambda: lambda.value })
    context.onProgress({ stage: 'two-layer networks', done: runs.length, total: widths.length })
  }
  const whole = runs.length === widths.length
  const { gram, errors } = infiniteKernel(x, { architecture: 'fc', depth: 1, activation: 'relu', normalize })
  // c_σ = 2 for ReLU, where this network has 1/√m alone
  const half = { ...gram, data: gram.data.map((value) => value / 2) }
  const lambda = await smallestEigenvalue(half, errors.gram / 2)
  return {
    model: { path: null, parameters: null },
    data: { path: subject.data!.join(','), samples: x.rows },
    loss: null,
    dtype: 'float64',
    status: whole ? 'finished' : deadline.expired() ? 'time-limit' : 'interrupted',
    kernels: { gram: null, layers: null },
    ...eigenvalueJson(lambda, nearlyParallelPairs(x), 'relu'),
    stepSize,
    twoLayer: runs,
    warnings: whole ? [] : [`Stopped before all widths were trained: ${runs.length} of ${widths.length}.`],
  }
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
export function limitedSubject(
  subject: Subject,
  { samples, normalize }: Pick<GramArgument, 'samples' | 'normalize'>,
): Subject {
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
