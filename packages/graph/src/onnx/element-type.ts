import type { DType } from '../core/tensor.ts'
import type { OnnxElementType } from './model.ts'

interface ElementFormat {
  readonly name: OnnxElementType
  /** `TensorProto.DataType`. */
  readonly code: number
  readonly bytes: number
  readonly dtype: DType
  /** The typed field that holds the values where `raw_data` is not used. */
  readonly field: 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data'
}

/** onnx.proto, `TensorProto.DataType` and the comments on its typed fields. */
const formats: readonly ElementFormat[] = [
  { name: 'float32', code: 1, bytes: 4, dtype: 'float32', field: 'floatData' },
  { name: 'uint8', code: 2, bytes: 1, dtype: 'int64', field: 'int32Data' },
  { name: 'int8', code: 3, bytes: 1, dtype: 'int64', field: 'int32Data' },
  { name: 'uint16', code: 4, bytes: 2, dtype: 'int64', field: 'int32Data' },
  { name: 'int16', code: 5, bytes: 2, dtype: 'int64', field: 'int32Data' },
  { name: 'int32', code: 6, bytes: 4, dtype: 'int64', field: 'int32Data' },
  { name: 'int64', code: 7, bytes: 8, dtype: 'int64', field: 'int64Data' },
  { name: 'bool', code: 9, bytes: 1, dtype: 'bool', field: 'int32Data' },
  { name: 'float16', code: 10, bytes: 2, dtype: 'float32', field: 'int32Data' },
  { name: 'float64', code: 11, bytes: 8, dtype: 'float64', field: 'doubleData' },
  { name: 'uint32', code: 12, bytes: 4, dtype: 'int64', field: 'uint64Data' },
  { name: 'uint64', code: 13, bytes: 8, dtype: 'int64', field: 'uint64Data' },
  { name: 'bfloat16', code: 16, bytes: 2, dtype: 'float32', field: 'int32Data' },
]

/** Types of the standard that Thalweg does not read, for messages. */
const refused: ReadonlyMap<number, string> = new Map([
  [8, 'string'],
  [14, 'complex64'],
  [15, 'complex128'],
  [17, 'float8e4m3fn'],
  [18, 'float8e4m3fnuz'],
  [19, 'float8e5m2'],
  [20, 'float8e5m2fnuz'],
  [21, 'uint4'],
  [22, 'int4'],
  [23, 'float4e2m1'],
  [24, 'float8e8m0'],
  [25, 'uint2'],
  [26, 'int2'],
])

const byCode: ReadonlyMap<number, ElementFormat> = new Map(formats.map((format) => [format.code, format]))
const byName: ReadonlyMap<OnnxElementType, ElementFormat> = new Map(formats.map((format) => [format.name, format]))

/** The format with a `TensorProto.DataType` code; undefined where Thalweg does not read it. */
export function formatOfCode(code: number): ElementFormat | undefined {
  return byCode.get(code)
}

/** The `TensorProto.DataType` code of an element type. */
export function codeOf(name: OnnxElementType): number {
  return (byName.get(name) as ElementFormat).code
}

/** What to call a data type code in a message. */
export function nameOfCode(code: number): string {
  return byCode.get(code)?.name ?? refused.get(code) ?? `unknown data type ${code}`
}

export type { ElementFormat }
