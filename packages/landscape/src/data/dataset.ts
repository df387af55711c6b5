import { DomainError, ShapeError, isFloat, sizeOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { datasetDigest } from './dataset-digest.ts'

export type Task = 'classification' | 'regression'

/** Samples with their targets; never changed after `makeDataset` made it. */
export interface Dataset {
  readonly name: string
  /** Every input's first axis counts the samples; most models have one input, named `x`. */
  readonly inputs: Readonly<Record<string, Tensor>>
  /** int64 [n] class indices, or float [n × …]: values (regression) or class probabilities (classification). */
  readonly targets: Tensor
  readonly task: Task
  /** Number of classes; present exactly for classification. */
  readonly classCount?: number
  readonly classNames?: readonly string[]
  /** One weight per sample, ≥ 0 and not all 0. */
  readonly sampleWeights?: Float64Array
  /** SHA-256 of the content (not of `name` and `origin`): equal content, equal digest. Computed when first read. */
  readonly digest: string
  /** Where the samples came from: a path, or a generator with its parameters. */
  readonly origin: string
}

/** What `makeDataset` needs; `classCount` may be left out and is then one more than the largest label. */
export type DatasetFields = Omit<Dataset, 'digest'>

/** More classes than this (and than samples) are only believed when `classCount` says so. */
const derivedClassCountMax = 65536

/** Checks the fields and makes a data set of them. Tensors are kept, not copied; a float target [n] becomes [n × 1].
 *
 * @throws {ShapeError} if sample counts disagree, an axis is empty, or the targets do not fit the task.
 * @throws {DomainError} at the first NaN, infinity, label out of range or negative weight, naming sample and feature.
 * Cost: one pass over the data. */
export function makeDataset(fields: DatasetFields): Dataset {
  const where = `data set '${fields.name}'`
  const n = checkInputs(where, fields.inputs)
  const targets = checkTargets(where, fields, n)
  const classCount = fields.task === 'classification' ? classCountOf(where, fields, targets) : undefined
  if (fields.task === 'regression' && (fields.classCount !== undefined || fields.classNames !== undefined))
    throw new DomainError(`${where}: regression has no classes, got classCount or classNames. Leave them out.`)
  checkClassNames(where, fields.classNames, classCount)
  checkWeights(where, fields.sampleWeights, n)
  const { name, task, classNames, sampleWeights, origin } = fields
  let digest: string | undefined
  return Object.freeze({
    name,
    inputs: Object.freeze({ ...fields.inputs }),
    targets,
    task,
    ...(classCount === undefined ? {} : { classCount }),
    ...(classNames === undefined ? {} : { classNames: Object.freeze([...classNames]) }),
    ...(sampleWeights === undefined ? {} : { sampleWeights }),
    // A getter, because mini-batches and subsets rarely need it and it reads every byte.
    get digest(): string {
      digest ??= datasetDigest(this)
      return digest
    },
    origin,
  })
}

/** The data set with some fields replaced, checked again. */
export function withFields(dataset: Dataset, changes: Partial<DatasetFields>): Dataset {
  const { name, inputs, targets, task, classCount, classNames, sampleWeights, origin } = dataset
  return makeDataset({ name, inputs, targets, task, classCount, classNames, sampleWeights, origin, ...changes })
}

/** Number of samples n. */
export function sampleCount(dataset: Dataset): number {
  return dataset.targets.shape[0]
}

/** The input of that name.
 * @throws {DomainError} naming the inputs there are. */
export function inputNamed(dataset: Dataset, name: string): Tensor {
  const found = Object.hasOwn(dataset.inputs, name) ? dataset.inputs[name] : undefined
  if (!found) {
    const names = Object.keys(dataset.inputs).join(', ')
    throw new DomainError(`data set '${dataset.name}': no input named '${name}'. It has: ${names}.`)
  }
  return found
}

function checkInputs(where: string, inputs: Readonly<Record<string, Tensor>>): number {
  const entries = Object.entries(inputs)
  if (entries.length === 0) throw new ShapeError(`${where}: needs at least one input, got none.`)
  const [first, { shape }] = entries[0]
  for (const [name, value] of entries) {
    if (value.shape.length === 0 || sizeOf(value.shape) === 0)
      throw new ShapeError(
        `${where}: input '${name}' must have at least one sample and one feature, got shape [${value.shape}].`,
      )
    if (value.shape[0] !== shape[0])
      throw new ShapeError(
        `${where}: inputs must have the same number of samples, got ${shape[0]} in '${first}' and ${value.shape[0]} in '${name}'.`,
      )
    checkFinite(where, `input '${name}'`, value)
  }
  return shape[0]
}

/** @throws {DomainError} at the first NaN or infinity of a float tensor. */
function checkFinite(where: string, what: string, { dtype, shape, data }: Tensor): void {
  if (!isFloat(dtype)) return
  const values = data as Float64Array | Float32Array
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue
    const width = values.length / shape[0]
    const feature = shape.length > 1 ? `, feature ${i % width}` : ''
    throw new DomainError(
      `${where}: ${what} must be finite, got ${values[i]} at sample ${Math.floor(i / width)}${feature}. Remove or impute it.`,
      { index: i },
    )
  }
}

