import { describe, expect, it } from 'vitest'
import { ShapeError } from '../core/errors.ts'
import { constant, input } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { range } from '../core/shape.ts'
import { numbersOf, tensorOf } from '../core/tensor.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { averagePool, convTranspose, matmul } from './contraction.ts'
import { add, div, mul, sub } from './elementwise.ts'
import { gatherElements, scatterElements, scatterND, wrapIndices } from './indexing.ts'
import { reduceLogSumExp, reduceMean, reduceProd, reduceSum } from './reduction.ts'
import * as s from './structure.ts'

const x = input('x', 'float64', [2, 3])
const counting = (shape: readonly number[]): Expr =>
  constant(tensorOf('float64', shape, range(shape.reduce((p, d) => p * d, 1))))
const valueOf = (e: Expr): number[] => Array.from(numbersOf(evaluate([e])[0]))

describe('builders that have nothing to do return their operand', () => {
  it.each<[string, Expr]>([
    ['x · 1', mul(x, 1)],
    ['1 · x', mul(1, x)],
    ['x / 1', div(x, 1)],
    ['reshape to its own shape', s.reshape(x, [2, -1])],
    ['the identity permutation', s.transpose(x, [0, 1])],
    ['expand to its own shape', s.expand(x, [2, 3])],
    ['the whole slice', s.sliceAxis(x, 1, -3, 99)],
    ['an empty pad', s.pad(x, [0, 0], [0, 0], 5)],
    ['one operand', s.concat([x], 0)],
    ['no axes', reduceSum(x, [])],
    ['log-sum-exp of one', reduceLogSumExp(x, [])],
  ])('%s', (_, e) => {
    expect(e).toBe(x)
  })
})

describe('reshape and transpose never look through their operand', () => {
  // a derivative by that operand would be zero without a word: parameters are reshaped slices of one vector
  it.each<[string, Expr, (e: Expr) => Expr]>([
    ['reshape', s.reshape(x, [6]), (e) => s.reshape(e, [3, 2])],
    ['reshape back', s.reshape(x, [6]), (e) => s.reshape(e, [2, 3])],
    ['transpose back', s.transpose(x, [1, 0]), (e) => s.transpose(e, [1, 0])],
  ])('%s', (_, operand, build) => {
    expect(build(operand).inputs[0]).toBe(operand)
  })
})

describe('sliceAxis follows NumPy', () => {
  const six = counting([6])
  it.each([
    [1, 4, 1, [1, 2, 3]],
    [-2, 99, 1, [4, 5]],
    [4, 2, 1, []],
    [0, 6, 4, [0, 4]],
    [-99, 2, 1, [0, 1]],
    [5, -99, -2, [5, 3, 1]],
    [-1, 0, -1, [5, 4, 3, 2, 1]],
    [99, 3, -1, [5, 4]],
    [2, 4, -1, []],
    [-99, 0, -1, []],
    [0, -99, -1, [0]],
  ])('%i:%i:%i', (start, end, step, expected) => {
    expect(valueOf(s.sliceAxis(six, 0, start, end, step))).toEqual(expected)
  })

  it('takes empty axes, both ways', () => {
    const none = constant(tensorOf('float64', [0], []))
    expect(s.sliceAxis(none, 0, 0, 3).shape).toEqual([0])
    expect(s.sliceAxis(none, 0, -1, -99, -1).shape).toEqual([0])
  })
})

