import { mul } from '../build/elementwise.ts'
import { gather, gatherND, oneHot, scatterElements, scatterND, wrapIndices } from '../build/indexing.ts'
import {
  innerProduct,
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceMean,
  reduceProd,
  reduceSumSquare,
  reduceVariance,
  sumTo,
} from '../build/reduction.ts'
import type { Reducer } from '../build/reduction.ts'
import * as s from '../build/structure.ts'
import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { tensorOf } from '../core/tensor.ts'
import type { Shape } from '../core/tensor.ts'
import type { AssemblyName } from './composite-names.ts'
import { operatorCase } from './operator-case.ts'
import type { OperatorCase } from './operator-case.ts'

const onFloat = (name: string, shape: Shape, f: (x: Expr) => Expr | readonly Expr[]): OperatorCase =>
  operatorCase(name, (n) => f(n.float(shape)))

/** Over everything, an axis, and two axes kept; elements stay away from 0 on both or one side. */
function reducerCases(f: Reducer, low = -1.5): OperatorCase[] {
  const over = (name: string, shape: Shape, axes?: readonly number[], keepDims = false): OperatorCase =>
    operatorCase(name, (n) => f(n.avoiding([0], shape, low, 1.5), axes, keepDims))
  return [
    over('everything', [2, 3]),
    over('the last axis', [2, 3], [-1]),
    over('two axes, kept', [2, 3, 2], [0, 2], true),
  ]
}

/** Tuples of indices, all different. */
const tuples = constant(tensorOf('int64', [3, 2], [0, 1, 1, 2, 1, 0]))
const columns = constant(tensorOf('int64', [2, 2], [2, 0, 1, 2]))

export const assemblyCases: { readonly [K in AssemblyName]: readonly OperatorCase[] } = {
  wrapIndices: [
    operatorCase('that are known', (n) => gather(n.float([4, 2]), wrapIndices(s.int64([-1, 0, -4]), 4), 0)),
    operatorCase('that are fed', (n) => gather(n.float([4, 2]), wrapIndices(n.integers([3], -4, 4), 4), 0)),
  ],
  gatherND: [
    operatorCase('elements', (n) => gatherND(n.float([2, 3]), tuples)),
    operatorCase('rows', (n) => gatherND(n.float([3, 2, 2]), n.integers([2, 2, 1], 0, 3))),
  ],
  scatterND: [
    operatorCase('written', (n) => scatterND(n.float([2, 3]), tuples, n.float([3]), false)),
    operatorCase('added', (n) => scatterND(n.float([2, 3]), n.integers([4, 2], 0, 2), n.float([4]), true)),
    operatorCase('rows written', (n) =>
      scatterND(n.float([4, 2]), s.reshape(s.int64([2, 0]), [2, 1]), n.float([2, 2]), false),
    ),
  ],
  scatterElements: [
    operatorCase('written', (n) => scatterElements(n.float([2, 3]), columns, n.float([2, 2]), 1, false)),
    operatorCase('added', (n) => scatterElements(n.float([2, 3]), n.integers([2, 4], 0, 3), n.float([2, 4]), 1, true)),
    operatorCase('fewer rows', (n) =>
      scatterElements(n.float([3, 2]), s.reshape(s.int64([1]), [1, 1]), n.float([1, 1]), 1, false),
    ),
  ],
  oneHot: [
    operatorCase('times a tensor', (n) => mul(oneHot(n.integers([4], -1, 4), 3, n.dtype), n.float([4, 3]))),
    operatorCase('a matrix of indices', (n) => oneHot(n.integers([2, 2], 0, 3), 3, n.dtype)),
  ],
  reduceMean: reducerCases(reduceMean),
  reduceSumSquare: reducerCases(reduceSumSquare),
  reduceL2: reducerCases(reduceL2),
  reduceL1: reducerCases(reduceL1),
  reduceLogSum: reducerCases(reduceLogSum, 0.1),
  reduceProd: [
    ...reducerCases(reduceProd),
    onFloat('five factors', [5, 2], (x) => reduceProd(x, [0])),
    onFloat('seven factors', [7], (x) => reduceProd(x)),
    onFloat('with zeros', [4], (x) => reduceProd(mul(x, constant(tensorOf(x.dtype, [4], [1, 0, 1, 1]))))),
  ],
  reduceVariance: reducerCases(reduceVariance),
  sumTo: [
    onFloat('a lower rank', [2, 3], (x) => sumTo(x, [3])),
    onFloat('a stretched axis', [2, 3, 2], (x) => sumTo(x, [3, 1])),
    onFloat('a scalar', [2, 2], (x) => sumTo(x, [])),
    onFloat('ones', [1, 1, 2], (x) => sumTo(x, [1, 2])),
  ],
  innerProduct: [operatorCase('matrices', (n) => innerProduct(n.float([2, 3]), n.float([2, 3])))],
  matrixTranspose: [onFloat('a stack', [2, 2, 3], s.matrixTranspose)],
  moveAxis: [
    onFloat('to the front', [2, 3, 4], (x) => s.moveAxis(x, 2, 0)),
    onFloat('backwards', [2, 3, 2, 2], (x) => s.moveAxis(x, 0, 2)),
  ],
  unsqueeze: [onFloat('two axes', [2, 3], (x) => s.unsqueeze(x, [0, -1]))],
  squeeze: [onFloat('all', [1, 3, 1], (x) => s.squeeze(x)), onFloat('one', [1, 3, 1], (x) => s.squeeze(x, [-1]))],
  flatten: [
    onFloat('from axis 1', [2, 2, 3], (x) => s.flatten(x)),
    onFloat('from axis 0', [2, 3], (x) => s.flatten(x, 0)),
  ],
  sliceAxis: [
    onFloat('the last two', [2, 4], (x) => s.sliceAxis(x, -1, -2, 99)),
    onFloat('backwards', [5], (x) => s.sliceAxis(x, 0, -1, -99, -2)),
    onFloat('backwards, stopping', [5], (x) => s.sliceAxis(x, 0, 99, 1, -1)),
  ],
  selectAt: [
    onFloat('a column', [2, 3], (x) => s.selectAt(x, 1, 2)),
    onFloat('the last row', [3, 2], (x) => s.selectAt(x, 0, -1)),
  ],
  stack: [operatorCase('a new last axis', (n) => s.stack([n.float([2, 2]), n.float([2, 2]), n.float([2, 2])], 2))],
  split: [onFloat('three pieces', [2, 5], (x) => s.split(x, [2, 1, 2], -1))],
  full: [operatorCase('added', (n) => mul(n.float([2]), s.full(n.dtype, [2, 2], 3)))],
  zeros: [operatorCase('times x', (n) => mul(n.float([2]), s.zeros(n.dtype, [2, 2])))],
  tile: [
    onFloat('both axes', [2, 3], (x) => s.tile(x, [2, 2])),
    onFloat('one axis', [2, 1, 2], (x) => s.tile(x, [1, 3, 1])),
  ],
}
