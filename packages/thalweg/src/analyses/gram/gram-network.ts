import { DomainError, TaskError, numbersOf, sizeOf } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import {
  Loss,
  convergenceRun,
  convergenceTheorem,
  depthSweep,
  inputRows,
  kernelOfModel,
  labelAdvice,
  labelComparison,
  modelFromSpec,
  nearlyParallelPairs,
  networkGram,
  norm,
  oneHot,
  randomStream,
  runAdvice,
  sampleCount,
  scaledArchitecture,
  settingOf,
  smallestEigenvalue,
  subset,
  sweepAdvice,
  widthAdvice,
  widthSweep,
} from '@thalweg/landscape'
import type { ConvergenceRun, Dataset, DepthSweep, LabelRun, Model, WidthSweep } from '@thalweg/landscape'
import type { JobContext } from '../../jobs/job-context.ts'
import { subjectJson } from '../../subject/subject.ts'
import type { Subject } from '../../subject/subject.ts'
import { deadlineOf } from '../deadline.ts'
import type { Deadline } from '../deadline.ts'
import { eigenvalueJson, inlineRowsMax, matrices, requireScaledModel } from './gram-document.ts'
import type { GramArgument, GramDocument } from './gram-argument.ts'
import { estimateNetwork } from './gram-estimate.ts'
import { gramTrajectory } from './gram-trajectory.ts'

const rowsMax = 6000
const stepsDefault = 400
const seedsDefault = 3

/** The network itself: G at θ, by layer; along training, over widths, depths and labels where asked. What the time limit
 * or an interruption leaves undone is named; the rest of the document stands. */
export async function networkDocument(
  argument: GramArgument,
  subject: Subject,
  engine: Engine,
  context: JobContext,
): Promise<GramDocument> {
  const { model, dataset, theta, spec, weightDecay } = subject
  requireSmall(model, dataset)
  if (argument.widths || argument.depths) requireScaledModel(model)
  const loss = new Loss({ engine, model, dataset, spec, weightDecay })
  const deadline = deadlineOf(context, argument.timeLimitMs)
  await estimate(argument, subject, loss, engine, context)
  const { signal } = deadline
  const gram = await networkGram(loss, theta, {
    signal,
    onProgress: ({ done, total }) => context.onProgress({ stage: 'Gram matrix', done, total }),
  })
  const lambda = await smallestEigenvalue(gram.total)
  const layers = gram.layers.map(({ gram: layer }) => layer)
  const { kernels, warnings } = await matrices(argument.out, gram.total, layers, {})
  const pairs = Object.keys(dataset.inputs).length === 1 ? nearlyParallelPairs(inputRows(dataset)) : []
  const found = eigenvalueJson(lambda, pairs, scaledArchitecture(model)?.activation)
  const experiments = await experimentsOf(argument, subject, engine, loss, context, deadline)
  const { run, sweep, depths, labels, checkpoints, skipped } = experiments
  return {
    ...subjectJson(subject, await loss.value(theta), 'float64'),
    status: skipped.length === 0 ? 'finished' : deadline.expired() ? 'time-limit' : 'interrupted',
    kernels,
    layerNames: gram.layers.map(({ name }) => name),
    ...found,
    largestEigenvalue: lambda.largest,
    stabilityLimit: 2 / lambda.largest,
    ...(run && { convergence: runJson(run) }),
    ...(sweep && { sweep: sweepJson(sweep) }),
    ...(depths && { depths: depthsJson(depths) }),
    ...(labels && { labels: labels.map(({ losses, ...rest }) => ({ ...rest, losses: Array.from(losses) })) }),
    ...(checkpoints && { checkpoints }),
    advice: [...found.advice, ...(await networkAdvice(subject, experiments))],
    warnings: [
      ...subject.warnings,
      ...warnings,
      ...conventionWarning(argument, subject),
      ...skipped.map((name) => `Stopped before the ${name} ended.`),
    ],
  }
}

interface Experiments {
  readonly run?: ConvergenceRun
  readonly sweep?: WidthSweep
  readonly depths?: DepthSweep
  readonly labels?: readonly LabelRun[]
  readonly checkpoints?: readonly object[]
  readonly skipped: readonly string[]
}

