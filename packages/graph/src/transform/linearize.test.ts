import { describe, expect, it } from 'vitest'
import { input } from '../core/expr.ts'
import type { Expr, InputExpr } from '../core/expr.ts'
import { numbersOf } from '../core/tensor.ts'
import type { Tensor } from '../core/tensor.ts'
import { graphOf, topologicalOrder } from '../core/traversal.ts'
import { add, exp, mul, tanh } from '../build/elementwise.ts'
import { matmul } from '../build/contraction.ts'
import { reduceMean, reduceSum } from '../build/reduction.ts'
import { expand, reshape, transpose, zeros } from '../build/structure.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { everyCase, floatInputs, randomTensor, seededNumbers, weightedSum } from '../testing/index.ts'
import { jvp } from './forward.ts'
import { partition } from './linearize.ts'
import type { Partition } from './linearize.ts'
import { grad } from './reverse.ts'

type Values = Readonly<Record<string, Tensor>>

function runParts(parts: Partition, values: Values): Record<string, Tensor> {
  const residuals = evaluate(Object.values(parts.early.outputs), values)
  const fed = { ...values, ...Object.fromEntries(Object.keys(parts.early.outputs).map((n, i) => [n, residuals[i]])) }
  const names = Object.keys(parts.late.outputs)
  const results = evaluate(Object.values(parts.late.outputs), fed)
  return Object.fromEntries(names.map((n, i) => [n, results[i]]))
}

const operations = (roots: Iterable<Expr>): Expr[] =>
  topologicalOrder([...roots]).filter((n) => n.op !== 'Input' && n.op !== 'Constant')

function checkParts(outputs: Readonly<Record<string, Expr>>, late: readonly InputExpr[], values: Values): Partition {
  const parts = partition(graphOf(outputs), late)
  expect(parts.early.inputs.filter((i) => late.includes(i))).toEqual([])
  const early = Object.keys(parts.early.outputs)
  const allowed = new Set([...late.map((i) => i.attributes.name), ...early])
  expect(parts.late.inputs.filter((i) => !allowed.has(i.attributes.name))).toEqual([])
  const actual = runParts(parts, values)
  const expected = evaluate(Object.values(outputs), values)
  Object.keys(outputs).forEach((name, i) => {
    expect(actual[name].shape).toEqual(expected[i].shape)
    expect(Array.from(numbersOf(actual[name]))).toEqual(Array.from(numbersOf(expected[i])))
  })
  return parts
}

describe('partition', () => {
  it.each(everyCase.filter(([, c]) => floatInputs(c.build('float64')).length > 0))(
    'cuts the Hessian-vector product of %s without changing it',
    (_, c) => {
      const built = c.build('float64')
      const xs = floatInputs(built)
      const vs = xs.map((x, i) => input(`v${i}`, x.dtype, x.shape))
      const products = jvp(
        grad(weightedSum(built.outputs, 'float64'), xs),
        xs.map((x, i) => [x, vs[i]]),
      )
      const numbers = seededNumbers(5)
      const directions = Object.fromEntries(
        vs.map((v) => [v.attributes.name, randomTensor('float64', v.shape, numbers)]),
      )
      const outputs = Object.fromEntries(products.map((p, i) => [`p${i}`, p]))
      checkParts(outputs, vs, { ...built.values, ...directions })
    },
  )

  const x = input('x', 'float64', [2, 3])
  const v = input('v', 'float64', [2, 3])
  const numbers = seededNumbers(6)
  const values = { x: randomTensor('float64', [2, 3], numbers), v: randomTensor('float64', [2, 3], numbers) }

  it('leaves nothing late that does not depend on a late input', () => {
    const parts = checkParts({ z: mul(tanh(exp(x)), v) }, [v], values)
    expect(Object.keys(parts.early.outputs)).toHaveLength(1)
    expect(operations(Object.values(parts.early.outputs)).map((n) => n.op)).toEqual(['Exp', 'Tanh'])
    expect(operations(Object.values(parts.late.outputs)).map((n) => n.op)).toEqual(['Mul'])
  })

  it('stores a value once, however many late nodes or views read it', () => {
    const e = exp(x)
    const late = add(add(mul(e, v), transpose(v, [0, 1])), mul(expand(reshape(e, [1, 2, 3]), [4, 2, 3]), v))
    const parts = checkParts({ z: late }, [v], values)
    expect(Object.values(parts.early.outputs).map((r) => r.op)).toEqual(['Exp'])
  })

  it('passes on outputs that are early, late inputs themselves, or constants', () => {
    const outputs = { early: exp(x), late: v, both: add(x, v), constant: zeros('float64', [2]), given: x }
    const parts = checkParts(outputs, [v], values)
    expect(Object.keys(parts.late.outputs)).toEqual(Object.keys(outputs))
  })

  it('is the whole graph when everything is late, and a copy when nothing is', () => {
    const z = reduceSum(mul(exp(x), v))
    expect(Object.keys(checkParts({ z }, [x, v], values).early.outputs)).toEqual([])
    const late = checkParts({ z }, [], values).late
    expect(operations(Object.values(late.outputs))).toEqual([])
  })

  it('does the forward and backward passes of a Hessian-vector product early', () => {
    const w = input('w', 'float64', [3, 4])
    const u = input('u', 'float64', [4, 1])
    const loss = reduceMean(tanh(matmul(tanh(matmul(x, w)), u)))
    const dw = input('dw', 'float64', [3, 4])
    const products = jvp(grad(loss, [w]), [[w, dw]])
    const more = {
      ...values,
      w: randomTensor('float64', [3, 4], numbers),
      u: randomTensor('float64', [4, 1], numbers),
      dw: randomTensor('float64', [3, 4], numbers),
    }
    const parts = checkParts({ hw: products[0] }, [dw], more)
    const tanhs = (roots: Iterable<Expr>): number => operations(roots).filter((n) => n.op === 'Tanh').length
    expect([tanhs(Object.values(parts.early.outputs)), tanhs(Object.values(parts.late.outputs))]).toEqual([2, 0])
  })
})
