import { tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { scaledBytes } from './idx.ts'
import { boundedSize, formatError } from './source.ts'
import type { Source } from './source.ts'

const pixels = 3 * 32 * 32

export const cifar10ClassNames: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
]

/** Images and labels of CIFAR batches. */
export interface Cifar {
  /** 10, or 100 where each record has a coarse and a fine label. */
  readonly classCount: 10 | 100
  /** [n × 3 × 32 × 32] float32, scaled to 0 … 1. */
  readonly images: Tensor
  /** [n] int64; the fine labels of CIFAR-100. */
  readonly labels: Tensor
  /** [n] int64, CIFAR-100 only: 20 coarse labels. */
  readonly coarseLabels?: Tensor
}

/** CIFAR-10 or CIFAR-100 batches in the binary layout: records of one or two label bytes and 3072 pixels (red, green,
 * blue planes). Several batches are joined.
 *
 * The file has no header: which of the two it is follows from its length, or from the labels where both lengths fit.
 * @throws {FormatError} if neither fits, naming the first bad record. Source: cs.toronto.edu/~kriz/cifar.html. */
export function decodeCifar(batches: readonly { readonly bytes: Uint8Array; readonly source: Source }[]): Cifar {
  const layouts = batches.map(({ bytes, source }) => layoutOf(bytes, source))
  const labelBytes = layouts[0]
  const other = layouts.findIndex((layout) => layout !== labelBytes)
  if (other >= 0)
    throw formatError(
      batches[other].source,
      '',
      'batches must be all CIFAR-10 or all CIFAR-100',
      'Load them separately.',
    )
  const record = labelBytes + pixels
  const n = batches.reduce((sum, { bytes }) => sum + bytes.length / record, 0)
  boundedSize([n, pixels], 4, batches[0].source, 'byte 0')
  const images = new Float32Array(n * pixels)
  const labels = new BigInt64Array(n)
  const coarse = new BigInt64Array(labelBytes === 2 ? n : 0)
  let i = 0
  for (const { bytes } of batches)
    for (let at = 0; at < bytes.length; at += record, i++) {
      if (labelBytes === 2) coarse[i] = BigInt(bytes[at])
      labels[i] = BigInt(bytes[at + labelBytes - 1])
      images.set(scaledBytes(bytes.subarray(at + labelBytes, at + record)), i * pixels)
    }
  return {
    classCount: labelBytes === 1 ? 10 : 100,
    images: tensor('float32', [n, 3, 32, 32], images),
    labels: tensor('int64', [n], labels),
    ...(labelBytes === 2 && { coarseLabels: tensor('int64', [n], coarse) }),
  }
}

/** Number of label bytes in a record: 1 for CIFAR-10, 2 for CIFAR-100. */
function layoutOf(bytes: Uint8Array, source: Source): 1 | 2 {
  const fits = ([1, 2] as const).filter((labelBytes) => bytes.length > 0 && bytes.length % (labelBytes + pixels) === 0)
  if (fits.length === 0)
    throw formatError(
      source,
      `byte ${bytes.length}`,
      `a CIFAR batch has records of 3073 or 3074 bytes, got ${bytes.length} bytes in all`,
      'Fetch the file again.',
    )
  const bad = fits.map((labelBytes) => firstBadRecord(bytes, labelBytes))
  const good = fits.filter((_, i) => bad[i] === undefined)
  if (good.length === 1) return good[0]
  if (good.length === 2)
    throw formatError(source, '', 'both CIFAR-10 and CIFAR-100 records fit the file', 'Leave out one image.')
  const at = bad[0] as number
  throw formatError(
    source,
    `byte ${at}`,
    `labels of CIFAR-${fits[0] === 1 ? 10 : 100} are below ${fits[0] === 1 ? 10 : '20 and 100'}, got ${bytes.subarray(at, at + fits[0]).join(', ')}`,
    'Is this a CIFAR batch in the binary version?',
  )
}

function firstBadRecord(bytes: Uint8Array, labelBytes: 1 | 2): number | undefined {
  for (let at = 0; at < bytes.length; at += labelBytes + pixels) {
    const good = labelBytes === 1 ? bytes[at] < 10 : bytes[at] < 20 && bytes[at + 1] < 100
    if (!good) return at
  }
  return undefined
}
