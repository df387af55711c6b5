import {
  ShapeError,
  UnsupportedError,
  castTensor,
  constant,
  importOnnx,
  input,
  isFloat,
  numbersOf,
  parametersOf,
  sizeOf,
} from '@thalweg/graph'
import type { ConstantReason, Expr, FloatDType, OnnxModel, OnnxParameter, OnnxValue, Shape } from '@thalweg/graph'
import { parameterCount } from './model.ts'
import type { Model, ModelInput, Parameter, ParameterRole } from './model.ts'

export interface OnnxModelOptions {
  readonly name: string
  /** Shape per sample of inputs whose axes the file leaves open (a sequence length); taken from the data. */
  readonly inputShapes?: Readonly<Record<string, Shape>>
  /** Which output is the model's; needed only when there are several. */
  readonly output?: string
  /** Initializers to treat as parameters although they look like constants, and the other way round. Names or
   * patterns with `*`. */
  readonly train?: readonly string[]
  readonly freeze?: readonly string[]
}

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
  options: Pick<OnnxModelOptions, 'train' | 'freeze'> = {},
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
    if (matches(name, options.train))
      parameters.push(asParameter({ name, shape: value.shape, role: 'other', filterAxis: undefined }))
    else constants.push({ name, reason })
  }
  return { parameters, constants }
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

function outputName(model: OnnxModel, wanted: string | undefined): string {
  const names = model.outputs.map((o) => o.name)
  const name = wanted ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined || !names.includes(name))
    throw new ShapeError(
      `model: ${wanted ? `no output is named ${wanted}` : 'several outputs'}; choose one of ${names.join(', ')} by --output.`,
    )
  return name
}

/** A model read from an `.onnx` file: its float initializers that the output depends on are the parameters, the values
 * in the file are the point θ. Weights of narrower types are widened.
 * @throws {UnsupportedError}, {ShapeError} naming the node or input and how to mend it. */
export function modelFromOnnx(model: OnnxModel, options: OnnxModelOptions): Model {
  const { parameters } = chooseParameters(model, options)
  const inputs = model.inputs
    .filter(({ name }) => !model.initializers.has(name))
    .map((value): ModelInput => {
      if (value.dtype === 'int64' || value.dtype === 'bool')
        return { name: value.name, dtype: value.dtype, shape: sampleShape(value, options.inputShapes?.[value.name]) }
      return { name: value.name, dtype: 'float', shape: sampleShape(value, options.inputShapes?.[value.name]) }
    })
  const output = outputName(model, options.output)
  const forward = (values: readonly Expr[], data: readonly Expr[]): Expr => {
    const dtype = (values[0]?.dtype ?? data.find((d) => isFloat(d.dtype))?.dtype ?? 'float32') as FloatDType
    const imported = importOnnx(model, {
      dtype,
      inputs: Object.fromEntries(inputs.map((i, k) => [i.name, data[k]])),
      parameters: Object.fromEntries(parameters.map((p, k) => [p.name, values[k]])),
    })
    return imported.outputs[output]
  }
  const theta = new Float64Array(parameterCount({ parameters }))
  let at = 0
  for (const { name, shape } of parameters) {
    theta.set(numbersOf(model.initializers.get(name)!.tensor), at)
    at += sizeOf(shape)
  }
  const probed = probe(model, parameters, inputs, forward)
  return {
    name: options.name,
    inputs,
    parameters,
    outputShape: probed.shape.slice(1),
    architecture: { kind: 'unknown' },
    notes: [...model.notes, ...trainingNotes(model)],
    forward,
    initialize: () => theta.slice(),
  }
}

/** The output's type for two samples; refuses a model whose first output axis does not count the samples. */
function probe(
  model: OnnxModel,
  parameters: readonly Parameter[],
  inputs: readonly ModelInput[],
  forward: (values: readonly Expr[], data: readonly Expr[]) => Expr,
): Expr {
  const values = parameters.map((p) => constant(castTensor(model.initializers.get(p.name)!.tensor, 'float64')))
  const data = inputs.map((i) => input(i.name, i.dtype === 'float' ? 'float64' : i.dtype, [2, ...i.shape]))
  const out = forward(values, data)
  if (out.shape[0] !== 2)
    throw new UnsupportedError(
      `model: the first axis of the output must count the samples, got [${out.shape}] for 2 samples. Choose another output by --output, or export without the reduction.`,
    )
  return out
}

/** What the file says about training that the loss computed here does not contain. */
function trainingNotes(model: OnnxModel): string[] {
  const has = (op: string): boolean => model.nodes.some((n) => n.op === op)
  const notes: string[] = []
  if (has('BatchNormalization'))
    notes.push(
      'Batch normalization runs with its stored statistics; training used those of each mini-batch, which is another function of the weights.',
    )
  if (has('Dropout')) notes.push('Dropout is inactive here; training minimized an average over dropped units.')
  return notes
}
