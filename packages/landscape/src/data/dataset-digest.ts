import type { Tensor } from '@thalweg/graph'
import { Sha256 } from './sha256.ts'

/** What of a data set is content: not its name, nor where it came from. */
export interface DatasetContent {
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly targets: Tensor
  readonly task: string
  readonly classCount?: number
  readonly classNames?: readonly string[]
  readonly sampleWeights?: Float64Array
}

/** SHA-256 of a data set's content: task, classes, and every array's name, dtype, shape and little-endian bytes,
 * inputs in order of their names. 64 hexadecimal digits. Cost: one pass over the data, about 180 MB/s. */
export function datasetDigest(fields: DatasetContent): string {
  const hash = new Sha256()
  const { task, classCount = null, classNames = null, sampleWeights } = fields
  addRecord(hash, ['thalweg-dataset-1', task, classCount, classNames])
  for (const name of Object.keys(fields.inputs).sort()) addTensor(hash, ['input', name], fields.inputs[name])
  addTensor(hash, ['targets'], fields.targets)
  if (sampleWeights)
    addTensor(hash, ['weights'], { dtype: 'float64', shape: [sampleWeights.length], data: sampleWeights })
  return hash.hex()
}

/** SHA-256 of one tensor: dtype, shape and bytes. */
export function tensorDigest(value: Tensor): string {
  const hash = new Sha256()
  addTensor(hash, ['tensor'], value)
  return hash.hex()
}

function addTensor(hash: Sha256, label: readonly string[], { dtype, shape, data }: Tensor): void {
  // The record states the number of bytes that follow it, so no two contents run together into the same message.
  addRecord(hash, [...label, dtype, shape, data.byteLength])
  hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

/** One line of JSON in ASCII. */
function addRecord(hash: Sha256, record: readonly unknown[]): void {
  const text = `${JSON.stringify(record)}\n`
  const escaped = text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  hash.update(Uint8Array.from(escaped, (c) => c.charCodeAt(0)))
}
