import { readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'
import { DomainError, FormatError } from '@thalweg/graph'
import { flattenParameters, lossNames, sampleCount } from '@thalweg/landscape'
import type { BatchNormMode, Dataset, LossName, LossSpec, Model } from '@thalweg/landscape'
import {
  experimentModelSource,
  loadExperimentData,
  loadExperimentModel,
  readExperiment,
} from '../experiment/load-experiment.ts'
import { experimentSchema } from '../experiment/schema.ts'
import type { Experiment } from '../experiment/schema.ts'
import { loadData } from '../formats/load-data.ts'
import { decodeSafetensors } from '../formats/safetensors.ts'
import { openModelWithData } from '../models/open-model-with-data.ts'
import type { ModelSource } from './portable-loss.ts'

/** What the command line says about MODEL and its loss. Everything but `model` may come from a run or an experiment. */
export interface SubjectArgument {
  readonly model: string
  readonly data?: readonly string[]
  readonly input?: readonly string[]
  readonly target?: string
  /** Array with one weight per sample. */
  readonly sampleWeights?: string
  readonly task?: 'classification' | 'regression'
  /** Of an `.onnx` file: which output or inner tensor, and which initializers are parameters (patterns with `*`). */
  readonly output?: string
  readonly train?: readonly string[]
  readonly freeze?: readonly string[]
  /** Of an `.onnx` file with batch normalization. */
  readonly batchNorm?: BatchNormMode
  readonly loss?: LossName
  readonly reduction?: 'mean' | 'sum'
  readonly weightDecay?: number
  readonly labelSmoothing?: number
  readonly power?: number
  readonly delta?: number
  readonly seed: number
}

/** A point on a loss surface: what every analysis starts from. */
export interface Subject {
  readonly path: string
  readonly model: Model
  /** From which another process can make the same model. */
  readonly source: ModelSource
  readonly theta: Float64Array
  readonly dataset: Dataset
  readonly dataPath: string
  readonly spec: LossSpec
  readonly weightDecay: number
  /** Known where the point comes from a run of ours. */
  readonly training: Experiment['training'] | undefined
  readonly warnings: readonly string[]
}

/** Opens MODEL: an `.onnx` file with its data, a run directory, one of its checkpoints, or an experiment (its start).
 * @throws {FormatError}, {DomainError} naming what is missing and the option that gives it. */
export async function openSubject(argument: SubjectArgument): Promise<Subject> {
  const info = await stat(argument.model).catch(() => undefined)
  if (!info) throw new FormatError(`${argument.model}: there is no such file or folder. Check the path.`)
  if (info.isDirectory())
    return openRun(argument, argument.model, join(argument.model, 'checkpoints', 'final.safetensors'))
  switch (extname(argument.model).toLowerCase()) {
    case '.onnx':
      return openFile(argument)
    case '.safetensors':
      return openRun(argument, dirname(dirname(resolve(argument.model))), argument.model)
    case '.yaml':
    case '.yml':
      return openExperiment(argument)
    default:
      throw new FormatError(
        `${argument.model}: a model is an .onnx file, a run directory, a checkpoint (.safetensors) or an experiment (.yaml).`,
      )
  }
}

async function openFile(argument: SubjectArgument): Promise<Subject> {
  if (!argument.data)
    throw new DomainError(`${argument.model}: the loss needs data. Pass --data FILE, or the name of a built-in set.`)
  if (!argument.loss)
    throw new DomainError(
      `${argument.model}: say on which loss the model was trained: --loss ${lossNames.join(' | ')}.`,
    )
  const { loss, model: path, output, train, freeze, batchNorm } = argument
  const { model, dataset } = await openModelWithData(path, argument.data, { ...argument, loss })
  return {
    path: argument.model,
    model,
    source: { kind: 'onnx', path, choice: { output, train, freeze, batchNorm, loss } },
    theta: model.initialize(argument.seed),
    dataset,
    dataPath: argument.data.join(','),
    spec: lossSpecOf(argument, { name: argument.loss, reduction: 'mean' }),
    weightDecay: argument.weightDecay ?? 0,
    training: undefined,
    warnings: model.notes,
  }
}

function loadArgumentData({ input, target, task }: SubjectArgument, data: readonly string[]): Promise<Dataset> {
  return loadData(data.length === 1 ? data[0] : data, { input, target, task })
}

/** The loss of an experiment with what the command line changes. */
function lossSpecOf(argument: SubjectArgument, base: LossSpec): LossSpec {
  const { loss, reduction, labelSmoothing, power, delta } = argument
  const kept = loss === undefined || loss === base.name ? base : { name: loss, reduction: base.reduction }
  return {
    ...kept,
    ...(reduction && { reduction }),
    ...(labelSmoothing !== undefined && { labelSmoothing }),
    ...(power !== undefined && { power }),
    ...(delta !== undefined && { delta }),
  }
}

interface Manifest {
  readonly file: string
  readonly experiment: unknown
  readonly data?: { readonly train?: { readonly digest?: string } }
}

async function openRun(argument: SubjectArgument, folder: string, checkpoint: string): Promise<Subject> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined)
  if (text === undefined)
    throw new FormatError(`${folder}: not a run directory: it has no manifest.json. Check the path.`)
  const manifest = parseManifest(text, folder)
  const parsed = experimentSchema.safeParse(manifest.experiment)
  if (!parsed.success)
    throw new FormatError(
      `${join(folder, 'manifest.json')}: its experiment is not valid: ${parsed.error.issues[0].message}.`,
    )
  const bytes = await readFile(checkpoint).catch(() => undefined)
  if (!bytes) throw new FormatError(`${checkpoint}: there is no such checkpoint. The run may have stopped before it.`)
  const { tensors } = decodeSafetensors(bytes, { file: checkpoint })
  const subject = await fromExperiment(argument, parsed.data, manifest.file, (model) =>
    flattenParameters(model, Object.fromEntries(tensors)),
  )
  const known = manifest.data?.train?.digest
  if (argument.data || known === undefined || known === subject.dataset.digest) return subject
  return {
    ...subject,
    warnings: [...subject.warnings, 'The data have changed since the run; its manifest has another digest.'],
  }
}

