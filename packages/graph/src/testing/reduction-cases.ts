import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { tensorOf } from '../core/tensor.ts'
import type { Shape } from '../core/tensor.ts'
import { add } from '../build/elementwise.ts'
import {
  argMax,
  cumSum,
  logSoftmax,
  reduceLogSumExp,
  reduceMax,
  reduceMin,
  reduceSum,
  softmax,
} from '../build/reduction.ts'
import type { Reducer } from '../build/reduction.ts'
import type { reductions } from '../operators/reduction.ts'
import { operatorCase } from './operator-case.ts'
import type { CaseInputs, OperatorCase } from './operator-case.ts'

function axisCases(reducer: Reducer, draw: (n: CaseInputs, shape: Shape) => Expr): OperatorCase[] {
  const over = (name: string, shape: Shape, axes?: readonly number[], keepDims = false): OperatorCase =>
    operatorCase(name, (n) => reducer(draw(n, shape), axes, keepDims))
  return [
    over('everything', [2, 3]),
    over('everything, axes kept', [2, 3], undefined, true),
    over('the first axis', [3, 2], [0]),
    over('the last axis, kept', [2, 2, 3], [-1], true),
    over('first and last', [2, 3, 2], [0, 2]),
    over('an axis of length 1', [2, 1], [1]),
    over('a vector', [4], [0]),
  ]
}

const float = (n: CaseInputs, shape: Shape): Expr => n.float(shape)
const distinct = (n: CaseInputs, shape: Shape): Expr => n.distinct(shape)
const overIntegers = (reducer: Reducer): OperatorCase =>
  operatorCase('integers', (n) => reducer(n.integers([2, 3], -9, 9), [1]))

function alongAxisCases(f: (x: Expr, axis?: number) => Expr): OperatorCase[] {
  return [
    operatorCase('the last axis', (n) => f(n.float([2, 3]))),
    operatorCase('the first axis', (n) => f(n.float([3, 2]), 0)),
    operatorCase('a middle axis', (n) => f(n.float([2, 3, 2]), 1)),
    operatorCase('a vector', (n) => f(n.float([4], -4, 4), 0)),
    operatorCase('one class', (n) => f(n.float([3, 1]), 1)),
    operatorCase('large logits', (n) => f(add(n.float([2, 3]), 900))),
  ]
}

export const reductionCases: { readonly [K in keyof typeof reductions]: readonly OperatorCase[] } = {
  ReduceSum: [...axisCases(reduceSum, float), overIntegers(reduceSum)],
  ReduceMax: [...axisCases(reduceMax, distinct), overIntegers(reduceMax)],
  ReduceMin: [...axisCases(reduceMin, distinct), overIntegers(reduceMin)],
  ReduceLogSumExp: [
    ...axisCases(reduceLogSumExp, float),
    operatorCase('large values', (n) => reduceLogSumExp(add(n.float([2, 3]), 800), [1])),
  ],
  ArgMax: [
    operatorCase('the last axis', (n) => argMax(n.distinct([2, 3]), -1)),
    operatorCase('the first axis, kept', (n) => argMax(n.distinct([3, 2]), 0, true)),
    operatorCase('a middle axis', (n) => argMax(n.distinct([2, 3, 2]), 1)),
    operatorCase('ties', (n) =>
      argMax(add(n.integers([3, 4], 0, 2), constant(tensorOf('int64', [4], [0, 1, 1, 0]))), 1),
    ),
  ],
  CumSum: [
    ...[false, true].flatMap((exclusive) =>
      [false, true].map((reverse) =>
        operatorCase(`exclusive ${exclusive}, reverse ${reverse}`, (n) =>
          cumSum(n.float([2, 4]), 1, exclusive, reverse),
        ),
      ),
    ),
    operatorCase('the first axis of three', (n) => cumSum(n.float([3, 2, 2]), 0)),
    operatorCase('integers', (n) =>
      make('CumSum', [n.integers([5], -3, 3)], { axis: 0, exclusive: false, reverse: false }),
    ),
  ],
  Softmax: alongAxisCases(softmax),
  LogSoftmax: alongAxisCases(logSoftmax),
}
