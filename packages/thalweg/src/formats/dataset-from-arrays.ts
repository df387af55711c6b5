import { DomainError, castTensor, isFloat, numbersOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { makeDataset } from '@thalweg/landscape'
import type { Dataset, Task } from '@thalweg/landscape'
import { parseInputs } from './named-inputs.ts'
import type { NamedArrays } from './npz.ts'

/** Which arrays or columns are inputs and targets, and what they mean. */
export interface Selection {
  /** `NAME=KEY` for each model input; default `x=x`, or all columns but the target. */
  readonly input?: readonly string[]
  /** Array or column of the targets; default `y`, or the last column. */
  readonly target?: string
  /** Default: classification where the targets are integers or texts, otherwise regression. */
  readonly task?: Task
  readonly classCount?: number
}

export interface Provenance {
  readonly name: string
  readonly origin: string
  readonly classNames?: readonly string[]
}

/** A data set from named arrays, first axis = samples.
 * @throws {DomainError} listing the arrays, if a chosen one is not there. */
export function datasetFromArrays(arrays: NamedArrays, selection: Selection, provenance: Provenance): Dataset {
  const chosen = parseInputs(selection.input ?? ['x=x'])
  const target = selection.target ?? 'y'
  for (const key of [...chosen.map((input) => input.key), target])
    if (!arrays.names.includes(key))
      throw new DomainError(
        `${arrays.source.file}: no array '${key}'. It holds ${describe(arrays)}. ` +
          'Choose with --input NAME=KEY (such as x=KEY) and --target KEY.',
        { names: arrays.names },
      )
  const inputs = Object.fromEntries(chosen.map(({ name, key }) => [name, arrays.read(key)]))
  const targets = targetsOf(arrays.read(target), `${arrays.source.file}, array '${target}'`, selection.task)
  const task = targets.task
  const classCount = task === 'classification' ? selection.classCount : undefined
  return makeDataset({ inputs, targets: targets.value, task, classCount, ...provenance })
}

/** Names with dtypes and shapes, as far as they can be read. */
function describe(arrays: NamedArrays): string {
  if (arrays.names.length === 0) return 'no arrays'
  const described = arrays.names.slice(0, 20).map((name) => {
    try {
      const { dtype, shape } = arrays.read(name)
      return `${name} (${dtype} [${shape}])`
    } catch {
      return `${name} (unreadable)`
    }
  })
  return described.join(', ') + (arrays.names.length > 20 ? `, and ${arrays.names.length - 20} more` : '')
}

/** Targets as a data set wants them: integers [n] or [n × 1] and booleans are class indices, floats are values. */
function targetsOf(value: Tensor, where: string, task: Task | undefined): { value: Tensor; task: Task } {
  const { dtype, shape } = value
  const column = shape.length === 1 || (shape.length === 2 && shape[1] === 1)
  if (!isFloat(dtype)) {
    if (task === 'regression') return { value: castTensor(value, 'float64'), task }
    if (!column)
      throw new DomainError(
        `${where}: integer targets are class indices of shape [n], got [${shape}]. ` +
          'Save one-hot targets as floats, or use task regression.',
      )
    const labels = castTensor(value, 'int64')
    return { value: tensor('int64', [shape[0]], labels.data), task: 'classification' }
  }
  if (task !== 'classification') return { value, task: 'regression' }
  if (!column) return { value, task }
  return { value: labelsOf(numbersOf(value), where), task }
}

/** Float targets that are asked to be class indices. */
export function labelsOf(values: Float64Array, where: string): Tensor {
  const labels = new BigInt64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    if (!Number.isSafeInteger(values[i]))
      throw new DomainError(
        `${where}: class indices must be integers, got ${values[i]} at sample ${i}. Use regression.`,
      )
    labels[i] = BigInt(values[i])
  }
  return tensor('int64', [values.length], labels)
}
