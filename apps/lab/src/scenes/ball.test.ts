import { describe, expect, it } from 'vitest'
import { dropBall, stepBall, typicalCurvature } from './ball.ts'
import type { Ball, BallMethod, BallRules } from './ball.ts'
import type { PlaneFunction } from './plane-function.ts'

const square = { x: [-2, 2], y: [-2, 2] } as const
const inside = (x: number, y: number): boolean => Math.abs(x) <= 2 && Math.abs(y) <= 2

/** ½ (a x² + b y²): a bowl, or a saddle where a and b differ in sign. */
function quadratic(a: number, b: number): PlaneFunction {
  return {
    domain: square,
    at: (x, y) =>
      inside(x, y) ? { value: (a * x * x + b * y * y) / 2, gradient: [a * x, b * y], hessian: [a, 0, b] } : undefined,
  }
}

const rules: BallRules = { stepSize: 0.1, momentum: 0.9, noise: 0, newtonShare: 1, stepMax: 10 }

function rolled(method: BallMethod, f: PlaneFunction, steps: number, change: Partial<BallRules> = {}): Ball {
  let ball = dropBall(method, f, 0.5, 0.4)!
  for (let k = 0; k < steps; k++) ball = stepBall(ball, f, { ...rules, ...change }, () => 1)
  return ball
}

describe('a ball', () => {
  it('takes the gradient step θ − η∇L and keeps its path', () => {
    const ball = rolled('gradient', quadratic(2, 1), 1)
    expect([ball.x, ball.y]).toEqual([0.5 - 0.1 * 1, 0.4 - 0.1 * 0.4])
    expect(ball.path).toHaveLength(6)
    expect(ball.value).toBeCloseTo(0.16 + 0.0648, 12)
  })

  it('converges below η λ = 2 and leaves the plane above', () => {
    expect(rolled('gradient', quadratic(4, 1), 300, { stepSize: 0.45 }).value).toBeLessThan(1e-6)
    expect(rolled('gradient', quadratic(4, 1), 300, { stepSize: 0.55 }).state).toBe('left')
  })

  it('adds β times the last step with momentum', () => {
    const f = quadratic(1, 1)
    const first = rolled('momentum', f, 1)
    const second = rolled('momentum', f, 2)
    expect(second.velocity[0]).toBeCloseTo(0.9 * first.velocity[0] - 0.1 * first.x, 14)
  })

  it('reaches the minimum of a quadratic in one Newton step', () => {
    const ball = rolled('newton', quadratic(3, 0.5), 1)
    expect(Math.hypot(ball.x, ball.y)).toBeLessThan(1e-14)
  })

  it('goes to a saddle by Newton and away from it by saddle-free Newton', () => {
    const saddle = quadratic(2, -1)
    expect(Math.hypot(rolled('newton', saddle, 1).x, rolled('newton', saddle, 1).y)).toBeLessThan(1e-14)
    const free = rolled('saddle-free', saddle, 1)
    expect(free.x).toBeCloseTo(0, 14)
    expect(free.y).toBeCloseTo(0.8, 14)
    expect(free.value).toBeLessThan(0)
  })

  it('moves by √(2η) σ ξ where only noise moves it', () => {
    const flat = quadratic(0, 0)
    expect(rolled('noise', flat, 1, { noise: 0.5 }).x).toBeCloseTo(0.5 + Math.sqrt(0.2) * 0.5, 14)
  })

  it('makes no step longer than allowed', () => {
    const ball = rolled('gradient', quadratic(100, 100), 1, { stepMax: 0.05 })
    expect(Math.hypot(ball.x - 0.5, ball.y - 0.4)).toBeCloseTo(0.05, 12)
  })

  it('rests where it does not move, and stops at a hole', () => {
    expect(rolled('gradient', quadratic(1, 1), 400).state).toBe('resting')
    const holed: PlaneFunction = { ...quadratic(1, 1), at: (x, y) => (x < 0.45 ? undefined : quadratic(1, 1).at(x, y)) }
    expect(rolled('gradient', holed, 3).state).toBe('hole')
  })

  it('cannot be put down where there is no value', () => {
    expect(dropBall('gradient', quadratic(1, 1), 3, 0)).toBeUndefined()
  })
})

it('typicalCurvature is the largest |eigenvalue| of a quadratic', () => {
  expect(typicalCurvature(quadratic(0.5, -3))).toBeCloseTo(3, 12)
})
