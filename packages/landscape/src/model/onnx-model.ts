import {
  DomainError,
  ShapeError,
  UnsupportedError,
  castTensor,
  constant,
  importOnnx,
  input,
  isFloat,
  isNamedScalar,
  numbersOf,
  parametersOf,
  reshape,
  sizeOf,
  vmap,
} from '@thalweg/graph'
import type {
  ConstantReason,
  Expr,
  FloatDType,
  OnnxModel,
  OnnxNode,
  OnnxParameter,
  OnnxValue,
  Shape,
} from '@thalweg/graph'
import { firstNonFinite } from '../linalg/vector.ts'
import { parameterCount } from './model.ts'
import type { Model, ModelInput, Parameter, ParameterRole } from './model.ts'
import { selectOutput } from './onnx-output.ts'

export interface OnnxModelOptions {
  readonly name: string
  /** Shape per sample of inputs whose axes the file leaves open (a sequence length); taken from the data. */
  readonly inputShapes?: Readonly<Record<string, Shape>>
  /** Which output, or tensor inside, is the model's; needed when several outputs are candidates. */
  readonly output?: string
  /** Name of the loss that will read the output: a softmax or sigmoid that it contains is then not counted twice. */
  readonly loss?: string
  /** Initializers to treat as parameters although they look like constants, and the other way round. Names or
   * patterns with `*`. */
  readonly train?: readonly string[]
  readonly freeze?: readonly string[]
  readonly batchNorm?: BatchNormMode
}

/** What batch normalization does with its statistics:
 *
 *     kept          those in the file, whatever the weights are: the network as it is used
 *     re-estimated  those of all samples at these weights, as training mode with the whole data as one batch
 *     included      they are parameters, so that they move along a direction or between two models */
export const batchNormModes = ['kept', 're-estimated', 'included'] as const
export type BatchNormMode = (typeof batchNormModes)[number]

const roles: Readonly<Record<OnnxParameter['role'], ParameterRole>> = {
  weight: 'weight',
  bias: 'bias',
  'norm-scale': 'scale',
  'norm-shift': 'shift',
  embedding: 'embedding',
  slope: 'other',
  other: 'other',
}

