import { tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { decodeElements } from './elements.ts'
import type { ElementType } from './elements.ts'
import { boundedSize, formatError } from './source.ts'
import type { Source } from './source.ts'

const elementTypes: Readonly<Record<number, ElementType>> = {
  0x08: { kind: 'uint', bytes: 1 },
  0x09: { kind: 'int', bytes: 1 },
  0x0b: { kind: 'int', bytes: 2, bigEndian: true },
  0x0c: { kind: 'int', bytes: 4, bigEndian: true },
  0x0d: { kind: 'float', bytes: 4, bigEndian: true },
  0x0e: { kind: 'float', bytes: 8, bigEndian: true },
}

/** Whether the bytes start like an IDX file: two zeros, an element type, and 1 to 8 axes. */
export function isIdx(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0 && bytes[2] in elementTypes && bytes[3] >= 1 && bytes[3] <= 8
}

/** The array of an IDX file (MNIST and its descendants).
 *
 * With `asImages`, unsigned bytes of two and more axes are grey values: scaled to 0 … 1 in float32 as PyTorch's
 * `ToTensor` does, and [n × height × width] gets a channel axis, [n × 1 × height × width]. Otherwise integers become int64.
 *
 * @throws {FormatError} naming the byte. Source: yann.lecun.com/exdb/mnist, "the IDX file format". */
export function decodeIdx(bytes: Uint8Array, source: Source, options: { readonly asImages?: boolean } = {}): Tensor {
  const cure = 'Fetch the file again.'
  if (!isIdx(bytes))
    throw formatError(
      source,
      'byte 0',
      'an IDX file must start with 0, 0, an element type and the number of axes',
      cure,
    )
  const dataOffset = 4 + 4 * bytes[3]
  if (bytes.length < dataOffset)
    throw formatError(source, `byte ${bytes.length}`, 'the file ends inside the header', cure)
  const view = new DataView(bytes.buffer, bytes.byteOffset, dataOffset)
  const shape = Array.from({ length: bytes[3] }, (_, axis) => view.getUint32(4 + 4 * axis))
  const data = bytes.subarray(dataOffset)
  if (options.asImages && bytes[2] === 0x08 && shape.length >= 2) return greyValues(data, shape, source, dataOffset)
  return decodeElements(data, elementTypes[bytes[2]], shape, source, `byte ${dataOffset}`)
}

function greyValues(data: Uint8Array, shape: readonly number[], source: Source, dataOffset: number): Tensor {
  const size = boundedSize(shape, 4, source, `byte ${dataOffset}`)
  if (data.length !== size)
    throw formatError(
      source,
      `byte ${dataOffset}`,
      `shape [${shape}] needs ${size} bytes of data, got ${data.length}`,
      'Fetch the file again.',
    )
  return tensor('float32', shape.length === 3 ? [shape[0], 1, shape[1], shape[2]] : shape, scaledBytes(data))
}

/** Bytes 0 … 255 as float32 numbers 0 … 1, correctly rounded quotients. */
export function scaledBytes(bytes: Uint8Array): Float32Array {
  const scaled = new Float32Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) scaled[i] = bytes[i] / 255
  return scaled
}
