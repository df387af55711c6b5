import { describe, expect, it } from 'vitest'
import { readGolden, tensorFrom } from '../../test/read-golden.ts'
import type { GoldenTensor } from '../../test/read-golden.ts'
import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { numbersOf } from '../core/tensor.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { matmul } from './contraction.ts'
import * as normalization from './normalization.ts'
import * as reduction from './reduction.ts'

type Layer = (x: Expr, ...rest: Expr[]) => Expr

/** Ours under the names of the golden file. */
const layers: Readonly<Record<string, Layer>> = {
  batchNormalization: (x, scale, shift, mean, variance) =>
    normalization.batchNormalization(x, scale, shift, mean, variance),
  instanceNormalization: (x, scale, shift) => normalization.instanceNormalization(x, scale, shift),
  groupNormalization: (x, scale, shift) => normalization.groupNormalization(x, 2, scale, shift),
  layerNormalization: (x, scale, shift) => normalization.layerNormalization(x, scale, shift, 2),
  localResponseNormalization: (x) => normalization.localResponseNormalization(x, 3, 0.2, 0.75, 1.5),
  softmax: (x) => reduction.softmax(x),
  logSoftmax: (x) => reduction.logSoftmax(x, x.shape[0] === 3 ? 0 : 1),
  reduceLogSumExp: (x) => reduction.reduceLogSumExp(x, [1]),
  cumSum: (x) => reduction.cumSum(x, 1),
  reduceVariance: (x) => reduction.reduceVariance(x, [1]),
  reduceL2: (x) => reduction.reduceL2(x, [1]),
  reduceProd: (x) => reduction.reduceProd(x, [1]),
  matmul,
}

interface Golden {
  readonly name: string
  readonly in: readonly GoldenTensor[]
  readonly y: GoldenTensor
}

describe('layers are PyTorch’s', () => {
  it.each(readGolden<Golden>('layers'))('$name', (golden) => {
    const [x, ...rest] = golden.in.map((value) => constant(tensorFrom(value)))
    const [value] = evaluate([layers[golden.name](x, ...rest)])
    expect(value.shape).toEqual(golden.y.shape)
    const expected = numbersOf(tensorFrom(golden.y))
    numbersOf(value).forEach((v, i) => {
      if (!Number.isFinite(expected[i])) expect(v).toBe(expected[i])
      else expect(Math.abs(v - expected[i])).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(expected[i])))
    })
  })
})
