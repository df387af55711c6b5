import { describe, expect, it } from 'vitest'
import { numbersFrom, readGolden } from '../../test/read-golden.ts'
import type { GoldenNumber } from '../../test/read-golden.ts'
import { constant, input } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { numbersOf, tensorOf } from '../core/tensor.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { vjp } from '../transform/reverse.ts'
import * as a from './activation.ts'
import * as e from './elementwise.ts'

/** Ours under the names of the golden file. */
const functions: Readonly<Record<string, (x: Expr) => Expr>> = {
  relu: e.relu,
  abs: e.abs,
  clip: (x) => a.clip(x, -1, 0.5),
  clipLow: (x) => a.clip(x, -0.5),
  clipHigh: (x) => a.clip(x, undefined, 0.5),
  hardTanh: (x) => a.hardTanh(x),
  relu6: (x) => a.hardTanh(x, 0, 3.5),
  leakyRelu: (x) => a.leakyRelu(x),
  elu: (x) => a.elu(x, 0.7),
  selu: (x) => a.selu(x),
  celu: (x) => a.celu(x, 2),
  hardSigmoid: (x) => a.hardSigmoid(x),
  hardSwish: a.hardSwish,
  softsign: a.softsign,
  silu: a.silu,
  mish: a.mish,
  logSigmoid: a.logSigmoid,
  gelu: (x) => a.gelu(x),
  geluTanh: (x) => a.gelu(x, 'tanh'),
  thresholdedRelu: (x) => a.thresholdedRelu(x),
  softShrink: (x) => a.shrink(x, 0.5, 0.5),
  hardShrink: (x) => a.shrink(x, 0.5),
  tanh: e.tanh,
  sigmoid: e.sigmoid,
  erf: e.erf,
  atan: e.atan,
  sign: e.sign,
  round: e.round,
  floor: e.floor,
  ceil: e.ceil,
}

interface Golden {
  readonly name: string
  readonly x: readonly GoldenNumber[]
  readonly y: readonly GoldenNumber[]
  readonly slope: readonly GoldenNumber[]
  readonly atNaN: GoldenNumber
}

/** Values of f and of its derivative at the points. */
function valueAndSlope(f: (x: Expr) => Expr, points: readonly number[]): [Float64Array, Float64Array] {
  const x = input('x', 'float64', [points.length])
  const y = f(x)
  const ones = constant(
    tensorOf(
      'float64',
      [points.length],
      points.map(() => 1),
    ),
  )
  const [value, slope] = evaluate([y, ...vjp([y], [x], [ones])], { x: tensorOf('float64', [points.length], points) })
  return [numbersOf(value), numbersOf(slope)]
}

function expectClose(
  actual: Float64Array,
  expected: readonly number[],
  points: readonly number[],
  tolerance: number,
): void {
  points.forEach((x, i) => {
    expect(Math.abs(actual[i] - expected[i]), `at ${x}: ${actual[i]}, not ${expected[i]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected[i])),
    )
  })
}

const golden = readGolden<Golden>('activations')

describe('activations, at kinks and far from them', () => {
  it('are all in the golden file', () => {
    expect(golden.map((g) => g.name).toSorted()).toEqual(Object.keys(functions).toSorted())
  })

  it.each(golden)('$name is PyTorch’s, value and derivative', ({ name, x, y, slope }) => {
    // PyTorch's hardsigmoid computes 1/6 in float32
    const tolerance = name === 'hardSigmoid' ? 1e-8 : 2e-15
    const points = numbersFrom(x)
    const [values, slopes] = valueAndSlope(functions[name], points)
    expectClose(values, numbersFrom(y), points, tolerance)
    expectClose(slopes, numbersFrom(slope), points, tolerance)
  })

  it.each(golden)('$name passes NaN on', ({ name, atNaN }) => {
    const [[value]] = valueAndSlope(functions[name], [Number.NaN])
    expect(value).toBeNaN()
    // PyTorch 1.13 makes 0 of it in these two
    expect(Number.isNaN(Number(atNaN)) || name === 'softShrink' || name === 'sign').toBe(true)
  })
})
