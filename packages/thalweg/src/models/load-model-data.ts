import { DomainError, ShapeError, castTensor, isFloat, numbersOf, sizeOf, tensor } from '@thalweg/graph'
import type { OnnxModel, OnnxValue, Tensor } from '@thalweg/graph'
import { makeDataset, withFields } from '@thalweg/landscape'
import type { Dataset, DatasetFields, LossName, Task } from '@thalweg/landscape'
import { basename } from 'node:path'
import { loadData } from '../formats/load-data.ts'
import { labelsOf } from '../formats/dataset-from-arrays.ts'
import { openNpz } from '../formats/npz.ts'
import { readSource } from '../formats/source.ts'
import { matchArrays } from './match-arrays.ts'
import type { ArrayChoice } from './match-arrays.ts'

export interface ModelDataChoice extends ArrayChoice {
  readonly task?: Task
}

/** The data of a model and loss. Arrays of an `.npz` file find their model inputs by name; targets are read as the loss reads
 * them: indices, one-hot rows or class probabilities for class losses, numbers for the others.
 * @throws {DomainError}, {ShapeError} listing the choices; {FormatError} for a damaged file. */
export async function loadModelData(
  model: Pick<OnnxModel, 'inputs'>,
  source: string | readonly string[],
  choice: ModelDataChoice,
  loss?: LossName,
): Promise<Dataset> {
  const single = typeof source === 'string' ? source : source.length === 1 ? source[0] : undefined
  const dataset = single?.toLowerCase().endsWith('.npz')
    ? await loadArrays(model, single, choice, loss)
    : await loadOther(source, choice, loss)
  return withFields(dataset, { inputs: checkedInputs(model.inputs, dataset) })
}

async function loadArrays(
  model: Pick<OnnxModel, 'inputs'>,
  file: string,
  choice: ModelDataChoice,
  loss: LossName | undefined,
): Promise<Dataset> {
  const arrays = openNpz(await readSource({ file }), { file })
  const match = matchArrays(model.inputs, arrays.names, choice, file)
  const inputs = Object.fromEntries(
    match.input.map((text) => [text.slice(0, text.indexOf('=')), arrays.read(text.slice(text.indexOf('=') + 1))]),
  )
  const weights =
    choice.sampleWeights === undefined
      ? undefined
      : weightsOf(arrays.read(choice.sampleWeights), choice.sampleWeights, file)
  return makeDataset({
    name: basename(file, '.npz'),
    origin: file,
    inputs,
    ...targetsFor(arrays.read(match.target), loss, choice.task, `${file}, array '${match.target}'`),
    ...(weights && { sampleWeights: weights }),
  })
}

async function loadOther(
  source: string | readonly string[],
  choice: ModelDataChoice,
  loss: LossName | undefined,
): Promise<Dataset> {
  const { sampleWeights, task, ...selection } = choice
  if (sampleWeights !== undefined)
    throw new DomainError(
      `--sample-weights ${sampleWeights}: sample weights are an array of an .npz file. Save the data with numpy.savez.`,
    )
  const dataset = await loadData(source, { ...selection, task })
  // Integers of a table look like classes; a loss of numbers reads them as numbers.
  const numeric = loss !== undefined && !classLosses.has(loss) && !binaryLosses.has(loss)
  if (!numeric || task !== undefined || dataset.task === 'regression' || dataset.classNames !== undefined)
    return dataset
  return withFields(dataset, {
    task: 'regression',
    classCount: undefined,
    targets: castTensor(dataset.targets, 'float64'),
  })
}

function weightsOf(value: Tensor, key: string, file: string): Float64Array {
  if (sizeOf(value.shape) !== value.shape[0])
    throw new ShapeError(
      `${file}, array '${key}': sample weights are one number per sample, got shape [${value.shape}].`,
    )
  return Float64Array.from(numbersOf(value))
}

const classLosses: ReadonlySet<string> = new Set<LossName>(['cross-entropy', 'negative-log-likelihood'])
const binaryLosses: ReadonlySet<string> = new Set<LossName>(['binary-cross-entropy', 'hinge'])

type Targets = Pick<DatasetFields, 'targets' | 'task'>

