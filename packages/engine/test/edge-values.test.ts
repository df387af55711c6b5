import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  DomainError,
  argMax,
  cast,
  concat,
  constant,
  convGeometry,
  cumSum,
  evaluate,
  exp,
  expand,
  gather,
  graphOf,
  input,
  isInf,
  isNaN,
  logSoftmax,
  make,
  matmul,
  max,
  maxPool,
  min,
  mod,
  numbersOf,
  pad,
  pow,
  reduceLogSumExp,
  reduceMax,
  reduceMin,
  reduceSum,
  relu,
  reshape,
  scatterAdd,
  sign,
  softmax,
  tensorOf,
  transpose,
  where,
} from '@thalweg/graph'
import type { DType, Expr, Shape } from '@thalweg/graph'
import type { Engine } from '../src/index.ts'
import { hosts } from './hosts.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const specials = [nan, inf, -inf, 0, -0, 1e-300, -1e-300, 1, -1, 0.5, -0.5, 2.5, 700, -700, 1e300, -1e300, 3]
const floats = ['float64', 'float32'] as const
const numeric = [...floats, 'int64'] as const
const all = [...numeric, 'bool'] as const

describe.each(hosts)('edge values on $name, as the reference interpreter', ({ open }) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await open()
  })
  afterAll(() => engine.dispose())

  /** Builds over inputs a, b, … of the given values and compares every element, NaN and infinities included. */
  async function expectSame(
    dtype: DType,
    operands: readonly [Shape, readonly number[]][],
    build: (...xs: Expr[]) => Expr,
  ): Promise<void> {
    const names = operands.map((_, i) => 'abc'[i])
    const values = Object.fromEntries(operands.map(([shape, data], i) => [names[i], tensorOf(dtype, shape, data)]))
    const y = build(...operands.map(([shape], i) => input(names[i], dtype, shape)))
    const [expected] = evaluate([y], values)
    const executable = await engine.compile(graphOf({ y }))
    const { y: actual } = await executable.run(values)
    await executable.dispose()
    expect({ dtype: actual.dtype, shape: actual.shape }).toEqual({ dtype: expected.dtype, shape: expected.shape })
    const close = dtype === 'float32' ? 1e-6 : 1e-14
    const [got, want] = [numbersOf(actual), numbersOf(expected)]
    want.forEach((v, i) => {
      const equal = Number.isFinite(v) ? Math.abs(got[i] - v) <= close * Math.abs(v) : Object.is(got[i], v)
      expect(equal, `element ${i}: ${got[i]}, expected ${v}`).toBe(true)
    })
  }

  const row: [Shape, readonly number[]] = [[specials.length], specials]
  const column: [Shape, readonly number[]] = [[specials.length, 1], specials]

  it.each(floats)('NaN and infinities through elementwise operators, %s', async (dtype) => {
    for (const f of [relu, sign, isNaN, isInf]) await expectSame(dtype, [row], f)
    for (const f of [min, max, pow]) await expectSame(dtype, [column, row], f)
    for (const op of ['Add', 'Sub', 'Mul', 'Div', 'Equal', 'Less', 'Greater', 'LessOrEqual', 'GreaterOrEqual'] as const)
      await expectSame(dtype, [column, row], (a, b) => make(op, [a, b], {}))
  })

  it.each(floats)('no reduction loses a NaN, %s', async (dtype) => {
    const rows = [1, nan, 2, nan, 1, 2, 1, 2, nan, inf, 1, 2, -inf, -inf, -inf, 1000, 1000, -1000]
    for (const f of [reduceMax, reduceMin, reduceSum, reduceLogSumExp])
      await expectSame(dtype, [[[6, 3], rows]], (x) => f(x, [1]))
    for (const f of [softmax, logSoftmax]) await expectSame(dtype, [[[6, 3], rows]], (x) => f(x, 1))
    const many = Array.from({ length: 999 }, (_, i) => (i === 777 ? nan : i % 10))
    for (const f of [reduceMax, reduceMin]) await expectSame(dtype, [[[3, 333], many]], (x) => f(x, [1]))
    await expectSame(dtype, [[[3, 333], many]], (x) => reduceMax(x))
  })

  it.each(floats)('max pooling: ties, NaN, −∞, uneven padding, %s', async (dtype) => {
    const shape = [2, 3, 7, 6]
    const from = (f: (i: number) => number): [Shape, number[]] => [shape, Array.from({ length: 252 }, (_, i) => f(i))]
    const options = [
      { strides: [2, 2] },
      { padsBegin: [1, 1], strides: [2, 2] },
      { dilations: [1, 2], padsBegin: [1, 1], padsEnd: [2, 0] },
    ]
    const inputs = [
      from((i) => (i * 5) % 3),
      from((i) => (i % 7 === 3 ? nan : Math.sin(i))),
      from((i) => (i % 3 ? -1e30 : i)),
    ]
    for (const o of options) for (const x of inputs) await expectSame(dtype, [x], (a) => maxPool(a, [3, 2], o))
    const { strides, dilations, padsBegin, padsEnd } = convGeometry(2, options[1])
    const attributes = { kernel: [3, 2], strides, dilations, padsBegin, padsEnd }
    for (const x of [inputs[0], inputs[2]]) await expectSame(dtype, [x], (a) => make('MaxPoolIndices', [a], attributes))
    // known: the float32 kernel answers the lowest number for a window of nothing but −∞
    if (dtype === 'float64')
      for (const o of options) await expectSame(dtype, [from((i) => (i % 4 ? -inf : i))], (a) => maxPool(a, [3, 2], o))
  })

  it('casts', async () => {
    const rows = {
      float64: [0, -0.5, 0.5, 1.9, -1.9, 3e9, -3],
      float32: [0, -0.5, 0.5, 1.9, -1.9, 3e9, -3],
      int64: [0, -1, 5, 2 ** 40, -(2 ** 40), 3, 1],
      bool: [0, 1, 1, 0, 1, 1, 0],
    }
    for (const from of all)
      for (const to of all) await expectSame(from, [[[7], rows[from]]], (x) => make('Cast', [x], { to }))
    for (const from of floats) await expectSame(from, [[[4], [nan, inf, 1e-30, -0]]], (x) => cast(x, 'bool'))
  })

  it.each(all)('moves, %s', async (dtype) => {
    const cube: [Shape, number[]] = [
      [3, 4, 5],
      Array.from({ length: 60 }, (_, i) => (dtype === 'bool' ? (i % 3 ? 1 : 0) : ((i * 7) % 11) - 5)),
    ]
    await expectSame(dtype, [cube], (x) =>
      make('Slice', [x], { starts: [2, 0, 4], ends: [-1, 3, -1], steps: [-1, 2, -2] }),
    )
    await expectSame(dtype, [cube], (x) =>
      make('Slice', [x], { starts: [1, 3, 2], ends: [1, -1, 0], steps: [1, -3, -1] }),
    )
    await expectSame(dtype, [cube], (x) => pad(x, [0, 1, 2], [1, 0, 1], 1))
    await expectSame(dtype, [cube], (x) => expand(reshape(x, [3, 1, 4, 5]), [2, 3, 2, 4, 5]))
    await expectSame(dtype, [cube, cube], (a, b) => concat([a, transpose(b, [0, 1, 2]), transpose(b, [0, 1, 2])], 1))
    await expectSame(dtype, [cube], (x) => gather(x, constant(tensorOf('int64', [2, 2], [3, 0, 1, 3])), 1))
    await expectSame(
      dtype,
      [
        [[4], [0, 1, 0, 1]],
        [[4], [1, 0, 0, 1]],
      ],
      (a, b) => where(constant(tensorOf('bool', [4], [0, 1, 1, 0])), a, b),
    )
    await expectSame(
      dtype,
      [
        [
          [2, 1],
          [0, 1],
        ],
        [[3], [1, 0, 1]],
      ],
      (a, b) => where(constant(tensorOf('bool', [2, 3], [0, 1, 1, 0, 1, 0])), a, b),
    )
  })

  it.each(numeric)('integers and counts, %s', async (dtype) => {
    const cube: [Shape, number[]] = [[3, 4, 5], Array.from({ length: 60 }, (_, i) => ((i * 7) % 11) - 5)]
    for (const exclusive of [false, true])
      for (const reverse of [false, true]) await expectSame(dtype, [cube], (x) => cumSum(x, 1, exclusive, reverse))
    await expectSame(dtype, [cube], (x) => argMax(x, 1))
    for (const f of [reduceMax, reduceMin, reduceSum]) {
      await expectSame(dtype, [cube], (x) => f(x, [0, 2]))
      await expectSame(dtype, [cube], (x) => f(x, [0, 2], true))
    }
    // no axes: nothing is reduced
    for (const op of ['ReduceMax', 'ReduceMin', 'ReduceSum'] as const)
      await expectSame(dtype, [cube], (x) => make(op, [x], { axes: [], keepDims: false }))
    for (const axis of [0, 1]) {
      const indices = constant(tensorOf('int64', [axis === 0 ? 3 : 4], axis === 0 ? [1, 1, 0] : [3, 0, 1, 3]))
      await expectSame(dtype, [cube], (x) => scatterAdd(indices, x, axis, 6))
    }
    if (dtype === 'int64') {
      await expectSame(
        dtype,
        [
          [[6], [7, -7, 7, -7, 0, 6]],
          [[6], [3, 3, -3, -3, 5, -3]],
        ],
        mod,
      )
      await expectSame(
        dtype,
        [
          [[4], [7, -7, 7, -7]],
          [[4], [2, 2, -2, -2]],
        ],
        (a, b) => make('Div', [a, b], {}),
      )
    } else await expectSame(dtype, [cube], (x) => reduceLogSumExp(x, []))
  })

  it.each(floats)('axes of length 0, %s', async (dtype) => {
    const none: [Shape, number[]] = [[0, 3], []]
    const others: ((x: Expr) => Expr)[] = [
      exp,
      (x) => reduceSum(x, [0]),
      (x) => reduceSum(x),
      (x) => softmax(x, 1),
      (x) => transpose(x, [1, 0]),
    ]
    for (const f of others) await expectSame(dtype, [none], f)
    await expectSame(dtype, [none], (x) => pad(x, [1, 0], [1, 0], 2))
    await expectSame(dtype, [none], (x) => make('Reshape', [x], { shape: [3, 0] }))
    await expectSame(
      dtype,
      [
        none,
        [
          [1, 3],
          [1, 2, 3],
        ],
      ],
      (a, b) => concat([a, b], 0),
    )
    await expectSame(
      dtype,
      [
        none,
        [
          [3, 2],
          [1, 2, 3, 4, 5, 6],
        ],
      ],
      matmul,
    )
    await expectSame(
      dtype,
      [
        [[2, 0], []],
        [[2, 0], []],
      ],
      (a, b) => matmul(a, transpose(b, [1, 0])),
    )
    await expectSame(dtype, [[[4, 3], new Array<number>(12).fill(1)]], (x) =>
      gather(x, constant(tensorOf('int64', [0], [])), 0),
    )
    await expectSame(dtype, [none], (x) => scatterAdd(constant(tensorOf('int64', [0], [])), x, 0, 4))
  })

  it.each(['Gather', 'GatherElements', 'ScatterAdd', 'ScatterElementsAdd'] as const)(
    '%s refuses an index outside its axis',
    async (op) => {
      const indices = input('i', 'int64', op.endsWith('Elements') || op === 'ScatterElementsAdd' ? [1, 3] : [1])
      const x = input('x', 'float64', op.startsWith('Scatter') ? [1, 3] : [4, 3])
      const y =
        op === 'Gather' || op === 'GatherElements'
          ? make(op, [x, indices], { axis: 0 })
          : make(op, [indices, x], { axis: 0, size: 4 })
      const executable = await engine.compile(graphOf({ y }))
      const run = (index: number): Promise<unknown> =>
        executable.run({
          i: tensorOf('int64', indices.shape, indices.shape.length === 1 ? [index] : [index, 0, 0]),
          x: tensorOf('float64', x.shape, new Array<number>(x.shape[0] * 3).fill(1)),
        })
      await run(3)
      for (const index of [4, -5, 2 ** 40]) await expect(run(index)).rejects.toThrow(DomainError)
      await run(0)
      await executable.dispose()
    },
  )
})
