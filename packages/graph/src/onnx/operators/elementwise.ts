import {
  abs,
  add,
  and,
  atan,
  cast,
  ceil,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  greater,
  greaterOrEqual,
} from '../../build/elementwise.ts'
import {
  isInf,
  isNaN,
  less,
  lessOrEqual,
  log,
  max,
  min,
  mod,
  mul,
  neg,
  not,
  or,
  pow,
  reciprocal,
} from '../../build/elementwise.ts'
import { round, sigmoid, sign, sin, softplus, sqrt, sub, tanh, where, xor } from '../../build/elementwise.ts'
import { clip } from '../../build/activation.ts'
import type { Expr } from '../../core/expr.ts'
import { isFloat } from '../../core/tensor.ts'
import type { DType } from '../../core/tensor.ts'
import { nameOfCode, formatOfCode } from '../element-type.ts'
import type { OperatorCall, OperatorFamily, OperatorImporter } from '../operator-call.ts'

const unary =
  (build: (x: Expr) => Expr): OperatorImporter =>
  (call) =>
    build(call.input(0))

const binary =
  (build: (a: Expr, b: Expr) => Expr): OperatorImporter =>
  (call) =>
    build(call.input(0), call.input(1))

const variadic =
  (build: (a: Expr, b: Expr) => Expr): OperatorImporter =>
  (call) =>
    call.all().reduce((sum, x) => build(sum, x))

/** 2 atan √((1 − x)/(1 + x)): accurate at both ends, where π/2 − asin x cancels. */
function acos(x: Expr): Expr {
  return mul(2, atan(div(sqrt(sub(1, x)), sqrt(add(1, x)))))
}

function asin(x: Expr): Expr {
  return atan(div(x, mul(sqrt(sub(1, x)), sqrt(add(1, x)))))
}

function cosh(x: Expr): Expr {
  return mul(0.5, add(exp(x), exp(neg(x))))
}

/** Two branches, because log(x + √(x² + 1)) cancels for x < 0; the derivative at 0 is 1 from either. */
function asinh(x: Expr): Expr {
  const negative = less(x, 0)
  const size = where(negative, neg(x), x)
  const result = log(add(size, sqrt(add(mul(size, size), 1))))
  return where(negative, neg(result), result)
}

function acosh(x: Expr): Expr {
  return log(add(x, mul(sqrt(sub(x, 1)), sqrt(add(x, 1)))))
}

/** Rounding towards zero. */
function trunc(x: Expr): Expr {
  return where(less(x, 0), ceil(x), floor(x))
}

function power(call: OperatorCall): Expr {
  const [base, exponent] = [call.input(0), call.input(1)]
  if (base.dtype === exponent.dtype) return pow(base, exponent)
  // The result has the dtype of the base; a float exponent of an integer base must not be truncated.
  return isFloat(base.dtype)
    ? pow(base, cast(exponent, base.dtype))
    : cast(pow(cast(base, exponent.dtype), exponent), base.dtype)
}

/** `fmod`: the sign of the dividend, as C; else the sign of the divisor, as Python. */
function modulo(call: OperatorCall): Expr {
  const [a, b] = [call.input(0), call.input(1)]
  const asC = call.flag('fmod')
  if (!isFloat(a.dtype)) return asC ? sub(a, mul(b, div(a, b))) : mod(a, b)
  return sub(a, mul(b, (asC ? trunc : floor)(div(a, b))))
}

function clipped(call: OperatorCall): Expr {
  return clip(call.input(0), call.optional(1), call.optional(2))
}

function infinite(call: OperatorCall): Expr {
  const x = call.input(0)
  const [up, down] = [call.flag('detect_positive', true), call.flag('detect_negative', true)]
  if (up && down) return isInf(x)
  if (!up && !down) return and(isInf(x), isNaN(x))
  return and(isInf(x), up ? greater(x, 0) : less(x, 0))
}

/** The dtype of ours for a `TensorProto.DataType` code: floats take the dtype of the import. */
export function dtypeOfCode(call: OperatorCall, code: number): DType {
  const format = formatOfCode(code)
  if (format === undefined)
    throw call.unsupported(`values of type ${nameOfCode(code)} are not handled`, 'Export with float32 or float64.')
  if (format.name === 'float16' || format.name === 'bfloat16')
    call.context.note(`Casts to ${format.name} keep full precision.`)
  return isFloat(format.dtype) ? call.dtype : format.dtype
}

function casted(call: OperatorCall): Expr {
  call.ignore('saturate', 'round_mode')
  return cast(call.input(0), dtypeOfCode(call, call.int('to')))
}

function castLike(call: OperatorCall): Expr {
  call.ignore('saturate', 'round_mode')
  return cast(call.input(0), call.input(1).dtype)
}

/** Operators that work element by element; operands broadcast. */
export const elementwise: OperatorFamily = {
  Neg: unary(neg),
  Abs: unary(abs),
  Sign: unary(sign),
  Reciprocal: unary(reciprocal),
  Sqrt: unary(sqrt),
  Exp: unary(exp),
  Log: unary(log),
  Sin: unary(sin),
  Cos: unary(cos),
  Tan: unary((x) => div(sin(x), cos(x))),
  Asin: unary(asin),
  Acos: unary(acos),
  Atan: unary(atan),
  Sinh: unary((x) => mul(tanh(x), cosh(x))),
  Cosh: unary(cosh),
  Tanh: unary(tanh),
  Asinh: unary(asinh),
  Acosh: unary(acosh),
  Atanh: unary((x) => mul(0.5, sub(log(add(1, x)), log(sub(1, x))))),
  Sigmoid: unary(sigmoid),
  Softplus: unary(softplus),
  Erf: unary(erf),
  Floor: unary(floor),
  Ceil: unary(ceil),
  Round: unary(round),
  Not: unary(not),
  IsNaN: unary(isNaN),
  IsInf: infinite,
  Identity: unary((x) => x),
  Cast: casted,
  CastLike: castLike,
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary(div),
  Pow: power,
  Mod: modulo,
  Sum: variadic(add),
  Mean: (call) =>
    div(
      call.all().reduce((sum, x) => add(sum, x)),
      call.operands.length,
    ),
  Min: variadic(min),
  Max: variadic(max),
  Equal: binary(equal),
  Greater: binary(greater),
  Less: binary(less),
  GreaterOrEqual: binary(greaterOrEqual),
  LessOrEqual: binary(lessOrEqual),
  And: binary(and),
  Or: binary(or),
  Xor: binary(xor),
  Where: (call) => where(call.input(0), call.input(1), call.input(2)),
  Clip: clipped,
}
