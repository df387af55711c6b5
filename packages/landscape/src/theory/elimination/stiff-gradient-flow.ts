import { DomainError } from '@thalweg/graph'
import type { Objective } from '../../critical/finders/objective.ts'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import { denseOf } from '../../linalg/linear-operator.ts'
import { lu } from '../../linalg/lu.ts'
import { copyMatrix } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { norm } from '../../linalg/vector.ts'

/** One accepted point of a flow. */
export interface FlowState {
  readonly time: number
  readonly z: Float64Array
  readonly value: number
  readonly gradient: Float64Array
}

export interface StiffFlowOptions {
  /** Ends here. */
  readonly timeEnd: number
  /** Ends where the gradient's norm is at most this. Default 1e-10. */
  readonly gradientTolerance?: number
  /** Local error per step, relative to each coordinate. Default 1e-6. */
  readonly relativeTolerance?: number
  /** And absolute. Default 1e-9. */
  readonly absoluteTolerance?: number
  readonly firstStep?: number
  /** Default 20 000. */
  readonly maxSteps?: number
  /** Called at the start and at every accepted step; returning true ends the flow. */
  readonly onStep?: (state: FlowState) => boolean | undefined | void | Promise<boolean | undefined | void>
  readonly signal?: CancelSignal
}

export type StiffFlowStatus =
  | 'time-end'
  | 'gradient-tolerance'
  | 'step-limit'
  | 'step-too-small'
  | 'not-finite'
  | 'ended'
  | 'aborted'

export interface StiffFlow {
  readonly state: FlowState
  readonly status: StiffFlowStatus
  readonly steps: number
  readonly rejected: number
  readonly evaluations: number
}

/** Coefficients of RODAS3 in the form without matrix products: γ = ½, L-stable, stiffly accurate, order 3 with an
 * embedded method of order 2; the second stage needs no gradient of its own. */
const gamma = 0.5
const a31 = 2
const a41 = 2
const a43 = 1
const c21 = 4
const c31 = 1
const c32 = -1
const c41 = 1
const c42 = -1
const c43 = -8 / 3

/** The gradient flow ż = −∇F(z), integrated by a linearly implicit method with adaptive steps.
 *
 *     (I/(hγ) + ∇²F) k_i = −∇F(z + Σ_j a_ij k_j) + Σ_j (c_ij/h) k_j ,   z⁺ = z + 2k₁ + k₃ + k₄ ,   error ≈ k₄
 *
 * Stiff problems (a fast contraction beside a slow drift) cost no more steps than smooth ones. A step that would raise F
 * beyond its rounding is rejected: along the flow F falls.
 * @throws {DomainError} if an option is out of range.
 * Cost per step: three gradients, one dense Hessian and its factorization, 2/3 p³: for p up to some hundreds.
 * Source: Sandu et al., Atmos. Environ. 31 (1997), RODAS3; Hairer and Wanner, Solving ODEs II, §IV.7. */
export async function stiffGradientFlow(
  objective: Objective,
  start: Float64Array,
  options: StiffFlowOptions,
): Promise<StiffFlow> {
  const { timeEnd, gradientTolerance = 1e-10, maxSteps = 20_000 } = options
  if (!(timeEnd > 0)) throw new DomainError(`stiffGradientFlow: timeEnd must be positive, got ${timeEnd}.`)
  let state: FlowState = { time: 0, z: start.slice(), ...(await objective.valueAndGradient(start)) }
  let [steps, rejected, evaluations] = [0, 0, 1]
  const done = (status: StiffFlowStatus): StiffFlow => ({ state, status, steps, rejected, evaluations })
  if (!Number.isFinite(state.value)) return done('not-finite')
  if (await options.onStep?.(state)) return done('ended')
  let h = Math.min(timeEnd, options.firstStep ?? 1e-2 / (1 + norm(state.gradient)))
  const scaled = { ...options, scale: Math.abs(state.value) }
  while (steps < maxSteps) {
    if (options.signal?.aborted) return done('aborted')
    if (norm(state.gradient) <= gradientTolerance) return done('gradient-tolerance')
    if (state.time >= timeEnd * (1 - 1e-12)) return done('time-end')
    const { matrix } = await denseOf(objective.at(state.z).hessian)
    for (;;) {
      h = Math.min(h, timeEnd - state.time)
      const trial = await rosenbrockStep(objective, state, matrix, h, scaled)
      evaluations += 3
      const factor = Math.min(6, Math.max(0.2, 0.9 * trial.error ** (-1 / 3)))
      if (trial.next && trial.error <= 1) {
        state = trial.next
        steps++
        h *= factor
        break
      }
      rejected++
      h *= trial.next ? Math.min(0.9, factor) : 0.25
      if (h < 1e-14 * Math.max(1, state.time)) return done('step-too-small')
    }
    if (await options.onStep?.(state)) return done('ended')
  }
  return done('step-limit')
}

async function rosenbrockStep(
  objective: Objective,
  { time, z, value, gradient }: FlowState,
  hessian: Matrix,
  h: number,
  options: StiffFlowOptions & { readonly scale: number },
): Promise<{ next: FlowState | null; error: number }> {
  const shifted = copyMatrix(hessian)
  for (let i = 0; i < z.length; i++) shifted.data[i * z.length + i] += 1 / (h * gamma)
  const factored = lu(shifted)
  const failed = { next: null, error: Number.POSITIVE_INFINITY }
  if (factored.singularAt >= 0) return failed
  const slopeAt = async (point: Float64Array): Promise<Float64Array | null> => {
    const there = await evaluate(objective, point)
    return there && there.gradient.map((v) => -v)
  }
  const f1 = gradient.map((v) => -v)
  const k1 = factored.solve(f1)
  const k2 = factored.solve(f1.map((v, i) => v + (c21 * k1[i]) / h))
  const f3 = await slopeAt(z.map((v, i) => v + a31 * k1[i]))
  if (!f3) return failed
  const k3 = factored.solve(f3.map((v, i) => v + (c31 * k1[i] + c32 * k2[i]) / h))
  const before = z.map((v, i) => v + a41 * k1[i] + a43 * k3[i])
  const f4 = await slopeAt(before)
  if (!f4) return failed
  const k4 = factored.solve(f4.map((v, i) => v + (c41 * k1[i] + c42 * k2[i] + c43 * k3[i]) / h))
  const moved = before.map((v, i) => v + k4[i])
  const there = await evaluate(objective, moved)
  const noise = 1e-12 * Math.abs(value) + 1e-16 * options.scale
  if (!there || there.value > value + noise) return failed
  return { next: { time: time + h, z: moved, ...there }, error: scaledError(k4, z, moved, options) }
}

async function evaluate(
  objective: Objective,
  z: Float64Array,
): Promise<{ value: number; gradient: Float64Array } | null> {
  if (!z.every(Number.isFinite)) return null
  const at = await objective.valueAndGradient(z)
  return Number.isFinite(at.value) && at.gradient.every(Number.isFinite) ? at : null
}

function scaledError(
  error: Float64Array,
  before: Float64Array,
  after: Float64Array,
  options: StiffFlowOptions,
): number {
  const { relativeTolerance = 1e-6, absoluteTolerance = 1e-9 } = options
  let sum = 0
  for (let i = 0; i < error.length; i++) {
    const scale = absoluteTolerance + relativeTolerance * Math.max(Math.abs(before[i]), Math.abs(after[i]))
    sum += (error[i] / scale) ** 2
  }
  return Math.max(1e-10, Math.sqrt(sum / error.length))
}
