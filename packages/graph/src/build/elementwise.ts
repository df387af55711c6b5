import { ShapeError } from '../core/errors.ts'
import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import type { None, PlainOperator } from '../core/operator-attributes.ts'
import { tensorOf } from '../core/tensor.ts'
import type { DType } from '../core/tensor.ts'

/** An expression, or a number that takes the dtype of the other operand. */
export type Operand = Expr | number

const none: None = Object.freeze({})

/** A constant of rank 0. */
export function scalar(value: number, dtype: DType): Expr {
  return constant(tensorOf(dtype, [], [value]))
}

/** The value of a constant of one element, or undefined. */
export function scalarValue(x: Expr): number | undefined {
  return x.op === 'Constant' && x.attributes.value.data.length === 1 ? Number(x.attributes.value.data[0]) : undefined
}

/** Both operands as expressions of one dtype. */
export function lift(op: string, a: Operand, b: Operand): [Expr, Expr] {
  if (typeof a === 'number') {
    if (typeof b === 'number')
      throw new ShapeError(`${op}: one operand must be an expression, got two numbers. Use scalar().`)
    return [scalar(a, b.dtype), b]
  }
  return [a, typeof b === 'number' ? scalar(b, a.dtype) : b]
}

const unary =
  <K extends PlainOperator>(op: K) =>
  (x: Expr): Expr =>
    make(op, [x], none as never)

const binary =
  <K extends PlainOperator>(op: K) =>
  (a: Operand, b: Operand): Expr =>
    make(op, lift(op, a, b), none as never)

export const neg: (x: Expr) => Expr = unary('Neg')
export const abs: (x: Expr) => Expr = unary('Abs')
export const sign: (x: Expr) => Expr = unary('Sign')
export const reciprocal: (x: Expr) => Expr = unary('Reciprocal')
export const sqrt: (x: Expr) => Expr = unary('Sqrt')
export const exp: (x: Expr) => Expr = unary('Exp')
export const log: (x: Expr) => Expr = unary('Log')
export const sin: (x: Expr) => Expr = unary('Sin')
export const cos: (x: Expr) => Expr = unary('Cos')
export const atan: (x: Expr) => Expr = unary('Atan')
export const tanh: (x: Expr) => Expr = unary('Tanh')
export const sigmoid: (x: Expr) => Expr = unary('Sigmoid')
export const softplus: (x: Expr) => Expr = unary('Softplus')
export const erf: (x: Expr) => Expr = unary('Erf')
export const relu: (x: Expr) => Expr = unary('Relu')
export const floor: (x: Expr) => Expr = unary('Floor')
export const ceil: (x: Expr) => Expr = unary('Ceil')
export const round: (x: Expr) => Expr = unary('Round')
export const not: (x: Expr) => Expr = unary('Not')
export const isNaN: (x: Expr) => Expr = unary('IsNaN')
export const isInf: (x: Expr) => Expr = unary('IsInf')

export const sub: (a: Operand, b: Operand) => Expr = binary('Sub')
export const min: (a: Operand, b: Operand) => Expr = binary('Min')
export const max: (a: Operand, b: Operand) => Expr = binary('Max')
export const mod: (a: Operand, b: Operand) => Expr = binary('Mod')
export const equal: (a: Operand, b: Operand) => Expr = binary('Equal')
export const greater: (a: Operand, b: Operand) => Expr = binary('Greater')
export const less: (a: Operand, b: Operand) => Expr = binary('Less')
export const greaterOrEqual: (a: Operand, b: Operand) => Expr = binary('GreaterOrEqual')
export const lessOrEqual: (a: Operand, b: Operand) => Expr = binary('LessOrEqual')
export const and: (a: Expr, b: Expr) => Expr = binary('And')
export const or: (a: Expr, b: Expr) => Expr = binary('Or')
export const xor: (a: Expr, b: Expr) => Expr = binary('Xor')
export const add: (a: Operand, b: Operand) => Expr = binary('Add')

/** a · b; multiplying by the number 1 is a no-op. */
export function mul(a: Operand, b: Operand): Expr {
  if (a === 1 && typeof b !== 'number') return b
  if (b === 1 && typeof a !== 'number') return a
  return make('Mul', lift('Mul', a, b), none)
}

/** a / b; dividing by the number 1 is a no-op. */
export function div(a: Operand, b: Operand): Expr {
  if (b === 1 && typeof a !== 'number') return a
  return make('Div', lift('Div', a, b), none)
}

/** a to the power b. */
export function pow(a: Operand, b: Operand): Expr {
  return make('Pow', lift('Pow', a, b), none)
}

/** a where the condition holds, else b. */
export function where(condition: Expr, a: Operand, b: Operand): Expr {
  return make('Where', [condition, ...lift('Where', a, b)], none)
}

/** The same values in another dtype; floats are truncated towards zero on the way to int64. */
export function cast(x: Expr, to: DType): Expr {
  return x.dtype === to ? x : make('Cast', [x], { to })
}
