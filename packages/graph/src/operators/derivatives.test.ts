import { describe, expect, it } from 'vitest'
import { isFloat, numbersOf, sizeOf } from '../core/tensor.ts'
import type { FloatDType, Tensor } from '../core/tensor.ts'
import { input } from '../core/expr.ts'
import type { Expr, InputExpr } from '../core/expr.ts'
import { cast } from '../build/elementwise.ts'
import { evaluate } from '../interpret/evaluate.ts'
import {
  adjointDefect,
  differenceDefect,
  everyCase,
  flatObjective,
  floatInputs,
  randomVector,
  seededNumbers,
  taylorOrder,
  unflatten,
  weightedSum,
} from '../testing/index.ts'
import type { CaseGraph, OperatorCase } from '../testing/index.ts'
import { jvp } from '../transform/forward.ts'
import { grad, vjp } from '../transform/reverse.ts'

type Values = Readonly<Record<string, Tensor>>

function flatValues(outputs: readonly Expr[], values: Values): Float64Array {
  return Float64Array.from(evaluate(outputs, values).flatMap((t) => Array.from(numbersOf(t))))
}

const like = (prefix: string, nodes: readonly Expr[]): InputExpr[] =>
  nodes.map((x, i) => input(`${prefix}${i}`, x.dtype, x.shape))

const length = (nodes: readonly Expr[]): number => nodes.reduce((sum, x) => sum + sizeOf(x.shape), 0)

const order = (measured: number, expected: number): number =>
  measured === Number.POSITIVE_INFINITY ? expected : measured

function objectiveOf(built: CaseGraph, dtype: FloatDType) {
  return flatObjective(weightedSum(built.outputs, dtype), floatInputs(built), built.values)
}

const differentiable = everyCase.filter(([, c]) => floatInputs(c.build('float64')).length > 0)
const smooth = differentiable.filter(([, c]) => !c.rounded)

describe('every operator and builder', () => {
  describe.each(smooth)('%s', (_, example: OperatorCase) => {
    const built = example.build('float64')
    const f = objectiveOf(built, 'float64')

    it('has the gradient of central differences', () => {
      expect(differenceDefect(f.value, f.gradient(f.theta), f.theta)).toBeLessThan(1e-6)
    })

    it('has a Hessian that makes Taylor remainders vanish to third order', () => {
      expect(Math.abs(order(taylorOrder(f, f.theta), 3) - 3)).toBeLessThan(0.05)
    })
  })

  describe.each(differentiable)('%s', (_, example: OperatorCase) => {
    const built = example.build('float64')

    it('has jvp and vjp that are adjoint', () => {
      const xs = floatInputs(built)
      const ys = built.outputs.map((y) => (isFloat(y.dtype) ? y : cast(y, 'float64')))
      const [vs, ws] = [like('v', xs), like('w', ys)]
      const numbers = seededNumbers(1)
      const [v, w] = [randomVector(length(xs), numbers), randomVector(length(ys), numbers)]
      const values = { ...built.values, ...unflatten(vs, v), ...unflatten(ws, w) }
      const productV = flatValues(
        jvp(
          ys,
          xs.map((x, i) => [x, vs[i]]),
        ),
        values,
      )
      const productW = flatValues(vjp(ys, xs, ws), values)
      const rounding = example.rounded ? 2 ** 29 : 1
      expect(adjointDefect(v, productV, w, productW)).toBeLessThan(30 * rounding)
    })

    it('has a symmetric Hessian', () => {
      const f = objectiveOf(built, 'float64')
      const numbers = seededNumbers(2)
      const [u, v] = [randomVector(f.theta.length, numbers), randomVector(f.theta.length, numbers)]
      expect(adjointDefect(u, f.hessianTimes(f.theta, u), v, f.hessianTimes(f.theta, v))).toBeLessThan(30)
    })

    it('computes nearly the same in float32', () => {
      const narrow = example.build('float32')
      const wideValues = evaluate(built.outputs, built.values)
      evaluate(narrow.outputs, narrow.values).forEach((y, i) =>
        expectNear(numbersOf(y), numbersOf(wideValues[i]), 1e-5),
      )
      const gradientOf = (b: CaseGraph, dtype: FloatDType): Float64Array =>
        flatValues(grad(weightedSum(b.outputs, dtype), floatInputs(b)), b.values)
      expectNear(gradientOf(narrow, 'float32'), gradientOf(built, 'float64'), 2e-3)
    })
  })
})

/** Relative to the largest element. */
function expectNear(actual: Float64Array, expected: Float64Array, tolerance: number): void {
  const scale = expected.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
  actual.forEach((x, i) => expect(Math.abs(x - expected[i])).toBeLessThanOrEqual(tolerance * scale))
}
