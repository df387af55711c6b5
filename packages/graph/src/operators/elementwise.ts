import type { Expr, Operation, TensorType } from '../core/expr.ts'
import type { PlainOperator } from '../core/operator-attributes.ts'
import { isFloat } from '../core/tensor.ts'
import {
  abs,
  add,
  and,
  cast,
  cos,
  div,
  equal,
  exp,
  greater,
  greaterOrEqual,
  less,
  log,
  mul,
  neg,
  not,
  pow,
  scalarValue,
  sigmoid,
  sign,
  sin,
  sub,
  where,
} from '../build/elementwise.ts'
import { sumTo } from '../build/reduction.ts'
import { expand } from '../build/structure.ts'
import { make } from '../core/make.ts'
import { erfOf, roundHalfEven, sigmoidOf, softplusOf } from '../interpret/special-functions.ts'
import { broadcastStrides, forEachIndex, ndArray, positionOf } from '../interpret/nd-array.ts'
import type { NdArray } from '../interpret/nd-array.ts'
import { alignBatched } from './batching.ts'
import { notDifferentiable, rule } from './rule.ts'
import type { BatchedOperand, Derivative, Rule } from './rule.ts'

const batchBroadcast = (node: Operation, operands: readonly BatchedOperand[]): Expr =>
  make(node.op, alignBatched(operands, node.shape.length), node.attributes as never)

function map(inputs: readonly NdArray[], type: TensorType, f: (a: number, b: number, c: number) => number): NdArray {
  const out = ndArray(type.dtype, type.shape)
  const strides = inputs.map((x) => broadcastStrides(x.shape, type.shape))
  const [a, b = a, c = a] = inputs
  const [sa, sb = sa, sc = sa] = strides
  forEachIndex(type.shape, (i, at) => {
    out.data[i] = f(a.data[positionOf(at, sa)], b.data[positionOf(at, sb)], c.data[positionOf(at, sc)])
  })
  return out
}

type Scale = (factor: Expr) => Expr

const identity: Scale = (t) => t
const times =
  (d: Expr | number): Scale =>
  (t) =>
    mul(t, d)

/** One operand; `scale(x, y)` says how a tangent is scaled by f′(x), with y = f(x) to be reused; null where f′ = 0. */
function pointwise<K extends PlainOperator>(
  op: K,
  evaluate: (x: number) => number,
  scale: ((x: Expr, y: Expr) => Scale) | null,
): Rule<K> {
  return rule(op, {
    vjp: (node, g) => [scale ? scale(node.inputs[0], node as Expr)(g) : null],
    jvp: (node, [t]) => (scale && t ? scale(node.inputs[0], node as Expr)(t) : null),
    batch: batchBroadcast,
    interpret: ([x], _, type) => map([x], type, evaluate),
  })
}

/** Broadcasting operands; `scales(…)[i]` scales a tangent by ∂f/∂xᵢ; null where it vanishes identically. */
function broadcasting<K extends PlainOperator>(
  op: K,
  evaluate: (a: number, b: number, c: number) => number,
  scales: (node: Operation<K>) => readonly (Scale | null)[],
): Rule<K> {
  return rule(op, {
    vjp(node, g, wanted) {
      const by = scales(node)
      return node.inputs.map((x, i) => {
        const scale = by[i]
        return wanted[i] && scale ? sumTo(scale(g), x.shape) : null
      })
    },
    jvp(node, tangents) {
      const by = scales(node)
      const terms = tangents.flatMap((t, i) => {
        const scale = by[i]
        return t && scale ? [scale(t)] : []
      })
      if (terms.length === 0) return null
      return expand(
        terms.reduce((sum, term) => add(sum, term)),
        node.shape,
      )
    },
    batch: batchBroadcast,
    interpret: (inputs, _, type) => map(inputs, type, evaluate),
  })
}

/** Piecewise constant or integer-valued. */
function discrete<K extends PlainOperator>(op: K, evaluate: (a: number, b: number) => number): Rule<K> {
  return rule(op, {
    ...notDifferentiable,
    batch: batchBroadcast,
    interpret: (inputs, _, type) => map(inputs, type, evaluate),
  })
}

