import { nativeEngine } from '@thalweg/engine/node'
import { div, graphOf, input, matmul, mul, numbersOf, tensorOf } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { expect, it } from 'vitest'

// ONNX Runtime folds such factors into a float32 attribute of the product, unless it is told not to.
it.each<[string, (a: Expr, b: Expr) => Expr]>([
  ['before a product', (a, b) => matmul(mul(a, Math.SQRT2), b)],
  ['after a product', (a, b) => mul(matmul(a, b), Math.SQRT2)],
  ['as a divisor', (a, b) => matmul(div(a, Math.SQRT1_2), b)],
])('a factor %s keeps its float64 digits', async (_, build) => {
  const engine = nativeEngine({ threads: 1 })
  const [a, b] = [input('a', 'float64', [2, 2]), input('b', 'float64', [2, 2])]
  const run = await engine.compile(graphOf({ y: build(a, b) }))
  const one = tensorOf('float64', [2, 2], [1, 0, 0, 1])
  const { y } = await run.run({ a: one, b: one })
  expect(Math.abs(numbersOf(y)[0] - Math.SQRT2)).toBeLessThan(1e-15)
  await engine.dispose()
})
