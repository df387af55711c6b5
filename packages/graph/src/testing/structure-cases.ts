import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import type { Shape } from '../core/tensor.ts'
import { gather, gatherElements, scatterAdd, scatterElementsAdd } from '../build/indexing.ts'
import type { structures } from '../operators/structure.ts'
import { operatorCase } from './operator-case.ts'
import type { OperatorCase } from './operator-case.ts'

const onFloat = (name: string, shape: Shape, f: (x: Expr) => Expr): OperatorCase =>
  operatorCase(name, (n) => f(n.float(shape)))

/** starts, ends, steps of every axis. */
function sliceCase(name: string, shape: Shape, starts: Shape, ends: Shape, steps: Shape): OperatorCase {
  return onFloat(name, shape, (x) => make('Slice', [x], { starts, ends, steps }))
}

function gatherCases(): OperatorCase[] {
  const gathers = (name: string, shape: Shape, indices: Shape, axis: number): OperatorCase =>
    operatorCase(name, (n) => gather(n.float(shape), n.integers(indices, 0, shape[axis]), axis))
  return [
    gathers('rows, some twice', [3, 2], [5], 0),
    gathers('columns', [2, 3], [2], 1),
    gathers('a scalar index', [3, 2], [], 0),
    gathers('a matrix of indices in the middle', [2, 3, 2], [2, 2], 1),
    gathers('from a vector', [4], [2, 3], 0),
    operatorCase('of integers', (n) => gather(n.integers([4], -9, 9), n.integers([3], 0, 4), 0)),
    operatorCase('of bools', (n) => gather(n.bool([4, 2]), n.integers([3], 0, 4), 0)),
  ]
}

function scatterCases(): OperatorCase[] {
  const scatters = (name: string, indices: Shape, updates: Shape, axis: number, size: number): OperatorCase =>
    operatorCase(name, (n) => scatterAdd(n.integers(indices, 0, size), n.float(updates), axis, size))
  return [
    scatters('rows, some twice', [5], [5, 2], 0, 3),
    scatters('columns', [3], [2, 3], 1, 4),
    scatters('a scalar index', [], [2], 0, 3),
    scatters('a matrix of indices in the middle', [2, 2], [2, 2, 2, 2], 1, 3),
    scatters('rows that nothing reaches', [2], [2, 2], 0, 7),
    operatorCase('of integers', (n) => scatterAdd(n.integers([4], 0, 3), n.integers([4], -9, 9), 0, 3)),
  ]
}

function elementIndexCases(build: (x: Expr, indices: Expr, axis: number) => Expr, extent: number): OperatorCase[] {
  const along = (name: string, shape: Shape, indices: Shape, axis: number): OperatorCase =>
    operatorCase(name, (n) => build(n.float(shape), n.integers(indices, 0, extent), axis))
  return [
    along('the last axis', [2, 3], [2, 3], 1),
    along('the first axis', [3, 2], [3, 2], 0),
    along('a middle axis', [2, 3, 2], [2, 3, 2], 1),
  ]
}

export const structureCases: { readonly [K in keyof typeof structures]: readonly OperatorCase[] } = {
  Reshape: [
    onFloat('to a vector', [2, 3], (x) => make('Reshape', [x], { shape: [6] })),
    onFloat('to a higher rank', [2, 3], (x) => make('Reshape', [x], { shape: [3, 1, 2] })),
    onFloat('a scalar', [], (x) => make('Reshape', [x], { shape: [1, 1] })),
    onFloat('to a scalar', [1, 1], (x) => make('Reshape', [x], { shape: [] })),
    operatorCase('bools', (n) => make('Reshape', [n.bool([4])], { shape: [2, 2] })),
  ],
  Transpose: [
    onFloat('a matrix', [2, 3], (x) => make('Transpose', [x], { perm: [1, 0] })),
    onFloat('a cycle of three axes', [2, 3, 4], (x) => make('Transpose', [x], { perm: [2, 0, 1] })),
    onFloat('four axes', [1, 2, 3, 2], (x) => make('Transpose', [x], { perm: [0, 2, 3, 1] })),
  ],
  Expand: [
    onFloat('a new first axis', [3], (x) => make('Expand', [x], { shape: [2, 3] })),
    onFloat('an axis of length 1', [2, 1, 2], (x) => make('Expand', [x], { shape: [2, 3, 2] })),
    onFloat('a scalar', [], (x) => make('Expand', [x], { shape: [2, 2] })),
    onFloat('both', [2, 1], (x) => make('Expand', [x], { shape: [2, 2, 3] })),
    operatorCase('bools', (n) => make('Expand', [n.bool([2, 1])], { shape: [2, 2] })),
  ],
  Slice: [
    sliceCase('a block', [3, 4], [1, 0], [3, 2], [1, 1]),
    sliceCase('every second', [5, 2], [0, 0], [5, 2], [2, 1]),
    sliceCase('every second from 1, a remainder after', [6], [1], [6], [3]),
    sliceCase('backwards', [4], [3], [-1], [-1]),
    sliceCase('backwards by 2, not to the end', [3, 6], [2, 5], [-1, 0], [-1, -2]),
    sliceCase('forwards and backwards', [4, 3, 2], [0, 2, 0], [4, 0, 2], [3, -1, 1]),
  ],
  Pad: [
    onFloat('both ends', [2, 3], (x) => make('Pad', [x], { before: [1, 0], after: [0, 2], value: 0 })),
    onFloat('with ones', [3], (x) => make('Pad', [x], { before: [2], after: [1], value: 1 })),
    operatorCase('integers', (n) => make('Pad', [n.integers([2], 0, 9)], { before: [1], after: [1], value: -1 })),
  ],
  Concat: [
    operatorCase('two matrices', (n) => make('Concat', [n.float([2, 2]), n.float([1, 2])], { axis: 0 })),
    operatorCase('three along a middle axis', (n) =>
      make('Concat', [n.float([2, 1, 2]), n.float([2, 2, 2]), n.float([2, 1, 2])], { axis: 1 }),
    ),
    operatorCase('x with itself', (n) => {
      const x = n.float([3])
      return make('Concat', [x, x], { axis: 0 })
    }),
    operatorCase('bools', (n) => make('Concat', [n.bool([2]), n.bool([3])], { axis: 0 })),
  ],
  Gather: gatherCases(),
  GatherElements: [
    ...elementIndexCases(gatherElements, 2),
    operatorCase('more indices than elements', (n) => gatherElements(n.float([2, 2]), n.integers([5, 2], 0, 2), 0)),
    operatorCase('fewer indices along another axis', (n) =>
      gatherElements(n.float([3, 4]), n.integers([2, 3], 0, 4), 1),
    ),
  ],
  ScatterAdd: scatterCases(),
  ScatterElementsAdd: [
    ...elementIndexCases((updates, indices, axis) => scatterElementsAdd(indices, updates, axis, 4), 4),
    operatorCase('to fewer places than updates', (n) =>
      scatterElementsAdd(n.integers([2, 5], 0, 2), n.float([2, 5]), 1, 2),
    ),
  ],
}
