import { DomainError } from '@thalweg/graph'
import { expect, test } from 'vitest'
import { diagonalMatrix, identity } from '../../linalg/index.ts'
import { criticalPoint } from './critical-point.ts'
import { escapeTimeLaw } from './escape-time.ts'
import { linearGradientFlow } from './linear-gradient-flow.ts'
import { linearProblem } from './linear-problem.ts'
import { modeStrength, modeTime } from './mode-dynamics.ts'

test('gradient flow follows the closed form of a balanced mode', () => {
  const problem = linearProblem(identity(1), diagonalMatrix([2]), [1, 1, 1])
  const start = Math.sqrt(0.01)
  const weights = [diagonalMatrix([start]), diagonalMatrix([start])]
  for (const time of [0.5, 1, 2]) {
    const flow = linearGradientFlow(problem, weights, { time, tolerance: 1e-11 })
    expect(flow.status).toBe('finished')
    const u = flow.weights[0].data[0] * flow.weights[1].data[0]
    expect(u).toBeCloseTo(modeStrength(2, 0.01, time), 8)
  }
})

test('gradient flow of a three-layer mode takes the time of the quadrature', () => {
  const problem = linearProblem(identity(1), diagonalMatrix([2]), [1, 1, 1, 1])
  const weights = [1, 2, 3].map(() => diagonalMatrix([Math.cbrt(1e-3)]))
  const time = modeTime({ strength: 2, from: 1e-3, to: 1.5, layers: 3 })
  const flow = linearGradientFlow(problem, weights, { time, tolerance: 1e-11 })
  expect(flow.weights.reduce((u, w) => u * w.data[0], 1)).toBeCloseTo(1.5, 6)
})

test('one noise is no law', () => {
  const problem = linearProblem(identity(1), identity(1), [1, 1, 1])
  expect(() => escapeTimeLaw(problem, criticalPoint(problem, []), { noises: [1e-3] })).toThrow(DomainError)
})
