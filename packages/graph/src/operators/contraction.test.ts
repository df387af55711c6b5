import { describe, expect, it } from 'vitest'
import { readGolden, tensorFrom } from '../../test/read-golden.ts'
import type { GoldenTensor } from '../../test/read-golden.ts'
import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { numbersOf, tensorOf } from '../core/tensor.ts'
import type { Tensor } from '../core/tensor.ts'
import { averagePool, conv, convTranspose, maxPool } from '../build/contraction.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { vjp } from '../transform/reverse.ts'

interface Window {
  readonly name: 'conv' | 'convTranspose' | 'maxPool' | 'averagePool'
  readonly x: GoldenTensor
  readonly w: GoldenTensor
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations?: readonly number[]
  readonly padsBegin: readonly number[]
  readonly padsEnd: readonly number[]
  readonly pads: readonly number[]
  readonly outputPadding: readonly number[]
  readonly countPadding: boolean
  readonly groups: number
  readonly y: GoldenTensor
  readonly positions: GoldenTensor
  readonly g: GoldenTensor
  readonly gx: GoldenTensor
  readonly gw: GoldenTensor
}

const at = (value: GoldenTensor): Expr => constant(tensorFrom(value))

/** Integers, or quotients of them: the last digit may differ. */
function expectEqual(actual: Tensor, golden: GoldenTensor): void {
  const expected = tensorFrom(golden, actual.dtype)
  expect(actual.shape).toEqual(expected.shape)
  const rounded = (value: Tensor): number[] => Array.from(numbersOf(value), (v) => Math.round(v * 1e12) / 1e12 + 0)
  expect(rounded(actual)).toEqual(rounded(expected))
}

const golden = readGolden<Window>('windows').map(
  (g) => [`${g.name} [${g.x.shape}] ${JSON.stringify(g.strides)}`, g] as const,
)
const named = (name: Window['name']) => golden.filter(([, g]) => g.name === name)

describe('windows are PyTorch’s', () => {
  it.each(named('conv'))('%s, with both gradients', (_, g) => {
    const [x, w] = [at(g.x), at(g.w)]
    const y = conv(x, w, g)
    const [value, gx, gw] = evaluate([y, ...vjp([y], [x, w], [at(g.g)])])
    expectEqual(value, g.y)
    expectEqual(gx, g.gx)
    expectEqual(gw, g.gw)
  })

  it.each(named('convTranspose'))('%s', (_, g) => {
    expectEqual(evaluate([convTranspose(at(g.x), at(g.w), { ...g, padsBegin: g.pads })])[0], g.y)
  })

  it.each(named('maxPool'))('%s, the first maximum winning, with NaN and infinities', (_, g) => {
    const x = at(g.x)
    const y = maxPool(x, g.kernel, { ...g, padsBegin: g.pads })
    const indices = make('MaxPoolIndices', [x], (y as Expr & { op: 'MaxPool' }).attributes)
    const [value, positions, gx] = evaluate([y, indices, ...vjp([y], [x], [at(g.g)])])
    expectEqual(value, g.y)
    expectEqual(positions, g.positions)
    expectEqual(gx, g.gx)
  })

  it.each(named('averagePool'))('%s', (_, g) => {
    expectEqual(evaluate([averagePool(at(g.x), g.kernel, { ...g, padsBegin: g.pads }, g.countPadding)])[0], g.y)
  })
})

describe('MaxPool', () => {
  it('refuses windows that hold no element', () => {
    const x = constant(tensorOf('float64', [1, 1, 1], [3]))
    expect(() => maxPool(x, [2], { dilations: [3], padsBegin: [2], padsEnd: [2] })).toThrow(
      /MaxPool: .*window.*float64\[1,1,1\]/,
    )
  })
})
