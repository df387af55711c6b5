import { expect, it } from 'vitest'
import { evaluate, input, tensorOf } from '@thalweg/graph'
import { chebyshevFit, polynomial } from './polynomial.ts'

it('reproduces a polynomial of its degree', () => {
  const fit = chebyshevFit((t) => 3 - 2 * t + 5 * t ** 3, 3)
  ;[3, -2, 0, 5].forEach((c, k) => expect(fit[k]).toBeCloseTo(c, 14))
})

it('approaches an analytic function geometrically, and Horner evaluates it', () => {
  const t = input('t', 'float64', [5])
  const values = { t: tensorOf('float64', [5], [-1, -0.3, 0, 0.7, 1]) }
  const worst = [4, 8, 16].map((degree) => {
    const [y] = evaluate([polynomial(chebyshevFit(Math.exp, degree), t)], values)
    return Math.max(...values.t.data.map((x, i) => Math.abs((y.data as Float64Array)[i] - Math.exp(x))))
  })
  expect(worst[0]).toBeLessThan(2e-3)
  expect(worst[1]).toBeLessThan(2e-8)
  expect(worst[2]).toBeLessThan(3e-15)
})
