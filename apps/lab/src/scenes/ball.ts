import { eigenvalues2 } from './plane-function.ts'
import type { Jet, PlaneFunction } from './plane-function.ts'

export const ballMethods = ['gradient', 'momentum', 'noise', 'newton', 'saddle-free'] as const
export type BallMethod = (typeof ballMethods)[number]

export interface BallRules {
  /** η: the step of the gradient methods, θ ← θ − η∇L. */
  readonly stepSize: number
  /** β of v ← βv − η∇L. */
  readonly momentum: number
  /** σ: the noise of a step is √(2η) σ ξ, ξ standard normal, as in Langevin dynamics. */
  readonly noise: number
  /** Share of the full Newton step that is taken, so that the path can be seen. */
  readonly newtonShare: number
  /** No step of any method is longer: far from where their models hold the Newton methods ask for enormous ones. */
  readonly stepMax: number
}

export type BallState =
  | 'rolling'
  /** ‖∇L‖ is so small that no step is to be seen. */
  | 'resting'
  /** Outside of the plane. */
  | 'left'
  /** At the rim of a hole. */
  | 'hole'

/** A ball as it stands. */
export interface Ball {
  readonly method: BallMethod
  readonly x: number
  readonly y: number
  readonly velocity: readonly [number, number]
  readonly value: number
  readonly gradientNorm: number
  readonly steps: number
  readonly state: BallState
  /** x₀ y₀ value₀ x₁ y₁ value₁ … */
  readonly path: readonly number[]
}

/** Put a ball down; undefined where the function has no value. */
export function dropBall(method: BallMethod, plane: PlaneFunction, x: number, y: number): Ball | undefined {
  const jet = plane.at(x, y)
  if (!jet) return undefined
  const gradientNorm = Math.hypot(...jet.gradient)
  return {
    method,
    x,
    y,
    velocity: [0, 0],
    value: jet.value,
    gradientNorm,
    steps: 0,
    state: 'rolling',
    path: [x, y, jet.value],
  }
}

/** One step of its method. `normal` gives standard normal numbers; only noise asks for them. */
export function stepBall(ball: Ball, plane: PlaneFunction, rules: BallRules, normal: () => number): Ball {
  const here = ball.state === 'rolling' ? plane.at(ball.x, ball.y) : undefined
  if (!here) return ball
  const velocity = capped(velocityOf(ball, here, rules, normal), rules.stepMax)
  const [x, y] = [ball.x + velocity[0], ball.y + velocity[1]]
  const there = plane.at(x, y)
  if (!there) return { ...ball, state: isInside(plane, x, y) ? 'hole' : 'left' }
  const gradientNorm = Math.hypot(...there.gradient)
  const still = Math.hypot(...velocity) < 1e-5 * rules.stepMax && ball.method !== 'noise'
  return {
    ...ball,
    x,
    y,
    velocity,
    value: there.value,
    gradientNorm,
    steps: ball.steps + 1,
    state: still ? 'resting' : 'rolling',
    path: [...ball.path, x, y, there.value],
  }
}

function velocityOf(
  { method, velocity }: Ball,
  { gradient, hessian }: Jet,
  rules: BallRules,
  normal: () => number,
): [number, number] {
  const eta = rules.stepSize
  switch (method) {
    case 'gradient':
      return [-eta * gradient[0], -eta * gradient[1]]
    case 'momentum':
      return [rules.momentum * velocity[0] - eta * gradient[0], rules.momentum * velocity[1] - eta * gradient[1]]
    case 'noise': {
      const size = Math.sqrt(2 * eta) * rules.noise
      return [-eta * gradient[0] + size * normal(), -eta * gradient[1] + size * normal()]
    }
    case 'newton':
      return newtonStep(gradient, hessian, rules.newtonShare, (value) => value)
    case 'saddle-free':
      return newtonStep(gradient, hessian, rules.newtonShare, Math.abs)
  }
}

/** −share · Q g(Λ)⁻¹ Qᵀ∇L. Newton's method (g = id) goes to the nearest critical point of any kind; with |λ| for λ it
 *  descends and is repelled by saddles. Source: Dauphin et al. (2014). */
function newtonStep(
  gradient: readonly [number, number],
  hessian: readonly [number, number, number],
  share: number,
  g: (eigenvalue: number) => number,
): [number, number] {
  const { values, angle } = eigenvalues2(hessian)
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const floor = 1e-9 * Math.max(Math.abs(values[0]), Math.abs(values[1]))
  const inverse = (value: number): number => (Math.abs(value) > floor ? 1 / g(value) : 0)
  const along = -share * inverse(values[0]) * (c * gradient[0] + s * gradient[1])
  const across = -share * inverse(values[1]) * (-s * gradient[0] + c * gradient[1])
  return [c * along - s * across, s * along + c * across]
}

function capped(step: [number, number], longest: number): [number, number] {
  const length = Math.hypot(step[0], step[1])
  return length > longest ? [(step[0] * longest) / length, (step[1] * longest) / length] : step
}

function isInside({ domain: { x: dx, y: dy } }: PlaneFunction, x: number, y: number): boolean {
  return x >= dx[0] && x <= dx[1] && y >= dy[0] && y <= dy[1]
}

/** The typical largest |eigenvalue| of a function: the 80th percentile on a coarse grid. Gradient descent with η is
 *  stable where η times the curvature is below 2, so step sizes are given as multiples of its inverse. */
export function typicalCurvature(plane: PlaneFunction, count: number = 13): number {
  const { x, y } = plane.domain
  const found: number[] = []
  for (let j = 1; j < count; j++)
    for (let i = 1; i < count; i++) {
      const jet = plane.at(x[0] + (i / count) * (x[1] - x[0]), y[0] + (j / count) * (y[1] - y[0]))
      if (jet) found.push(Math.max(...eigenvalues2(jet.hessian).values.map(Math.abs)))
    }
  found.sort((a, b) => a - b)
  return found[Math.floor(0.8 * (found.length - 1))] || 1
}
