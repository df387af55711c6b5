import {
  add,
  concat,
  conv,
  evaluate,
  expand,
  grad,
  graphOf,
  greater,
  input,
  mul,
  numbersOf,
  pad,
  reduceSum,
  relu,
  reshape,
  simplify,
  sizeOf,
  slice,
  softplus,
  sub,
  tensor,
  topologicalOrder,
  where,
} from '@thalweg/graph'
import type { Expr, InputExpr } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { lower } from './lower.ts'

const [n, c, h, w] = [2, 3, 5, 4]
const x = input('x', 'float64', [n, c, h, w])
const k = input('k', 'float64', [6, c, 3, 3])
const k2 = input('k2', 'float64', [2, 6, 3, 3])
const k1 = input('k1', 'float64', [6, 6, 1, 1])
const perChannel = input('scale', 'float64', [6, 1, 1])
const perSample = input('perSample', 'float64', [n, 6, 1, 1])
const perPosition = input('perPosition', 'float64', [h, w])
const perRow = input('perRow', 'float64', [h, 1])
const full = input('full', 'float64', [n, 6, h, w])
const inputs: readonly InputExpr[] = [x, k, k2, k1, perChannel, perSample, perPosition, perRow, full]

const same = { padsBegin: [1, 1], padsEnd: [1, 1] }
const first = conv(x, k, same)

const values = Object.fromEntries(
  inputs.map((e, i) => [
    e.attributes.name,
    tensor(
      'float64',
      e.shape,
      Float64Array.from({ length: sizeOf(e.shape) }, (_, j) => Math.sin(1 + 7 * i + 1.3 * j)),
    ),
  ]),
)

const cases: Readonly<Record<string, Expr>> = {
  'a scale per channel': mul(first, perChannel),
  'a scale per sample and channel, on the left': mul(perSample, first),
  'one number': sub(first, 0.3),
  'a map over positions': add(first, perPosition),
  'a value per row, which rows cannot follow': add(first, perRow),
  'a full tensor that came otherwise': mul(full, first),
  'a broadcast value of full size': add(first, expand(perSample, [n, 6, h, w])),
  'a composition of operators': softplus(first),
  'a choice': where(greater(first, 0.1), mul(first, 2), full),
  'the mean of each map': reduceSum(first, [2, 3]),
  'the sum of each channel, lengths kept': reduceSum(first, [0, 2, 3], true),
  'sums over channels': reduceSum(first, [1]),
  'every second position': slice(relu(first), [0, 0, 0, 0], [n, 6, h, w], [1, 1, 2, 2]),
  'positions backwards': slice(first, [0, 1, h - 1, 0], [n, 5, -1, w], [1, 2, -1, 1]),
  'channels of zeros': pad(first, [0, 1, 0, 0], [0, 2, 0, 1]),
  'channels side by side': concat([first, full], 1),
  'positions side by side': concat([first, relu(first)], 3),
  'a second convolution': conv(relu(mul(first, perChannel)), k2, { ...same, strides: [2, 1] }),
  'a pointwise convolution': conv(relu(first), k1),
  'a strided pointwise convolution of its own size': conv(first, k1, {
    ...{ strides: [2, 2], padsBegin: [2, 1] },
    padsEnd: [2, 2],
  }),
  'a reshape': reshape(first, [n * 6, h * w]),
}

function largestDifference(a: Expr, b: Expr): number {
  const [p, q] = [a, b].map((e) => numbersOf(evaluate([e], values)[0]))
  return p.reduce((most, v, i) => Math.max(most, Math.abs(v - q[i])), p.length === q.length ? 0 : Infinity)
}

const lowered = (e: Expr): Expr => simplify(lower(simplify(graphOf({ e })))).outputs['e']

/** Transposes that leave the samples where they are: those of values, not of weights. */
const transposes = (e: Expr): number =>
  topologicalOrder([e]).filter((node) => node.op === 'Transpose' && node.attributes.perm[0] === 0).length

describe('what follows a float64 convolution is computed on its rows', () => {
  test.each(Object.entries(cases))('%s: same values', (_, e) => {
    expect(lowered(e).shape).toEqual(e.shape)
    expect(largestDifference(e, lowered(e))).toBeLessThan(1e-13)
  })

  test.each(Object.entries(cases))('%s: same gradients', (_, e) => {
    const wanted = [x, k].map((v) => grad(reduceSum(mul(e, e)), [v])[0])
    for (const gradient of wanted) expect(largestDifference(gradient, lowered(gradient))).toBeLessThan(1e-11)
  })

  test('between two convolutions nothing is transposed', () => {
    const scaled = relu(add(mul(first, perChannel), perPosition))
    const shortcut = pad(slice(scaled, [0, 0, 0, 0], [n, 6, h, w], [1, 1, 2, 2]), [0, 0, 0, 0], [0, 0, 0, 0])
    const block = add(shortcut, conv(scaled, k1, { strides: [2, 2] }))
    const end = reduceSum(conv(where(greater(block, 0), block, mul(block, 0.1)), k2, same), [2, 3])
    // x comes as [N, C, …]
    expect(transposes(lowered(end))).toBe(1)
    expect(largestDifference(end, lowered(end))).toBeLessThan(1e-13)
  })
})
