import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  castTensor,
  constant,
  type Expr,
  type FloatDType,
  isFloat,
  numbersOf,
  type Tensor,
  UnsupportedError,
} from '../../src/index.ts'
import { ModelProtoSchema, TensorProtoSchema } from '../../src/onnx/generated/onnx_pb.js'
import { decodeModel, importOnnx, type OnnxModel } from '../../src/onnx/index.ts'
import { readTensor } from '../../src/onnx/read-tensor.ts'

/** Computes expressions: the reference interpreter, or an engine. */
export type Compute = (outputs: Record<string, Expr>, feeds: Record<string, Tensor>) => Promise<Record<string, Tensor>>

/** What became of one test of ONNX's backend suite. */
export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'left out'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** The folder with `node`, `simple` and `pytorch-operator`, or undefined where ONNX's test data is not installed. */
export function testDataFolder(): string | undefined {
  const folder = process.env['THALWEG_ONNX_TESTDATA'] ?? '/usr/share/libonnx-testdata/data'
  return existsSync(join(folder, 'node')) ? folder : undefined
}

/** Names of all tests, such as `node/test_abs`. */
export function testNames(folder: string): string[] {
  const groups = ['node', 'simple', 'pytorch-operator', 'pytorch-converted'].filter((group) =>
    existsSync(join(folder, group)),
  )
  return groups.flatMap((group) =>
    readdirSync(join(folder, group))
      .sort()
      .map((name: string) => `${group}/${name}`),
  )
}

/** Tests whose expected values or files contradict the standard's own text or every runtime. */
const excused: ReadonlyMap<string, string> = new Map([
  [
    'node/test_resize_downsample_scales_cubic_align_corners',
    'expects the fractional output length of the scale; PyTorch and ONNX Runtime use the whole one',
  ],
  [
    'node/test_resize_downsample_scales_linear_align_corners',
    'expects the fractional output length of the scale; PyTorch and ONNX Runtime use the whole one',
  ],
  [
    'node/test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True',
    'expected values before ONNX 1.18 count padding of ceil_mode',
  ],
])

/** Runs one test: reads, imports, computes and compares with the suite's tolerance (relative 1e-3, absolute 1e-7).
 *
 * Inputs that decide shapes are bound as constants where the model cannot be imported otherwise. */
export async function runTest(folder: string, name: string, compute: Compute): Promise<Outcome> {
  const excuse = excused.get(name)
  if (excuse !== undefined) return { kind: 'left out', reason: excuse }
  const bytes = currentOpset(readFileSync(join(folder, name, 'model.onnx')), name)
  const sixteen = name.includes('BFLOAT16')
  if (sixteen) return { kind: 'left out', reason: 'bfloat16 inputs are stored as uint16' }
  try {
    const model = decodeModel(bytes)
    const mismatch = await compare(join(folder, name, 'test_data_set_0'), bytes, model, compute)
    return mismatch === undefined ? { kind: 'passed' } : { kind: 'failed', reason: mismatch }
  } catch (error) {
    if (error instanceof UnsupportedError) return { kind: 'left out', reason: error.message }
    return { kind: 'failed', reason: String(error) }
  }
}

/** Single-node tests state the version in which their operator last changed. Below 11 that is: unchanged up to at least 17. */
function currentOpset(bytes: Uint8Array, name: string): Uint8Array {
  if (!name.startsWith('node/')) return bytes
  const model = fromBinary(ModelProtoSchema, bytes)
  for (const entry of model.opsetImport) if (entry.domain === '' && entry.version < 11n) entry.version = 17n
  return toBinary(ModelProtoSchema, model)
}

async function compare(
  set: string,
  bytes: Uint8Array,
  model: OnnxModel,
  compute: Compute,
): Promise<string | undefined> {
  const values = [...model.inputs, ...model.outputs]
  const dtype: FloatDType = values.some((value) => value.elementType === 'float64') ? 'float64' : 'float32'
  const feeds = readFeeds(set, bytes, model, dtype)
  const outputs = importBound(model, feeds, dtype)
  const results = await compute(outputs, feeds)
  for (const [i, { name }] of model.outputs.entries()) {
    const mismatch = difference(results[name], readProto(join(set, `output_${i}.pb`)))
    if (mismatch !== undefined) return `${name}: ${mismatch}`
  }
  return undefined
}

function readProto(path: string): Tensor {
  const budget = { bytesMax: 1e9, bytesLeft: 1e9 }
  return readTensor(fromBinary(TensorProtoSchema, readFileSync(path)), path, { budget }).tensor
}

/** Files are numbered by the inputs of the graph, those with a default included. */
function readFeeds(set: string, bytes: Uint8Array, model: OnnxModel, dtype: FloatDType): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  const graph = fromBinary(ModelProtoSchema, bytes).graph
  graph?.input.forEach(({ name }, i) => {
    if (!model.inputs.some((value) => value.name === name)) return
    const tensor = readProto(join(set, `input_${i}.pb`))
    feeds[name] = isFloat(tensor.dtype) ? castTensor(tensor, dtype) : tensor
  })
  return feeds
}

/** Floating-point operands that decide shapes or sampling positions. */
const staticFloats: Readonly<Record<string, readonly number[]>> = {
  Resize: [1, 2],
  Upsample: [1],
  Range: [0, 1, 2],
  Dropout: [1],
  OneHot: [1],
}

function importBound(
  model: OnnxModel,
  feeds: Record<string, Tensor>,
  dtype: FloatDType,
): Readonly<Record<string, Expr>> {
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, tensor.shape]))
  try {
    return importOnnx(model, { inputs: shapes, dtype }).outputs
  } catch (error) {
    if (!(error instanceof UnsupportedError && error.message.includes('must not depend on the data'))) throw error
  }
  const fixed = new Set(model.nodes.flatMap((node) => (staticFloats[node.op] ?? []).map((i) => node.inputs[i])))
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => [
      name,
      isFloat(tensor.dtype) && !fixed.has(name) ? tensor.shape : constant(tensor),
    ]),
  )
  return importOnnx(model, { inputs, dtype }).outputs
}

function difference(got: Tensor, want: Tensor): string | undefined {
  if (got.shape.join() !== want.shape.join()) return `shape [${got.shape}], expected [${want.shape}]`
  if (got.dtype !== want.dtype && !(isFloat(got.dtype) && isFloat(want.dtype)))
    return `dtype ${got.dtype}, expected ${want.dtype}`
  const [a, b] = [numbersOf(got), numbersOf(want)]
  const at = a.findIndex(
    (v, i) => !(Object.is(v, b[i]) || v === b[i] || Math.abs(v - b[i]) <= 1e-7 + 1e-3 * Math.abs(b[i])),
  )
  return at < 0 ? undefined : `element ${at} is ${a[at]}, expected ${b[at]}`
}
