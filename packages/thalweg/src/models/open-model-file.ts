import { basename } from 'node:path'
import { ThalwegError } from '@thalweg/graph'
import type { OnnxModel } from '@thalweg/graph'
import { modelFromOnnx, selectOutput } from '@thalweg/landscape'
import type { BatchNormMode, Dataset, Model } from '@thalweg/landscape'
import { readOnnxFile } from '../formats/onnx-file.ts'

/** What the user may say about a model file. */
export interface ModelChoice {
  /** An output, or any tensor inside. */
  readonly output?: string
  /** Initializers to train or hold: names or patterns with `*`. */
  readonly train?: readonly string[]
  readonly freeze?: readonly string[]
  readonly batchNorm?: BatchNormMode
  /** Name of the loss that will read the output. */
  readonly loss?: string
}

/** A model, and the file it came from where it came from one (cut down to the output in use). */
export interface OpenedModel {
  readonly model: Model
  readonly file?: OnnxModel
}

/** A model file; axes that it leaves open are taken from the data.
 * @throws {FormatError}, {UnsupportedError}, {ShapeError}, {DomainError} naming file, node and cure. */
export function openModelFile(path: string, choice: ModelChoice = {}, data?: Dataset): Required<OpenedModel> {
  return modelOfFile(readOnnxFile(path), path, choice, data)
}

/** The same for a file that is read already. */
export function modelOfFile(
  whole: OnnxModel,
  path: string,
  choice: ModelChoice = {},
  data?: Dataset,
): Required<OpenedModel> {
  return atFile(path, () => {
    const file = selectOutput(whole, choice).model
    const model = modelFromOnnx(whole, { ...choice, name: basename(path), inputShapes: openShapes(file, data) })
    return { model, file }
  })
}

/** Runs work whose errors then name the file. */
export function atFile<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof ThalwegError) || cause.message.startsWith(path)) throw cause
    const Kind = cause.constructor as new (message: string, details: object, cause: unknown) => ThalwegError
    throw new Kind(`${path}: ${cause.message.replace(/^model: /, '')}`, cause.details, cause)
  }
}

/** Shapes per sample of inputs whose axes the file leaves open. */
function openShapes(file: OnnxModel, data: Dataset | undefined): Record<string, readonly number[]> {
  const names = data ? Object.keys(data.inputs) : []
  const shapes = file.inputs.flatMap(({ name, shape }) => {
    const fixed = shape?.slice(1).every((d) => typeof d === 'number') && shape.length > 0
    const key = names.includes(name) ? name : file.inputs.length === 1 && names.length === 1 ? names[0] : undefined
    return fixed || key === undefined ? [] : [[name, data!.inputs[key].shape.slice(1)] as const]
  })
  return Object.fromEntries(shapes)
}