function checkTargets(where: string, { targets, task }: DatasetFields, n: number): Tensor {
  const { dtype, shape } = targets
  if (shape.length === 0 || shape[0] !== n)
    throw new ShapeError(
      `${where}: inputs have ${n} samples and targets ${shape.length === 0 ? 'none' : shape[0]}. Both need one per sample.`,
    )
  if (sizeOf(shape) === 0) throw new ShapeError(`${where}: targets must not be empty, got shape [${shape}].`)
  if (dtype === 'bool') throw new ShapeError(`${where}: targets must be int64 or float, got bool. Cast them.`)
  if (task === 'regression') {
    if (!isFloat(dtype))
      throw new ShapeError(`${where}: regression needs float targets, got ${dtype}. Cast them, or use classification.`)
    checkFinite(where, 'targets', targets)
    return shape.length === 1 ? { ...targets, shape: [n, 1] } : targets
  }
  if (dtype === 'int64' && shape.length !== 1)
    throw new ShapeError(`${where}: class indices must have shape [n], got [${shape}]. Save one-hot targets as floats.`)
  if (isFloat(dtype) && shape.length !== 2)
    throw new ShapeError(`${where}: class probabilities must have shape [n, classes], got [${shape}].`)
  checkFinite(where, 'targets', targets)
  return targets
}

/** The number of classes; checks every label against it. */
function classCountOf(where: string, { classCount, classNames }: DatasetFields, targets: Tensor): number {
  const given = classCount ?? classNames?.length
  if (given !== undefined && !(Number.isSafeInteger(given) && given >= 1))
    throw new DomainError(`${where}: classCount must be a positive integer, got ${given}.`)
  if (targets.dtype !== 'int64') {
    checkProbabilities(where, targets, given)
    return targets.shape[1]
  }
  const labels = targets.data as BigInt64Array
  let largest = 0n
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] < 0n || (given !== undefined && labels[i] >= BigInt(given)))
      throw new DomainError(
        `${where}: labels must be in 0…${given === undefined ? '' : given - 1}, got ${labels[i]} at sample ${i}. ` +
          'Renumber the classes, or use regression with float targets (as for ±1).',
        { sample: i },
      )
    if (labels[i] > largest) largest = labels[i]
  }
  if (given !== undefined) return given
  if (largest >= BigInt(Math.max(derivedClassCountMax, labels.length)))
    throw new DomainError(
      `${where}: integer targets are class indices, got ${largest} with ${labels.length} samples. ` +
        'Renumber the classes, give classCount, or use regression.',
    )
  return Number(largest) + 1
}

function checkProbabilities(where: string, { shape, data }: Tensor, given: number | undefined): void {
  const width = shape[1]
  if (given !== undefined && given !== width)
    throw new ShapeError(`${where}: ${given} classes need targets [n, ${given}], got [${shape}].`)
  for (let i = 0; i < data.length; i++)
    if (data[i] < 0 || data[i] > 1)
      throw new DomainError(
        `${where}: class probabilities must be in 0…1, got ${data[i]} at sample ${Math.floor(i / width)}, class ${i % width}. ` +
          'Use regression for other values.',
        { index: i },
      )
}

function checkClassNames(where: string, names: readonly string[] | undefined, classCount: number | undefined): void {
  if (names === undefined) return
  if (names.length !== classCount)
    throw new ShapeError(`${where}: ${classCount} classes need ${classCount} names, got ${names.length}.`)
  const repeated = names.find((name, i) => names.indexOf(name) !== i)
  if (repeated !== undefined) throw new DomainError(`${where}: class names must differ, got '${repeated}' twice.`)
}

function checkWeights(where: string, weights: Float64Array | undefined, n: number): void {
  if (weights === undefined) return
  if (weights.length !== n) throw new ShapeError(`${where}: ${n} samples need ${n} weights, got ${weights.length}.`)
  const bad = weights.findIndex((w) => !(w >= 0 && w < Infinity))
  if (bad >= 0) throw new DomainError(`${where}: weights must be finite and ≥ 0, got ${weights[bad]} at sample ${bad}.`)
  if (weights.every((w) => w === 0)) throw new DomainError(`${where}: at least one weight must be positive, got zeros.`)
}
