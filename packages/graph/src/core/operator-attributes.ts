import type { DType, Shape } from './tensor.ts'

/** No attributes. */
export type None = Readonly<Record<never, never>>

export interface Axis {
  readonly axis: number
}

/** Axes reduced, ascending; `keepDims` keeps them with length 1. */
export interface Reduction {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

/** A scatter builds a tensor whose `axis` has length `size`. */
export interface ScatterTarget extends Axis {
  readonly size: number
}

/** Where a window moves; one entry per spatial axis. Padding may differ at the two ends. */
export interface WindowGeometry {
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padsBegin: readonly number[]
  readonly padsEnd: readonly number[]
}

export interface ConvGeometry extends WindowGeometry {
  readonly groups: number
}

/** Every primitive operator and its attributes. Names are those of ONNX where the meaning is ONNX's.
 *
 * Not in ONNX, because they are adjoints (the compiler of the engine lowers them):
 * `ConvInputGradient`, `ConvWeightGradient`: the adjoints of Conv in its two arguments;
 * `ScatterAdd`: the adjoint of Gather; `ScatterElementsAdd`: the adjoint of GatherElements;
 * `MaxPoolIndices`: the position of each window's first maximum within its plane (ONNX's second output of MaxPool). */
export interface OperatorAttributes {
  // elementwise, one operand
  Neg: None
  Abs: None
  Sign: None
  Reciprocal: None
  Sqrt: None
  Exp: None
  Log: None
  Sin: None
  Cos: None
  Atan: None
  Tanh: None
  Sigmoid: None
  Softplus: None
  Erf: None
  Relu: None
  Floor: None
  Ceil: None
  Round: None
  Not: None
  IsNaN: None
  IsInf: None
  Cast: { readonly to: DType }
  // elementwise, broadcasting
  Add: None
  Sub: None
  Mul: None
  Div: None
  Pow: None
  Min: None
  Max: None
  Mod: None
  Equal: None
  Greater: None
  Less: None
  GreaterOrEqual: None
  LessOrEqual: None
  And: None
  Or: None
  Xor: None
  Where: None
  // reductions and scans
  ReduceSum: Reduction
  ReduceMax: Reduction
  ReduceMin: Reduction
  ReduceLogSumExp: Reduction
  ArgMax: { readonly axis: number; readonly keepDims: boolean }
  CumSum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean }
  Softmax: Axis
  LogSoftmax: Axis
  // contractions
  MatMul: None
  Conv: ConvGeometry
  ConvInputGradient: ConvGeometry & { readonly spatial: Shape }
  ConvWeightGradient: ConvGeometry & { readonly kernel: Shape }
  // pooling
  MaxPool: WindowGeometry & { readonly kernel: Shape }
  MaxPoolIndices: WindowGeometry & { readonly kernel: Shape }
  // structure
  Reshape: { readonly shape: Shape }
  Transpose: { readonly perm: readonly number[] }
  Expand: { readonly shape: Shape }
  Slice: { readonly starts: readonly number[]; readonly ends: readonly number[]; readonly steps: readonly number[] }
  Pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number }
  Concat: Axis
  Gather: Axis
  GatherElements: Axis
  ScatterAdd: ScatterTarget
  ScatterElementsAdd: ScatterTarget
}

export type OperatorName = keyof OperatorAttributes

/** Operators without attributes. */
export type PlainOperator = {
  [K in OperatorName]: None extends OperatorAttributes[K] ? K : never
}[OperatorName]