describe('structure', () => {
  it('selects positions from either end', () => {
    const m = counting([2, 3])
    expect(valueOf(s.selectAt(m, 1, -1))).toEqual([2, 5])
    expect(valueOf(s.selectAt(m, -2, 0))).toEqual([0, 1, 2])
    expect(() => s.selectAt(m, 1, 3)).toThrow('selectAt: position along axis 1 of [2,3] must be in -3…2, got 3.')
  })

  it('splits along axes from either end', () => {
    const pieces = s.split(counting([2, 3]), [1, 2], -1)
    expect(pieces.map((p) => p.shape)).toEqual([
      [2, 1],
      [2, 2],
    ])
    expect(valueOf(pieces[1])).toEqual([1, 2, 4, 5])
    expect(() => s.split(x, [1, 1], 1)).toThrow('split: lengths [1,1] must add up to 3, got 2.')
  })

  it('repeats, stacks and moves', () => {
    expect(valueOf(s.tile(counting([2]), [2]))).toEqual([0, 1, 0, 1])
    expect(valueOf(s.tile(counting([2, 1]), [1, 2]))).toEqual([0, 0, 1, 1])
    expect(valueOf(s.stack([counting([2]), counting([2])], 1))).toEqual([0, 0, 1, 1])
    expect(s.moveAxis(counting([2, 3, 4]), 0, 2).shape).toEqual([3, 4, 2])
    expect(s.unsqueeze(x, [0, -1]).shape).toEqual([1, 2, 3, 1])
    expect(s.squeeze(s.unsqueeze(x, [0, 2])).shape).toEqual([2, 3])
    expect(s.zeros('bool', [0, 2]).shape).toEqual([0, 2])
  })

  it('refuses what it cannot', () => {
    expect(() => s.reshape(counting([7]), [2, -1])).toThrow(
      /^Reshape: axis lengths must be integers ≥ 0, got \[2,3.5\]/,
    )
    expect(() => s.reshape(x, [-1, -1])).toThrow(ShapeError)
    expect(() => s.transpose(x, [])).toThrow(/permute/)
    expect(() => s.transpose(x, [0])).toThrow(/permute/)
    expect(() => s.squeeze(x, [0])).toThrow('squeeze: axis 0 must have length 1, got [2,3].')
    expect(() => s.concat([], 0)).toThrow(/at least one/)
    expect(() => sub(1, 2)).toThrow(/one operand must be an expression/)
    expect(() => matmul(constant(tensorOf('float64', [], [1])), x)).toThrow(/rank ≥ 1/)
    expect(() => averagePool(counting([1, 1, 2]), [3])).toThrow(/^averagePool: .*float64\[1,1,2\]/)
    expect(() => averagePool(counting([1, 1, 4]), [2], { strides: [0] })).toThrow(/^averagePool: strides/)
    expect(() => averagePool(counting([1, 1, 4]), [2], { padsBegin: [2] })).toThrow(/^averagePool: padding/)
    expect(() => convTranspose(counting([1, 1, 1]), counting([1, 1, 1]), { padsBegin: [1] })).toThrow(
      /^ConvInputGradient: axis lengths/,
    )
  })
})

describe('reductions', () => {
  it('of nothing', () => {
    const none = constant(tensorOf('float64', [2, 0], []))
    expect(valueOf(reduceSum(none, [1]))).toEqual([0, 0])
    expect(valueOf(reduceProd(none, [1]))).toEqual([1, 1])
    expect(valueOf(reduceProd(none, [1], true))).toEqual([1, 1])
    expect(valueOf(reduceMean(none, [1]))).toEqual([Number.NaN, Number.NaN])
    expect(() => reduceLogSumExp(none)).toThrow(/at least one element/)
  })

  it('of a scalar are the scalar', () => {
    const one = constant(tensorOf('float64', [], [3]))
    expect(valueOf(reduceMean(one))).toEqual([3])
    expect(valueOf(reduceProd(one))).toEqual([3])
    expect(valueOf(reduceLogSumExp(one))).toEqual([3])
  })
})

describe('indexing', () => {
  it('wraps negative indices', () => {
    expect(valueOf(wrapIndices(s.int64([-1, 0, 2, -3]), 3))).toEqual([2, 0, 2, 0])
    const known = s.int64([0, 1])
    expect(wrapIndices(known, 3)).toBe(known)
  })

  it('gathers elements where other axes are shorter', () => {
    const indices = constant(tensorOf('int64', [1, 2], [2, 0]))
    expect(valueOf(gatherElements(counting([2, 3]), indices, 1))).toEqual([2, 0])
  })

  it('writes over what was there, and only there', () => {
    const at = constant(tensorOf('int64', [2, 1], [2, 0]))
    const updates = constant(tensorOf('float64', [2], [Number.NaN, 0]))
    expect(valueOf(scatterND(counting([3]), at, updates, false))).toEqual([0, 1, Number.NaN])
    expect(valueOf(scatterND(counting([3]), at, constant(tensorOf('float64', [2], [5, 7])), true))).toEqual([7, 1, 7])
    const columns = constant(tensorOf('int64', [2, 1], [1, 2]))
    const written = scatterElements(counting([2, 3]), columns, constant(tensorOf('float64', [2, 1], [9, 8])), 1, false)
    expect(valueOf(written)).toEqual([0, 9, 2, 3, 4, 8])
    expect(valueOf(add(written, 0))).toHaveLength(6)
  })
})
