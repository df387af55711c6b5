import { checkShape } from './tensor.ts'
import type { DType, Shape, Tensor } from './tensor.ts'
import type { OperatorAttributes, OperatorName } from './operator-attributes.ts'

/** What is known of a value before it is computed. All axes are static. */
export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

/** A value fed at run time. Two inputs of one graph have different names. */
export interface InputExpr extends TensorType {
  readonly op: 'Input'
  readonly inputs: readonly []
  readonly attributes: { readonly name: string }
}

/** A value known when the graph is built. */
export interface ConstantExpr extends TensorType {
  readonly op: 'Constant'
  readonly inputs: readonly []
  readonly attributes: { readonly value: Tensor }
}

/** The result of one operator. Every operator here has exactly one result. */
export interface Operation<K extends OperatorName = OperatorName> extends TensorType {
  readonly op: K
  readonly inputs: readonly Expr[]
  readonly attributes: OperatorAttributes[K]
}

export type AnyOperation = { [K in OperatorName]: Operation<K> }[OperatorName]

/** An immutable expression. Identity is meaning: two uses of one object are one computation. */
export type Expr = InputExpr | ConstantExpr | AnyOperation

/** A function from named inputs to named outputs. */
export interface Graph {
  readonly inputs: readonly InputExpr[]
  readonly outputs: Readonly<Record<string, Expr>>
}

export function input(name: string, dtype: DType, shape: Shape): InputExpr {
  checkShape(`input ${name}`, shape)
  return Object.freeze({ op: 'Input', inputs: [] as const, attributes: { name }, dtype, shape: [...shape] })
}

export function constant(value: Tensor): ConstantExpr {
  return Object.freeze({
    op: 'Constant',
    inputs: [] as const,
    attributes: { value },
    dtype: value.dtype,
    shape: value.shape,
  })
}