/** Targets as the loss reads them. */
export function targetsFor(value: Tensor, loss: LossName | undefined, task: Task | undefined, where: string): Targets {
  const { shape, dtype } = value
  const column = sizeOf(shape) === shape[0]
  const integers = !isFloat(dtype)
  const classes =
    task === 'classification' ||
    (task === undefined && (loss === undefined ? integers && column : classLosses.has(loss)))
  if (classes && column)
    return {
      task: 'classification',
      targets: integers ? indices(value) : labelsOf(Float64Array.from(numbersOf(value)), where),
    }
  if (classes) return { task: 'classification', targets: distributions(value, where) }
  const binary = loss !== undefined && binaryLosses.has(loss) && integers && column && task === undefined
  if (binary && numbersOf(castTensor(value, 'float64')).every((v) => v >= 0))
    return { task: 'classification', targets: indices(value) }
  return { task: 'regression', targets: integers ? castTensor(value, 'float64') : value }
}

function indices(value: Tensor): Tensor {
  const cast = castTensor(value, 'int64')
  return tensor('int64', [value.shape[0]], cast.data)
}

/** One-hot or soft rows; each must add up to 1, or the loss would weigh samples without saying so. */
function distributions(value: Tensor, where: string): Tensor {
  const rows = castTensor(value, 'float64')
  const [n] = rows.shape
  const k = sizeOf(rows.shape.slice(1))
  for (let i = 0; i < n; i++) {
    const sum = rows.data.subarray(i * k, (i + 1) * k).reduce((s, v) => s + v, 0)
    if (Math.abs(sum - 1) > 1e-4)
      throw new DomainError(
        `${where}: rows of class probabilities must add up to 1, row ${i} adds up to ${Number(sum.toPrecision(6))}. Normalize them, or use --sample-weights for weights.`,
      )
  }
  return rows.shape.length === 2 ? rows : tensor('float64', [n, k], rows.data)
}

/** The inputs, checked against what the model declares: integers stay integers, and axes are never scrambled. */
function checkedInputs(values: readonly OnnxValue[], dataset: Dataset): Record<string, Tensor> {
  const names = Object.keys(dataset.inputs)
  const checked: Record<string, Tensor> = { ...dataset.inputs }
  for (const value of values) {
    const key = names.includes(value.name)
      ? value.name
      : values.length === 1 && names.length === 1
        ? names[0]
        : undefined
    if (key === undefined) continue
    checkLayout(value, dataset.inputs[key], key)
    checked[key] = value.dtype === 'int64' ? wholeNumbers(dataset.inputs[key], value.name) : dataset.inputs[key]
  }
  return checked
}

function wholeNumbers(data: Tensor, name: string): Tensor {
  if (!isFloat(data.dtype)) return data
  const values = numbersOf(data)
  const bad = values.findIndex((v) => !Number.isSafeInteger(v))
  if (bad >= 0)
    throw new DomainError(
      `model input ${name}: takes whole numbers (indices), got ${values[bad]} at element ${bad}. Pass the indices, not their embedding.`,
    )
  return castTensor(data, 'int64')
}

/** Rows may be flattened or not, but two different layouts of one size would be read in the wrong order. */
function checkLayout({ name, shape }: OnnxValue, data: Tensor, key: string): void {
  if (shape === undefined) return
  const wanted = shape.slice(1).filter((d) => d !== 1)
  const given = data.shape.slice(1).filter((d) => d !== 1)
  if (wanted.length === given.length && wanted.every((d, i) => typeof d === 'string' || d === given[i])) return
  const known = wanted.filter((d) => typeof d === 'number')
  const sameSize = known.length < wanted.length || sizeOf(known) === sizeOf(given)
  if (sameSize && (wanted.length <= 1 || given.length <= 1)) return
  const ascending = (axes: readonly number[]): string => axes.toSorted((a, b) => a - b).join()
  const cure =
    ascending(known) === ascending(given)
      ? 'The axes seem to be in another order (channels first or last?): transpose the array'
      : 'Pass the array that the model was trained on'
  throw new ShapeError(
    `model input ${name}: takes [${shape.slice(1).join(' × ')}] per sample, got [${data.shape.slice(1).join(' × ')}] from ${key}. ${cure}.`,
  )
}
