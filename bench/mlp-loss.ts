import { add, div, input, logSoftmax, matmul, mul, neg, reduceSum, reshape, sizeOf, split, tanh } from '@thalweg/graph'
import type { Expr, FloatDType, InputExpr, Tensor } from '@thalweg/graph'
import { sineTensor } from './sine-tensor.ts'

/** Mean cross-entropy of a tanh network as a function of one flat θ, with the values of `mlp_loss.py`. */
export interface MlpLoss {
  readonly loss: Expr
  readonly theta: InputExpr
  readonly values: Readonly<Record<string, Tensor>>
}

export function mlpLoss(dtype: FloatDType, widths: readonly number[], n: number): MlpLoss {
  const shapes = widths.slice(1).flatMap((width, i) => [[widths[i], width], [width]])
  const sizes = shapes.map(sizeOf)
  const x = input('x', dtype, [n, widths[0]])
  const y = input('y', dtype, [n, widths.at(-1)!])
  const theta = input('theta', dtype, [sizes.reduce((p, size) => p + size, 0)])
  const params = split(theta, sizes, 0).map((part, i) => reshape(part, shapes[i]))
  let h: Expr = x
  for (let i = 0; i < params.length; i += 2) {
    h = add(matmul(h, params[i]), params[i + 1])
    if (i + 2 < params.length) h = tanh(h)
  }
  const loss = div(neg(reduceSum(mul(y, logSoftmax(h)))), n)
  const target = sineTensor(dtype, y.shape, 2, 0)
  for (let i = 0; i < n; i++) target.data[i * y.shape[1] + (i % y.shape[1])] = 1
  return {
    loss,
    theta,
    values: { x: sineTensor(dtype, x.shape, 1), y: target, theta: sineTensor(dtype, theta.shape, 3, 0.1) },
  }
}