function parseManifest(text: string, folder: string): Manifest {
  try {
    const value = JSON.parse(text) as Partial<Manifest>
    if (typeof value.file === 'string' && typeof value.experiment === 'object') return value as Manifest
  } catch {
    // reported below, together with a manifest of another shape
  }
  throw new FormatError(`${join(folder, 'manifest.json')}: not the manifest of a run. It may be damaged.`)
}

async function openExperiment(argument: SubjectArgument): Promise<Subject> {
  const experiment = await readExperiment(argument.model)
  return fromExperiment(argument, experiment, argument.model, (model) => model.initialize(experiment.seed))
}

/** Options that say nothing about a run or an experiment: to ignore one would be to answer another question. */
function refuseIdleOptions(argument: SubjectArgument): void {
  const { model, data, output, train, freeze, batchNorm, sampleWeights, input, target, task } = argument
  const refuse = (options: Readonly<Record<string, unknown>>, where: string): void => {
    const idle = Object.keys(options).find((name) => options[name] !== undefined)
    if (idle !== undefined) throw new DomainError(`--${idle}: belongs to ${where}, got ${model}. Leave it out.`)
  }
  refuse({ output, train, freeze, 'batch-norm': batchNorm, 'sample-weights': sampleWeights }, 'an .onnx file')
  if (!data) refuse({ input, target, task }, 'an .onnx file or to --data')
}

async function fromExperiment(
  argument: SubjectArgument,
  experiment: Experiment,
  file: string,
  thetaOf: (model: Model) => Float64Array,
): Promise<Subject> {
  refuseIdleOptions(argument)
  const dataset = argument.data
    ? await loadArgumentData(argument, argument.data)
    : (await loadExperimentData(experiment, file)).train
  const read = argument.loss ?? experiment.loss.name
  const model = loadExperimentModel(experiment.model, file, dataset, read)
  const { weightDecay, ...spec } = experiment.loss
  return {
    path: argument.model,
    model,
    source: experimentModelSource(experiment.model, file, read),
    theta: thetaOf(model),
    dataset,
    dataPath: argument.data?.join(',') ?? dataset.origin,
    spec: lossSpecOf(argument, spec),
    weightDecay: argument.weightDecay ?? weightDecay,
    training: experiment.training,
    warnings: argument.data ? [...model.notes, ...otherDataWarnings(experiment)] : model.notes,
  }
}

function otherDataWarnings({ data }: Experiment): string[] {
  const other = 'The data are not those of the run: what is critical on one set is not on another.'
  return data.standardize ? [other, 'The run standardized its data; those of --data are taken as they are.'] : [other]
}

/** The data as a caption names them: files without their folders. */
export function dataName({ dataPath }: Pick<Subject, 'dataPath'>): string {
  return dataPath.replaceAll(/[^,]*[/\\]/g, '')
}

/** The part of every JSON document that says what was looked at. */
export function subjectJson(subject: Subject, lossValue: number, dtype: string): object {
  const { path, model, dataset, dataPath, spec } = subject
  return {
    model: { path, parameters: model.parameters.reduce((sum, p) => sum + p.shape.reduce((a, b) => a * b, 1), 0) },
    data: { path: dataPath, samples: sampleCount(dataset) },
    loss: { ...spec, value: lossValue, weightDecay: subject.weightDecay },
    dtype,
  }
}
