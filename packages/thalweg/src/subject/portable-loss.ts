import { readFile } from 'node:fs/promises'
import { FormatError, decodeModel, encodeModel, numbersOf } from '@thalweg/graph'
import type { OnnxModel } from '@thalweg/graph'
import { Loss, batchNormModes, evaluationMethods, lossNames, makeDataset, modelFromSpec } from '@thalweg/landscape'
import type { Dataset, LossSpec, Model, ModelSpec } from '@thalweg/landscape'
import { z } from 'zod'
import { cutHead, withHead } from '../files/headed-bytes.ts'
import { readOnnxFile } from '../formats/onnx-file.ts'
import { decodeNpz, encodeNpz } from '../formats/npz.ts'
import { modelOfFile } from '../models/open-model-file.ts'
import type { ModelChoice } from '../models/open-model-file.ts'
import type { TaskContext } from '../tasks/task-kind.ts'

/* A loss as data that travel to other processes and machines: model and data as blobs, the rest as plain inputs. */

/** Where a model came from. */
export type ModelSource =
  | { readonly kind: 'spec'; readonly spec: ModelSpec }
  | { readonly kind: 'onnx'; readonly path: string; readonly choice: ModelChoice }

const headSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('spec'), spec: z.record(z.string(), z.json()) }),
  z.strictObject({
    kind: z.literal('onnx'),
    choice: z.strictObject({
      output: z.string().optional(),
      train: z.array(z.string()).optional(),
      freeze: z.array(z.string()).optional(),
      batchNorm: z.enum(batchNormModes).optional(),
      loss: z.enum(lossNames).optional(),
    }),
  }),
])

/** The model of a source as one blob: a line of JSON, and the ONNX file where there is one, external data included. */
export async function modelBlob(source: ModelSource): Promise<Uint8Array> {
  if (source.kind === 'spec') return withHead({ kind: 'spec', spec: source.spec }, new Uint8Array())
  const { output, train, freeze, batchNorm, loss } = source.choice
  return withHead({ kind: 'onnx', choice: { output, train, freeze, batchNorm, loss } }, await wholeFile(source.path))
}

/** A file whose tensors lie beside it is written anew with them inside. */
async function wholeFile(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path)
  try {
    decodeModel(bytes)
    return bytes
  } catch {
    return encodeModel(readOnnxFile(path))
  }
}

/** @throws {FormatError} if the blob holds no model; {DomainError}, {UnsupportedError} if the model is none of ours. */
function openModelBlob(blob: Uint8Array, dataset: Dataset): Model {
  const [text, body] = cutHead(blob, 'model blob')
  const parsed = headSchema.safeParse(text)
  if (!parsed.success) throw new FormatError(`model blob: ${z.prettifyError(parsed.error)}`)
  const head = parsed.data
  if (head.kind === 'spec') return modelFromSpec(head.spec as unknown as ModelSpec)
  const whole: OnnxModel = decodeModel(body)
  return modelOfFile(whole, 'model blob', head.choice, dataset).model
}

/** The samples of a data set as one blob, the same for the same content whatever it is called. */
export function datasetBlob({ inputs, targets, sampleWeights, task, classCount }: Dataset): Uint8Array {
  const weights = sampleWeights && {
    weights: { dtype: 'float64' as const, shape: [sampleWeights.length], data: sampleWeights },
  }
  const named = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`input.${name}`, value]))
  return withHead({ task, classCount }, encodeNpz({ ...named, targets, ...weights }, { compress: false }))
}

const datasetHead = z.strictObject({
  task: z.enum(['classification', 'regression']),
  classCount: z.int().positive().optional(),
})

/** @throws {FormatError} if the blob holds no data set; what `makeDataset` throws. */
function openDatasetBlob(blob: Uint8Array): Dataset {
  const [head, body] = cutHead(blob, 'data blob')
  const parsed = datasetHead.safeParse(head)
  const arrays = decodeNpz(body, { file: 'data blob' })
  const targets = arrays.get('targets')
  if (!parsed.success || !targets) throw new FormatError('data blob: not a data set.')
  const weights = arrays.get('weights')
  const inputs = [...arrays].filter(([name]) => name.startsWith('input.'))
  return makeDataset({
    name: 'data',
    origin: 'blob',
    ...parsed.data,
    inputs: Object.fromEntries(inputs.map(([name, value]) => [name.slice('input.'.length), value])),
    targets,
    ...(weights && { sampleWeights: numbersOf(weights) }),
  })
}

/** What a task says about a loss beside its blobs. */
export const lossInputs: z.ZodType<LossInputs> = z.strictObject({
  spec: z.strictObject({
    name: z.enum(lossNames),
    reduction: z.enum(['mean', 'sum']),
    labelSmoothing: z.number().optional(),
    power: z.number().optional(),
    delta: z.number().optional(),
  }),
  weightDecay: z.number().nonnegative(),
  dtype: z.enum(['float64', 'float32']),
  chunkSize: z.int().positive().optional(),
})

export interface LossInputs {
  readonly spec: LossSpec
  readonly weightDecay: number
  readonly dtype: 'float64' | 'float32'
  readonly chunkSize?: number
}

export const methodInput: z.ZodType<(typeof evaluationMethods)[number]> = z.enum(evaluationMethods)

/** The loss of a task whose blobs `model` and `data` are. */
export async function openPortableLoss(inputs: LossInputs, { engine, blob }: TaskContext): Promise<Loss> {
  const dataset = openDatasetBlob(await blob('data'))
  return new Loss({ engine, model: openModelBlob(await blob('model'), dataset), dataset, ...inputs })
}

/** What a task says about this loss. */
export function lossInputsOf({ spec, weightDecay, dtype, chunks }: Loss): LossInputs {
  const { name, reduction, labelSmoothing, power, delta } = spec
  return { spec: { name, reduction, labelSmoothing, power, delta }, weightDecay, dtype, chunkSize: chunks[0].size }
}