async function experimentsOf(
  argument: GramArgument,
  { model, dataset, theta }: Subject,
  engine: Engine,
  loss: Loss,
  context: JobContext,
  deadline: Deadline,
): Promise<Experiments> {
  const { steps, stepSize, widths, depths, seeds = seedsDefault, labels, checkpoints } = argument
  const { now, onProgress } = context
  const { signal } = deadline
  const skipped: string[] = []
  const part = async <T>(asked: unknown, name: string, work: () => Promise<T>): Promise<T | undefined> => {
    if (!asked) return undefined
    try {
      if (!signal.aborted) {
        const result = await work()
        // a run that was stopped ends early and tells what it saw
        if (signal.aborted) skipped.push(name)
        return result
      }
    } catch (error) {
      if (!(error instanceof TaskError && signal.aborted)) throw error
    }
    skipped.push(name)
    return undefined
  }
  const staged =
    (stage: string) =>
    ({ done, total }: { readonly done: number; readonly total: number }) =>
      onProgress({ stage, done, total })
  const common = { engine, dataset, signal, now }
  const swept = { ...common, seeds, steps: steps ?? stepsDefault }
  return {
    run: await part(steps && (argument.runToo || (!widths && !depths && !labels)), 'run', () =>
      convergenceRun({ ...common, model, theta, steps: steps!, stepSize, onProgress }),
    ),
    sweep: await part(widths, 'width sweep', () =>
      widthSweep({
        ...{ ...swept, widths: widths!, modelOf: (width) => scaledModelOf(model, { width }) },
        onProgress: staged('width sweep'),
      }),
    ),
    depths: await part(depths, 'depth sweep', () =>
      depthSweep({
        ...{ ...swept, depths: depths!, modelOf: (depth) => scaledModelOf(model, { depth }) },
        onProgress: staged('depth sweep'),
      }),
    ),
    labels: await part(labels, 'comparison of labels', () =>
      labelComparison({
        ...{ ...common, model, steps: steps ?? stepsDefault },
        ...{ seed: argument.subject.seed, labels: labelSets(dataset, labels!, argument.subject.seed) },
      }),
    ),
    checkpoints: await part(checkpoints, 'Gram matrices of the checkpoints', () =>
      gramTrajectory(argument.subject, loss, { ...context, signal }),
    ),
    skipped,
  }
}

/** The targets, and as many sets in which they are dealt to the samples at random. */
function labelSets(dataset: Dataset, count: number, seed: number): Record<string, Float64Array> {
  const { targets } = dataset.targets.dtype === 'int64' ? oneHot(dataset) : dataset
  const values = Float64Array.from(numbersOf(targets))
  const n = sampleCount(dataset)
  const k = values.length / n
  const sets: Record<string, Float64Array> = { true: values }
  for (let set = 1; set <= count; set++) {
    const order = randomStream(seed, 'gram/random labels', set).permutation(n)
    sets[`random ${set}`] = values.map((_, at) => values[order[Math.floor(at / k)] * k + (at % k)])
  }
  return sets
}

/** Whether theorem and measurement say that this network is in the regime of the bound, and what it would take. */
async function networkAdvice({ model, dataset }: Subject, { run, sweep, labels }: Experiments): Promise<string[]> {
  const scaled = scaledArchitecture(model)
  const width = scaled?.width
  return [
    ...(scaled ? await theoremAdvice(model, dataset, scaled.width, run) : []),
    ...(run ? runAdvice(run, width ?? widestLayer(model)) : []),
    ...(sweep ? sweepAdvice(sweep) : []),
    ...(labels ? labelAdvice(labels) : []),
    ...(scaled || run
      ? []
      : [
          'No theorem of Du et al. covers this architecture; --steps N measures whether it trains as its linearization.',
        ]),
  ]
}

