import { expect, test } from 'vitest'
import { gaussHermite } from './gauss-hermite.ts'

test.each([1, 2, 3, 5, 10, 20, 40])('%d nodes integrate polynomials up to degree 2n − 1', (n) => {
  const { nodes, weights } = gaussHermite(n)
  let moment = 1
  for (let degree = 0; degree <= Math.min(2 * n - 1, 60); degree++) {
    let sum = 0
    let size = 0
    nodes.forEach((x, i) => {
      sum += weights[i] * x ** degree
      size += weights[i] * Math.abs(x) ** degree
    })
    if (degree % 2 === 0) {
      if (degree > 0) moment *= degree - 1
      expect(Math.abs(sum / moment - 1)).toBeLessThan(1e-13 * (1 + degree))
    } else expect(Math.abs(sum)).toBeLessThan(1e-13 * (1 + size))
  }
})

test('the next even degree is not exact', () => {
  const { nodes, weights } = gaussHermite(3)
  const sum = nodes.reduce((total, x, i) => total + weights[i] * x ** 6, 0)
  expect(Math.abs(sum - 15)).toBeGreaterThan(1)
})

test('three nodes are 0 and ±√3 with weights 2/3 and 1/6', () => {
  const { nodes, weights } = gaussHermite(3)
  expect(nodes[1]).toBe(0)
  expect(nodes[2]).toBeCloseTo(Math.sqrt(3), 15)
  expect([...weights].map((w) => w.toFixed(15))).toEqual([
    '0.166666666666667',
    '0.666666666666667',
    '0.166666666666667',
  ])
})

test('smooth functions: E cos Z = e^(−1/2), also with 200 nodes', () => {
  for (const n of [20, 200]) {
    const { nodes, weights } = gaussHermite(n)
    const sum = nodes.reduce((total, x, i) => total + weights[i] * Math.cos(x), 0)
    expect(Math.abs(sum - Math.exp(-0.5))).toBeLessThan(1e-13)
    expect(weights.every((w) => w > 0)).toBe(true)
  }
  expect(gaussHermite(1000).weights.every((w) => w >= 0)).toBe(true)
})

test('tail weights keep relative accuracy: two nodes ago the polynomial still integrates', () => {
  // E Z^(2n−2) for n = 40 is dominated by outer nodes with weights near 1e-30.
  const n = 40
  const { nodes, weights } = gaussHermite(n)
  let moment = 1
  for (let degree = 2; degree <= 2 * n - 2; degree += 2) moment *= degree - 1
  const sum = nodes.reduce((total, x, i) => total + weights[i] * x ** (2 * n - 2), 0)
  expect(Math.abs(sum / moment - 1)).toBeLessThan(1e-11)
})

test('n must be a positive integer', () => {
  expect(() => gaussHermite(0)).toThrow(/gaussHermite: n must be an integer in 1…1000, got 0/)
})