function matches(name: string, patterns: readonly string[] = []): boolean {
  return patterns.some((p) =>
    new RegExp(
      `^${p
        .split('*')
        .map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
    ).test(name),
  )
}

function requireMatched(model: OnnxModel, patterns: readonly string[] = [], option: string): void {
  const names = [...model.initializers.keys()]
  const idle = patterns.find((p) => !names.some((n) => matches(n, [p])))
  if (idle !== undefined)
    throw new ShapeError(
      `${option}: no initializer is named ${idle}. There are: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`,
    )
}

/** The parameters of a file after the user's corrections, and what is held constant with the reason. */
export function chooseParameters(
  model: OnnxModel,
  options: Pick<OnnxModelOptions, 'train' | 'freeze' | 'batchNorm'> = {},
): { parameters: Parameter[]; constants: { name: string; reason: ConstantReason | 'frozen' }[] } {
  requireMatched(model, options.train, 'train')
  requireMatched(model, options.freeze, 'freeze')
  const proposed = parametersOf(model)
  const asParameter = (p: Pick<OnnxParameter, 'name' | 'shape' | 'role' | 'filterAxis'>): Parameter => ({
    name: p.name,
    shape: p.shape,
    role: roles[p.role],
    outputAxis: p.filterAxis ?? null,
  })
  const parameters = proposed.parameters.filter((p) => !matches(p.name, options.freeze)).map(asParameter)
  const constants: { name: string; reason: ConstantReason | 'frozen' }[] = proposed.parameters
    .filter((p) => matches(p.name, options.freeze))
    .map(({ name }) => ({ name, reason: 'frozen' }))
  for (const { name, reason } of proposed.constants) {
    const value = model.initializers.get(name)!.tensor
    const included = options.batchNorm === 'included' && reason === 'batch-norm statistics'
    if (included || (matches(name, options.train) && reachable(name, reason, options.train)))
      parameters.push(asParameter({ name, shape: value.shape, role: 'other', filterAxis: undefined }))
    else constants.push({ name, reason })
  }
  return { parameters, constants }
}

/** Whether a derivative reaches a constant; a pattern passes over those that none reaches, a name is a mistake. */
function reachable(name: string, reason: ConstantReason, patterns: readonly string[] = []): boolean {
  if (reason !== 'unused' && reason !== 'not differentiable') return true
  if (patterns.includes(name))
    throw new ShapeError(`train: ${name} is ${reason}, the loss has no derivative by it. Leave it out.`)
  return false
}

function sampleShape(value: OnnxValue, given: Shape | undefined): Shape {
  if (given) return given
  if (value.shape === undefined || value.shape.length === 0)
    throw new ShapeError(
      `model input ${value.name}: the file does not state its shape. Pass data, or export with shapes.`,
    )
  const rest = value.shape.slice(1)
  const open = rest.find((d) => typeof d !== 'number')
  if (open !== undefined)
    throw new ShapeError(
      `model input ${value.name}: axis '${open}' is open in [${value.shape.join(', ')}]. Pass data, or export it fixed.`,
    )
  return rest as number[]
}

/** A model read from an `.onnx` file: its float initializers that the output depends on are the parameters, the values
 * in the file are the point θ. Weights of narrower types are widened. A file exported for batches of one sample is run
 * sample by sample (as one batched graph), so that nothing in it can mix samples.
 * @throws {UnsupportedError}, {ShapeError}, {DomainError} naming the node, input or output and how to mend it. */
export function modelFromOnnx(file: OnnxModel, options: OnnxModelOptions): Model {
  const { model, notes } = selectOutput(file, options)
  const { parameters } = chooseParameters(model, options)
  const inputs = model.inputs.map(
    (value): ModelInput => ({
      name: value.name,
      dtype: isFloat(value.dtype) ? 'float' : value.dtype,
      shape: sampleShape(value, options.inputShapes?.[value.name]),
    }),
  )
  const oneByOne = requireOpenBatch(model)
  const batchStatistics = options.batchNorm === 're-estimated'
  requireBatchNorm(model, options.batchNorm, oneByOne)
  const imported = (values: readonly Expr[], data: readonly Expr[]): Expr => {
    const dtype = (values[0]?.dtype ?? data.find((d) => isFloat(d.dtype))?.dtype ?? 'float32') as FloatDType
    const { outputs } = importOnnx(model, {
      dtype,
      batchStatistics,
      inputs: Object.fromEntries(inputs.map((i, k) => [i.name, data[k]])),
      parameters: Object.fromEntries(parameters.map((p, k) => [p.name, values[k]])),
    })
    return outputs[model.outputs[0].name]
  }
  const forward = oneByOne ? sampleBySample(imported) : imported
  const probed = probe(model, parameters, inputs, forward)
  const theta = valuesOf(model, parameters)
  return {
    name: options.name,
    inputs,
    parameters,
    outputShape: probed.shape.slice(1),
    architecture: { kind: 'unknown' },
    notes: [
      ...model.notes,
      ...notes,
      ...widthNotes(model, parameters),
      ...scalarNotes(model, parameters),
      ...copyNotes(model, parameters),
      ...trainingNotes(model, options.batchNorm),
    ],
    ...(batchStatistics && { couplesSamples: true }),
    forward,
    initialize: () => theta.slice(),
  }
}

function valuesOf(model: OnnxModel, parameters: readonly Parameter[]): Float64Array {
  const theta = new Float64Array(parameterCount({ parameters }))
  let at = 0
  for (const { name, shape } of parameters) {
    const values = numbersOf(model.initializers.get(name)!.tensor)
    const bad = firstNonFinite(values)
    if (bad >= 0)
      throw new DomainError(
        `model: parameter ${name} must be finite, got ${values[bad]} at element ${bad}. Training had diverged, take an earlier checkpoint; if it is no parameter, use --freeze ${name}.`,
      )
    theta.set(values, at)
    at += sizeOf(shape)
  }
  return theta
}

/** Whether the file holds for exactly one sample.
 * @throws {UnsupportedError} if it holds for another fixed number of samples. */
function requireOpenBatch(model: OnnxModel): boolean {
  const sizes = model.inputs.map((value) => value.shape?.[0])
  const fixed = sizes.find((size) => typeof size === 'number' && size !== 1)
  if (fixed !== undefined)
    throw new UnsupportedError(
      `model: it was exported for batches of exactly ${fixed} samples. Export with a dynamic first axis (in PyTorch: dynamic_axes={'x': {0: 'batch'}}), or with a batch of one.`,
    )
  return sizes.length > 0 && sizes.every((size) => size === 1)
}

type Forward = (values: readonly Expr[], data: readonly Expr[]) => Expr

/** The function of one sample [1 × …] applied to each of n. */
function sampleBySample(forward: Forward): Forward {
  return (values, data) => {
    const single = data.map((d, i) => input(`sample_${i}`, d.dtype, [1, ...d.shape.slice(1)]))
    const one = forward(values, single)
    const stacks = single.map((s, i) => [s, reshape(data[i], [data[i].shape[0], ...s.shape])] as const)
    const [all] = vmap([one], stacks)
    return one.shape[0] === 1 ? reshape(all, [all.shape[0], ...one.shape.slice(1)]) : all
  }
}

/** The output's type for two samples; refuses a model whose first output axis does not count the samples. */
function probe(
  model: OnnxModel,
  parameters: readonly Parameter[],
  inputs: readonly ModelInput[],
  forward: Forward,
): Expr {
  const values = parameters.map((p) => constant(castTensor(model.initializers.get(p.name)!.tensor, 'float64')))
  const data = inputs.map((i) => input(i.name, i.dtype === 'float' ? 'float64' : i.dtype, [2, ...i.shape]))
  const out = forward(values, data)
  if (out.shape[0] !== 2)
    throw new UnsupportedError(
      `model: the first axis of the output must count the samples, got [${out.shape}] for 2 samples. Choose another output by --output, or export without the reduction.`,
    )
  if (!isFloat(out.dtype))
    throw new UnsupportedError(
      `model: the output must be numbers that a loss can read, got ${out.dtype}. Choose the scores by --output.`,
    )
  return out
}

/** Widened weights: what "exact" then means. */
function widthNotes(model: OnnxModel, parameters: readonly Parameter[]): string[] {
  const narrow = parameters.filter(({ name }) => model.initializers.get(name)!.elementType === 'float32')
  return narrow.length === 0
    ? []
    : ['The weights are float32 in the file and are widened: float64 results hold for exactly these rounded weights.']
}

/** Parameters of rank 0 may as well be buffers: the file does not tell. */
function scalarNotes(model: OnnxModel, parameters: readonly Parameter[]): string[] {
  const names = parameters.map(({ name }) => name).filter((name) => isNamedScalar(model, name))
  return names.length === 0
    ? []
    : [
        `Single numbers with the names of module attributes count as parameters: ${names.join(', ')}. Hold those that were not trained by --freeze NAME.`,
      ]
}

/** Two matrices of one content, one of them transposed: a tied weight of which an exporter that folds constants wrote two
 * copies. Here they are two parameters, so that gradient and Hessian are not those of training. */
function copyNotes(model: OnnxModel, parameters: readonly Parameter[]): string[] {
  const matrices = parameters
    .filter(({ shape }) => shape.length === 2 && Math.min(...shape) > 1)
    .map(({ name, shape }) => ({ name, shape, data: model.initializers.get(name)!.tensor.data }))
  const pairs = matrices.flatMap((a, i) =>
    matrices.slice(i + 1).flatMap((b) => (isTransposed(a, b) ? [`${a.name} and ${b.name}`] : [])),
  )
  return pairs.length === 0
    ? []
    : [
        `${pairs.join('; ')}: one is the other transposed, as where an exporter folds a tied weight into two copies. They count as separate parameters here; if they were one in training, export again with do_constant_folding=False.`,
      ]
}

type MatrixOfFile = { readonly shape: Shape; readonly data: ArrayLike<number | bigint> }

function isTransposed(a: MatrixOfFile, b: MatrixOfFile): boolean {
  const [rows, columns] = a.shape
  if (b.shape[0] !== columns || b.shape[1] !== rows) return false
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) if (a.data[i * columns + j] !== b.data[j * rows + i]) return false
  return new Set(Array.from({ length: Math.min(a.data.length, 64) }, (_, i) => a.data[i])).size > 1
}

const hasBatchNorm = (model: OnnxModel): boolean => model.nodes.some((n) => n.op === 'BatchNormalization')

function requireBatchNorm(model: OnnxModel, mode: BatchNormMode = 'kept', oneByOne: boolean): void {
  if (mode === 'kept') return
  if (!hasBatchNorm(model))
    throw new DomainError(
      `model: batch-norm ${mode}: it holds no batch normalization (some exporters fold it into the layer before). Leave the option out.`,
    )
  if (mode === 're-estimated' && oneByOne)
    throw new UnsupportedError(
      'model: batch-norm re-estimated: it was exported for one sample at a time, so no batch has statistics. Export it with a dynamic first axis.',
    )
}

/** What `Model.notes` of a file with batch normalization says, by mode. */
export const batchNormNotes: Readonly<Record<BatchNormMode, string>> = {
  kept: 'Batch normalization runs with its stored statistics; training used those of each mini-batch, which is another function of the weights.',
  're-estimated':
    'Batch normalization takes the statistics of all samples at each point; training used those of each mini-batch.',
  included: 'The statistics of batch normalization are parameters here: they move with the weights.',
}

/** What the file says about training that the loss computed here does not contain. */
function trainingNotes(model: OnnxModel, mode: BatchNormMode = 'kept'): string[] {
  const notes: string[] = []
  if (hasBatchNorm(model)) notes.push(batchNormNotes[mode])
  if (model.nodes.some((n) => n.op === 'Dropout' && dropoutRatio(model, n) !== 0))
    notes.push('Dropout is inactive here; training minimized an average over dropped units.')
  return notes
}

/** The share of units that training dropped; undefined where the file computes it. */
function dropoutRatio(model: OnnxModel, node: OnnxNode): number | undefined {
  if (node.opset < 12) {
    const ratio = node.attributes.get('ratio')
    return ratio?.kind === 'float' ? ratio.value : 0.5
  }
  if ((node.inputs[1] ?? '') === '') return 0.5
  const known = model.initializers.get(node.inputs[1])
  const value = model.nodes.find((n) => n.op === 'Constant' && n.outputs[0] === node.inputs[1])?.attributes.get('value')
  const ratio = known ?? (value?.kind === 'tensor' ? value.value : undefined)
  return ratio && Number(ratio.tensor.data[0])
}
