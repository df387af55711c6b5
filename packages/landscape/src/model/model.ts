import { ShapeError, isFloat, reshape, sizeOf, sliceAxis, tensor } from '@thalweg/graph'
import type { DType, Expr, Shape, Tensor } from '@thalweg/graph'

/** What a parameter does; filter normalisation and symmetries read it. */
export type ParameterRole = 'weight' | 'bias' | 'scale' | 'shift' | 'embedding' | 'other'

export interface Parameter {
  readonly name: string
  readonly shape: Shape
  readonly role: ParameterRole
  /** The axis that counts output units (neurons, channels): one filter per position. Null where there is none. */
  readonly outputAxis: number | null
}

/** One input, described per sample: the batch axis is not part of `shape`. */
export interface ModelInput {
  readonly name: string
  readonly dtype: 'float' | 'int64' | 'bool'
  readonly shape: Shape
}

/** The structure that theory can speak about, where it is known. */
export type Architecture =
  | {
      readonly kind: 'mlp'
      readonly widths: readonly number[]
      readonly activation: string
      readonly bias: boolean
      readonly skip: boolean
      /** After the last layer; absent where that is linear. */
      readonly outputActivation?: string
    }
  | { readonly kind: 'convolutional' | 'residual'; readonly activation: string }
  /** A wide network whose layers carry their own scale (Du et al. 2019); `depth` counts hidden layers. */
  | {
      readonly kind: 'scaled'
      readonly family: 'fully-connected' | 'residual' | 'convolutional-residual'
      readonly depth: number
      readonly width: number
      readonly activation: string
      readonly cRes?: number
      readonly patch?: number
    }
  | { readonly kind: 'unknown' }

/** A function from inputs and parameters to outputs, with static shapes per sample. Immutable. */
export interface Model {
  readonly name: string
  readonly inputs: readonly ModelInput[]
  /** In the order in which they lie in the flat θ. */
  readonly parameters: readonly Parameter[]
  /** Output per sample. */
  readonly outputShape: Shape
  readonly architecture: Architecture
  /** The outputs of one sample depend on the others (batch normalization by the statistics of the batch): a loss then
   * takes all samples at once. */
  readonly couplesSamples?: boolean
  /** What a reader of results must know: batch norm in inference mode, widened weights, … */
  readonly notes: readonly string[]
  /** The output [n × outputShape] for parameters (in order) and inputs [n × shape], all of one floating dtype. */
  forward(parameters: readonly Expr[], inputs: readonly Expr[]): Expr
  /** A starting point θ [p]: drawn from `seed`, or the values that a file holds (then the seed is not used). */
  initialize(seed: number): Float64Array
}

/** Number of parameters p. */
export function parameterCount(model: Pick<Model, 'parameters'>): number {
  return model.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** A parameter's place in the flat θ: [start, end). */
export interface ParameterRange {
  readonly parameter: Parameter
  readonly start: number
  readonly end: number
}

export function parameterRanges(model: Pick<Model, 'parameters'>): ParameterRange[] {
  let end = 0
  return model.parameters.map((parameter) => {
    const start = end
    end += sizeOf(parameter.shape)
    return { parameter, start, end }
  })
}

function requireLength(where: string, model: Pick<Model, 'parameters'>, length: number): void {
  const p = parameterCount(model)
  if (length !== p) throw new ShapeError(`${where}: θ must have ${p} entries, one per parameter, got ${length}.`)
}

/** The flat θ [p] as named tensors; their data are views of θ. */
export function unflatten(model: Pick<Model, 'parameters'>, theta: Float64Array): Record<string, Tensor<'float64'>> {
  requireLength('unflatten', model, theta.length)
  return Object.fromEntries(
    parameterRanges(model).map(({ parameter, start, end }) => [
      parameter.name,
      tensor('float64', parameter.shape, theta.subarray(start, end)),
    ]),
  )
}

/** Named tensors as the flat θ [p].
 * @throws {ShapeError} if one is missing or has another shape. */
export function flatten(model: Pick<Model, 'parameters'>, values: Readonly<Record<string, Tensor>>): Float64Array {
  const theta = new Float64Array(parameterCount(model))
  for (const { parameter, start } of parameterRanges(model)) {
    const value = values[parameter.name]
    if (!value || !isFloat(value.dtype) || String(value.shape) !== String(parameter.shape))
      throw new ShapeError(
        `flatten: parameter ${parameter.name} must be a floating-point tensor [${parameter.shape}], got ${value ? `${value.dtype}[${value.shape}]` : 'nothing'}.`,
      )
    theta.set(value.data as Float64Array, start)
  }
  return theta
}

/** The parameters as views of a flat expression θ [p] (or of a direction v [p]). */
export function parameterViews(model: Pick<Model, 'parameters'>, flat: Expr): Expr[] {
  return parameterRanges(model).map(({ parameter, start, end }) =>
    reshape(sliceAxis(flat, 0, start, end), parameter.shape),
  )
}

/** The dtype of an input when the model is evaluated in `dtype`. */
export function inputDType(input: ModelInput, dtype: DType): DType {
  return input.dtype === 'float' ? dtype : input.dtype
}