async function theoremAdvice(model: Model, dataset: Dataset, width: number, run?: ConvergenceRun): Promise<string[]> {
  if (run?.check) return widthAdvice(run.check.theorem, width)
  const x = inputRows(dataset)
  const unit = Array.from({ length: x.rows }, (_, i) => norm(x.data.subarray(i * x.cols, (i + 1) * x.cols)))
  if (unit.some((length) => Math.abs(length - 1) > 1e-6))
    return ['The theorems are about inputs of norm 1, and some of these are not: pass --normalize.']
  const { gram, errors } = kernelOfModel(model, dataset)
  const { value, bound } = await smallestEigenvalue(gram, errors.gram)
  const setting = { ...settingOf(model, gram.rows), lambda: value }
  return widthAdvice(value > bound ? convergenceTheorem(setting) : null, width)
}

/** Of any model: the longest first axis of a hidden layer's weights. */
function widestLayer(model: Model): number | undefined {
  const widths = model.parameters.slice(0, -1).flatMap(({ shape }) => (shape.length >= 2 ? [shape[0]] : []))
  return widths.length === 0 ? undefined : Math.max(...widths)
}

function conventionWarning({ steps, widths, depths, labels }: GramArgument, { spec, weightDecay }: Subject): string[] {
  if (steps === undefined && !widths && !depths && !labels) return []
  if (spec.name === 'half-sum-squares' && weightDecay === 0) return []
  return [`Steps are taken on ½ Σ ‖f − y‖² without regularization, the loss of the theory, not on ${spec.name}.`]
}

function runJson(run: ConvergenceRun): object {
  const { points, losses, check, initial, ...rest } = run
  const few = points.length > 0 && points[0].outputs.measured.length <= inlineRowsMax
  return {
    ...rest,
    initial: { lambdaMin: { value: initial.value, bound: initial.bound }, largest: initial.largest },
    check: check && { ...check, lambdaMin: { value: check.lambdaMin.value, bound: check.lambdaMin.bound } },
    losses: Array.from(losses),
    points: points.map(({ outputs, ...point }) => ({ ...point, ...(few && { outputs }) })),
  }
}

function sweepJson({ lambdaMin, ...rest }: WidthSweep): object {
  return { lambdaMin: { value: lambdaMin.value, bound: lambdaMin.bound }, ...rest }
}

function depthsJson({ points, lambdaOfInputs }: DepthSweep): object {
  const short = ({ value, bound }: { readonly value: number; readonly bound: number }): object => ({ value, bound })
  return {
    points: points.map(({ lambdaMin, ...rest }) => ({ ...rest, lambdaMin: short(lambdaMin) })),
    lambdaOfInputs: lambdaOfInputs && short(lambdaOfInputs),
  }
}

/** The scaled network that differs from `model` in its width or its depth only. */
function scaledModelOf(model: Model, change: { readonly width?: number; readonly depth?: number }): Model {
  const { family, depth, width, activation, cRes, patch } = requireScaledModel(model)
  const { shape } = model.inputs[0]
  const common = { depth, width, activation, ...change } as { depth: number; width: number; activation: 'softplus' }
  if (family === 'fully-connected') return modelFromSpec({ kind: 'scaled-mlp', ...common, inputs: shape[0] })
  if (family === 'residual') return modelFromSpec({ kind: 'residual-mlp', ...common, inputs: shape[0], cRes })
  return modelFromSpec({ kind: 'conv-resnet', ...common, inputShape: shape, cRes, patch })
}

function estimate(
  { steps, widths, depths, seeds = seedsDefault, labels }: GramArgument,
  { model, dataset, theta, spec, weightDecay }: Subject,
  loss: Loss,
  engine: Engine,
  context: JobContext,
): Promise<void> {
  const width = scaledArchitecture(model)?.width
  const work = { steps, widths, width, seeds, depths, labelSets: labels === undefined ? 0 : labels + 1 }
  const lossOf = (samples: readonly number[]): Loss =>
    new Loss({ engine, model, dataset: subset(dataset, samples), spec, weightDecay })
  return estimateNetwork(loss, theta, work, context, lossOf)
}

function requireSmall(model: Model, dataset: Dataset): void {
  const rows = sampleCount(dataset) * sizeOf(model.outputShape)
  if (rows > rowsMax)
    throw new DomainError(
      `gram: the matrix has samples × outputs rows, at most ${rowsMax}, got ${rows}. Pass --samples N.`,
    )
}