const truth = (value: boolean): number => (value ? 1 : 0)
const negated: Scale = (t) => neg(t)

/** ∂max(a,b)/∂a: 1, 0, and ½ where they tie, as torch.maximum. */
function selection(a: Expr, b: Expr, wins: (x: Expr, y: Expr) => Expr): Scale {
  return (t) => where(wins(a, b), t, where(wins(b, a), 0, mul(t, 0.5)))
}

/** x^c for a known exponent, with the small integers written out. */
function powerOf(x: Expr, c: number): Expr {
  if (c === 1) return x
  if (c === 2) return mul(x, x)
  return pow(x, c)
}

/** b a^{b−1}; 0 where b = 0 whatever a is, as PyTorch. For other a it is 0 there of itself, and its derivative in b,
 * 1/a, is kept. */
function powBase(a: Expr, b: Expr): Scale | null {
  const c = scalarValue(b)
  if (c === 0) return null
  if (c === 1) return identity
  if (c !== undefined) return times(mul(c, powerOf(a, c - 1)))
  const zero = and(equal(b, 0), not(greater(abs(a), 0)))
  return times(where(zero, 0, mul(b, pow(a, sub(where(zero, 1, b), 1)))))
}

/** a^b log a; 0 where a = 0 ≤ b, as PyTorch. */
function powExponent(a: Expr, b: Expr, y: Expr): Scale {
  const atZero = and(equal(a, 0), greaterOrEqual(b, 0))
  return times(where(atZero, 0, mul(y, log(where(atZero, 1, a)))))
}

/** In JavaScript 1 ** NaN and (−1) ** ±∞ are NaN; C and ONNX say 1. */
const powOf = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b
const nanMin = (a: number, b: number): number => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.min(a, b))
const nanMax = (a: number, b: number): number => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b))

type ElementwiseName =
  | 'Neg'
  | 'Abs'
  | 'Sign'
  | 'Reciprocal'
  | 'Sqrt'
  | 'Exp'
  | 'Log'
  | 'Sin'
  | 'Cos'
  | 'Atan'
  | 'Tanh'
  | 'Sigmoid'
  | 'Softplus'
  | 'Erf'
  | 'Relu'
  | 'Floor'
  | 'Ceil'
  | 'Round'
  | 'Not'
  | 'IsNaN'
  | 'IsInf'
  | 'Cast'
  | 'Add'
  | 'Sub'
  | 'Mul'
  | 'Div'
  | 'Pow'
  | 'Min'
  | 'Max'
  | 'Mod'
  | 'Equal'
  | 'Greater'
  | 'Less'
  | 'GreaterOrEqual'
  | 'LessOrEqual'
  | 'And'
  | 'Or'
  | 'Xor'
  | 'Where'

