import { constant, input } from '../core/expr.ts'
import type { Expr, InputExpr } from '../core/expr.ts'
import { isFloat, numbersOf, sizeOf, tensorOf } from '../core/tensor.ts'
import type { FloatDType, Tensor } from '../core/tensor.ts'
import { add, cast } from '../build/elementwise.ts'
import { innerProduct } from '../build/reduction.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { jvp } from '../transform/forward.ts'
import { grad } from '../transform/reverse.ts'
import type { CaseGraph } from './operator-case.ts'
import { randomTensor, seededNumbers } from './seeded-numbers.ts'
import type { DifferentiableFunction } from './taylor-order.ts'

type Values = Readonly<Record<string, Tensor>>

/** A scalar expression as a function of the flat vector of some of its inputs, by the reference interpreter. */
export interface FlatObjective extends DifferentiableFunction {
  readonly theta: Float64Array
  readonly hessianTimes: (theta: Float64Array, v: Float64Array) => Float64Array
}

/** Values of the inputs end to end. */
export function flatten(inputs: readonly InputExpr[], values: Values): Float64Array {
  return Float64Array.from(inputs.flatMap((x) => Array.from(numbersOf(values[x.attributes.name]))))
}

/** A flat vector cut into the values of the inputs. */
export function unflatten(inputs: readonly InputExpr[], theta: Float64Array): Record<string, Tensor> {
  let start = 0
  return Object.fromEntries(
    inputs.map((x) => {
      const end = start + sizeOf(x.shape)
      const piece = tensorOf(x.dtype, x.shape, theta.subarray(start, end))
      start = end
      return [x.attributes.name, piece]
    }),
  )
}

const flat = (tensors: readonly Tensor[]): Float64Array =>
  Float64Array.from(tensors.flatMap((t) => Array.from(numbersOf(t))))

/** y as a function of the inputs `wrt`, the other inputs fixed at `values`. Products are jvp of grad. */
export function flatObjective(y: Expr, wrt: readonly InputExpr[], values: Values): FlatObjective {
  const directions = wrt.map((x, i) => input(`direction${i}`, x.dtype, x.shape))
  const gradients = grad(y, wrt)
  const products = jvp(
    gradients,
    wrt.map((x, i) => [x, directions[i]] as const),
  )
  const at = (theta: Float64Array): Values => ({ ...values, ...unflatten(wrt, theta) })
  return {
    theta: flatten(wrt, values),
    value: (theta) => numbersOf(evaluate([y], at(theta))[0])[0],
    gradient: (theta) => flat(evaluate(gradients, at(theta))),
    hessianTimes: (theta, v) => flat(evaluate(products, { ...at(theta), ...unflatten(directions, v) })),
  }
}

/** The inputs of a case that derivatives are taken in. */
export function floatInputs({ inputs }: CaseGraph): InputExpr[] {
  return inputs.filter((x) => isFloat(x.dtype))
}

/** Σ weights · outputs with random weights: a scalar that sees every element of every output. */
export function weightedSum(outputs: readonly Expr[], dtype: FloatDType, seed = 0): Expr {
  const numbers = seededNumbers(seed)
  const terms = outputs.map((y) => innerProduct(cast(y, dtype), constant(randomTensor(dtype, y.shape, numbers))))
  return terms.reduce((sum, term) => add(sum, term))
}
