import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { constant, input } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { numbersOf, tensor, tensorOf } from '../core/tensor.ts'
import type { Tensor } from '../core/tensor.ts'
import { graphOf, topologicalOrder } from '../core/traversal.ts'
import { add, div, exp, mod, mul, neg, pow, scalar, sin, sub } from '../build/elementwise.ts'
import { gather } from '../build/indexing.ts'
import { reduceSum } from '../build/reduction.ts'
import { int64, pad, reshape } from '../build/structure.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { delicateNumbers, everyCase, floatInputs, randomGraph, weightedSum } from '../testing/index.ts'
import { grad } from './reverse.ts'
import { simplify } from './simplify.ts'

const x = input('x', 'float64', [2, 3])
const y = input('y', 'float64', [3])

function simplified(...outputs: Expr[]): Expr[] {
  return Object.values(simplify(graphOf(Object.fromEntries(outputs.map((e, i) => [`o${i}`, e])))).outputs)
}

const simplifiedOne = (e: Expr): Expr => simplified(e)[0]

const operationsOf = (roots: readonly Expr[]): Expr[] =>
  topologicalOrder(roots).filter((n) => n.op !== 'Input' && n.op !== 'Constant')

function expectIdentical(actual: readonly Tensor[], expected: readonly Tensor[]): void {
  actual.forEach((value, i) => {
    expect([value.dtype, ...value.shape]).toEqual([expected[i].dtype, ...expected[i].shape])
    const [a, b] = [numbersOf(value), numbersOf(expected[i])]
    const at = a.findIndex((v, k) => !Object.is(v, b[k]))
    expect(at < 0 ? [] : [i, at, a[at], b[at]]).toEqual([])
  })
}

const delicate = fc.constantFrom(...delicateNumbers)
const vector = (length: number) => fc.array(delicate, { minLength: length, maxLength: length })
const choices = fc.array(fc.nat(32 ** 3 - 1), { minLength: 1, maxLength: 32, size: 'max' })