export const elementwise: { readonly [K in ElementwiseName]: Rule<K> } = {
  Neg: pointwise(
    'Neg',
    (x) => -x,
    () => negated,
  ),
  Abs: pointwise('Abs', Math.abs, (x) => times(sign(x))),
  Sign: pointwise('Sign', Math.sign, null),
  Reciprocal: pointwise(
    'Reciprocal',
    (x) => 1 / x,
    (_, y) => times(neg(mul(y, y))),
  ),
  Sqrt: pointwise('Sqrt', Math.sqrt, (_, y) => (t) => div(mul(t, 0.5), y)),
  Exp: pointwise('Exp', Math.exp, (_, y) => times(y)),
  Log: pointwise('Log', Math.log, (x) => (t) => div(t, x)),
  Sin: pointwise('Sin', Math.sin, (x) => times(cos(x))),
  Cos: pointwise('Cos', Math.cos, (x) => times(neg(sin(x)))),
  Atan: pointwise('Atan', Math.atan, (x) => (t) => div(t, add(mul(x, x), 1))),
  Tanh: pointwise('Tanh', Math.tanh, (_, y) => times(sub(1, mul(y, y)))),
  Sigmoid: pointwise('Sigmoid', sigmoidOf, (_, y) => times(mul(y, sub(1, y)))),
  Softplus: pointwise('Softplus', softplusOf, (x) => times(sigmoid(x))),
  Erf: pointwise('Erf', erfOf, (x) => times(mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x)))))),
  // derivative 0 at 0, and 0 whatever comes back from above where x ≤ 0, as PyTorch: a product would make NaN of 0 · ∞
  Relu: pointwise(
    'Relu',
    (x) => (x < 0 ? 0 : x),
    (x) => (t) => where(greater(x, 0), t, 0),
  ),
  Floor: pointwise('Floor', Math.floor, null),
  Ceil: pointwise('Ceil', Math.ceil, null),
  Round: pointwise('Round', roundHalfEven, null),
  Not: discrete('Not', (x) => 1 - x),
  IsNaN: discrete('IsNaN', (x) => truth(Number.isNaN(x))),
  IsInf: discrete('IsInf', (x) => truth(Math.abs(x) === Number.POSITIVE_INFINITY)),
  Cast: rule('Cast', {
    vjp: ({ inputs: [x], attributes }, g) => [isFloat(x.dtype) && isFloat(attributes.to) ? cast(g, x.dtype) : null],
    jvp: ({ attributes }, [t]): Derivative => (t && isFloat(attributes.to) ? cast(t, attributes.to) : null),
    batch: batchBroadcast,
    interpret: ([x], { to }, type) => map([x], type, castTo(to)),
  }),
  Add: broadcasting(
    'Add',
    (a, b) => a + b,
    () => [identity, identity],
  ),
  Sub: broadcasting(
    'Sub',
    (a, b) => a - b,
    () => [identity, negated],
  ),
  Mul: broadcasting(
    'Mul',
    (a, b) => a * b,
    ({ inputs: [a, b] }) => [times(b), times(a)],
  ),
  Div: rule('Div', {
    ...broadcasting(
      'Div',
      (a, b) => a / b,
      (node) => {
        const b = node.inputs[1]
        return [(t) => div(t, b), (t) => neg(div(mul(t, node), b))]
      },
    ),
    interpret: (inputs, _, type) =>
      map(inputs, type, type.dtype === 'int64' ? (a, b) => Math.trunc(a / b) : (a, b) => a / b),
  }),
  Pow: broadcasting('Pow', powOf, (node) => {
    const [a, b] = node.inputs
    return [powBase(a, b), (t) => powExponent(a, b, node)(t)]
  }),
  Min: broadcasting('Min', nanMin, ({ inputs: [a, b] }) => [selection(a, b, less), selection(b, a, less)]),
  Max: broadcasting('Max', nanMax, ({ inputs: [a, b] }) => [selection(a, b, greater), selection(b, a, greater)]),
  Mod: discrete('Mod', (a, b) => a - b * Math.floor(a / b)),
  Equal: discrete('Equal', (a, b) => truth(a === b)),
  Greater: discrete('Greater', (a, b) => truth(a > b)),
  Less: discrete('Less', (a, b) => truth(a < b)),
  GreaterOrEqual: discrete('GreaterOrEqual', (a, b) => truth(a >= b)),
  LessOrEqual: discrete('LessOrEqual', (a, b) => truth(a <= b)),
  And: discrete('And', (a, b) => a * b),
  Or: discrete('Or', (a, b) => Math.max(a, b)),
  Xor: discrete('Xor', (a, b) => truth(a !== b)),
  Where: broadcasting(
    'Where',
    (c, a, b) => (c ? a : b),
    ({ inputs: [c] }) => [null, (t) => where(c, t, 0), (t) => where(c, 0, t)],
  ),
}

function castTo(dtype: Expr['dtype']): (x: number) => number {
  if (dtype === 'bool') return (x) => truth(x !== 0)
  if (dtype === 'int64') return Math.trunc
  return dtype === 'float32' ? Math.fround : (x) => x
}