describe('simplify', () => {
  it('changes no bit of any value, NaN, infinities and −0 included', () => {
    let removed = 0
    fc.assert(
      fc.property(choices, vector(6), vector(3), (list, xs, ys) => {
        const nodes = randomGraph(list)
        const after = simplified(...nodes)
        const values = { x: tensorOf('float64', [2, 3], xs), y: tensorOf('float64', [3], ys) }
        expectIdentical(evaluate(after, values), evaluate(nodes, values))
        const [left, all] = [operationsOf(after).length, operationsOf(nodes).length]
        expect(left).toBeLessThanOrEqual(all)
        removed += all - left
      }),
      { seed: 20, numRuns: 1000 },
    )
    expect(removed).toBeGreaterThan(3000)
  })

  it('is done after one pass', () => {
    fc.assert(
      fc.property(choices, (list) => {
        const once = simplified(...randomGraph(list))
        expect(operationsOf(simplified(...once))).toHaveLength(operationsOf(once).length)
      }),
      { seed: 21, numRuns: 300 },
    )
  })

  it.each(everyCase)('leaves the gradient of %s as it is', (_, example) => {
    const built = example.build('float64')
    const roots = [...built.outputs, ...grad(weightedSum(built.outputs, 'float64'), floatInputs(built))]
    const after = simplified(...roots)
    expectIdentical(evaluate(after, built.values), evaluate(roots, built.values))
  })

  it.each<[string, Expr]>([
    ['x · 1', make('Mul', [x, scalar(1, 'float64')], {})],
    ['1 · x', make('Mul', [scalar(1, 'float64'), x], {})],
    ['x / 1', make('Div', [x, scalar(1, 'float64')], {})],
    ['x − 0', sub(x, 0)],
    ['x + −0', add(x, -0)],
    ['x to the 1', pow(x, 1)],
    ['−(−x)', neg(neg(x))],
    ['a cast to its own dtype', make('Cast', [x], { to: 'float64' })],
    ['a reshape there and back', make('Reshape', [make('Reshape', [x], { shape: [6] })], { shape: [2, 3] })],
    ['two transposes', make('Transpose', [make('Transpose', [x], { perm: [1, 0] })], { perm: [1, 0] })],
    ['an expand to its own shape', make('Expand', [x], { shape: [2, 3] })],
    ['the whole slice', make('Slice', [x], { starts: [0, 0], ends: [2, 3], steps: [1, 1] })],
    ['a sum over no axes', make('ReduceSum', [x], { axes: [], keepDims: false })],
    ['a log-sum-exp over no axes', make('ReduceLogSumExp', [x], { axes: [], keepDims: true })],
    ['an empty pad', make('Pad', [x], { before: [0, 0], after: [0, 0], value: 7 })],
    ['a one whose shape is [1,1]', make('Mul', [x, constant(tensorOf('float64', [1, 1], [1]))], {})],
  ])('removes %s', (_, e) => {
    expect(simplifiedOne(e)).toBe(x)
  })

  it.each<[string, Expr]>([
    ['x · 0', mul(x, 0)],
    ['x − x', sub(x, x)],
    ['x / x', div(x, x)],
    ['x + 0', add(x, 0)],
    ['x − −0', sub(x, -0)],
    ['0 − x', sub(0, x)],
    ['x to the 0', pow(x, 0)],
    ['1 / x', div(1, x)],
    ['a one that widens', make('Mul', [y, constant(tensorOf('float64', [2, 1], [1, 1]))], {})],
    ['a one that adds an axis', make('Mul', [y, constant(tensorOf('float64', [1, 1], [1]))], {})],
  ])('leaves %s', (_, e) => {
    expect(operationsOf([simplifiedOne(e)])).toHaveLength(1)
  })

  it('removes x + 0 of integers, which have one zero', () => {
    const i = input('i', 'int64', [2])
    expect(simplifiedOne(add(i, 0))).toBe(i)
  })

  it('shares equal subexpressions', () => {
    const twice = add(mul(sin(x), sin(x)), mul(sin(x), sin(x)))
    expect(operationsOf([twice])).toHaveLength(7)
    expect(operationsOf([simplifiedOne(twice)]).map((n) => n.op)).toEqual(['Sin', 'Mul', 'Add'])
    const constants = add(mul(x, 3), exp(mul(x, 3)))
    expect(operationsOf([simplifiedOne(constants)])).toHaveLength(3)
    expect(topologicalOrder([simplifiedOne(constants)]).filter((n) => n.op === 'Constant')).toHaveLength(1)
  })

  it('keeps apart what only prints alike', () => {
    const outputs = [
      pad(y, [1], [0], 0),
      pad(y, [1], [0], -0),
      pad(y, [1], [0], Number.NaN),
      pad(y, [1], [0], Number.POSITIVE_INFINITY),
      mul(y, constant(tensorOf('float64', [1], [0]))),
      mul(y, constant(tensorOf('float64', [1], [-0]))),
      mul(y, constant(tensorOf('float64', [], [0]))),
      reduceSum(y, [0]),
      reduceSum(y, [0], true),
    ]
    expect(new Set(simplified(...outputs)).size).toBe(outputs.length)
  })

  it('drops what no output needs', () => {
    const graph = simplify(graphOf({ z: exp(x) }, [x, y]))
    expect(operationsOf(Object.values(graph.outputs))).toHaveLength(1)
    expect(graph.inputs).toEqual([x, y])
  })

  it('folds constants, up to a size', () => {
    const c = constant(tensorOf('float64', [3], [1, 2, 3]))
    const folded = simplifiedOne(add(y, mul(exp(c), 2)))
    expect(operationsOf([folded])).toHaveLength(1)
    const big = make('Expand', [scalar(1, 'float64')], { shape: [5000] })
    expect(simplifiedOne(big).op).toBe('Expand')
    const graph = simplify(graphOf({ z: big }), { foldLimit: 5000 })
    expect(graph.outputs['z'].op).toBe('Constant')
  })

  it('folds in the dtype of the result', () => {
    const third = div(constant(tensorOf('float32', [], [1])), 3)
    const folded = simplifiedOne(third)
    expect(folded.op === 'Constant' && folded.attributes.value.data[0]).toBe(Math.fround(1 / 3))
  })

  it('leaves to run time what cannot be folded', () => {
    const huge = constant(tensor('int64', [1], BigInt64Array.of(2n ** 60n + 1n)))
    const zero = int64([0])
    const undone = [
      add(huge, 1),
      mod(huge, 2),
      div(int64([1]), zero),
      gather(constant(tensorOf('float64', [2], [1, 2])), int64([5]), 0),
    ]
    expect(operationsOf(simplified(...undone)).map((n) => n.op)).toEqual(['Add', 'Mod', 'Div', 'Gather'])
  })

  it('keeps names, order and types of the outputs', () => {
    const graph = simplify(graphOf({ b: reshape(x, [6]), a: mul(x, 1), c: x }))
    expect(Object.keys(graph.outputs)).toEqual(['b', 'a', 'c'])
    expect(graph.outputs['b'].shape).toEqual([6])
  })
})
