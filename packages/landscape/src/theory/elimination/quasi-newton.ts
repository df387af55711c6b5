import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import { dot, norm } from '../../linalg/vector.ts'
import type { ValueAndGradient } from '../../loss/loss.ts'
import { strongWolfe } from '../../train/strong-wolfe.ts'
import { twoLoopDirection } from '../../train/two-loop-direction.ts'
import type { CurvaturePair } from '../../train/two-loop-direction.ts'

export interface QuasiNewtonOptions {
  readonly maxSteps: number
  /** Default 1e-10. */
  readonly gradientTolerance?: number
  /** Pairs kept. Default 20. */
  readonly memory?: number
  readonly onStep?: (point: QuasiNewtonPoint, step: number) => void | Promise<void>
  readonly signal?: CancelSignal
}

export interface QuasiNewtonPoint extends ValueAndGradient {
  readonly x: Float64Array
}

export interface QuasiNewtonResult extends QuasiNewtonPoint {
  readonly status: 'converged' | 'no-decrease' | 'step-limit' | 'aborted'
  readonly steps: number
}

/** Minimizes any differentiable function by L-BFGS with a strong Wolfe search.
 * Source: Nocedal and Wright (2006), Algorithms 7.4 and 7.5. */
export async function quasiNewton(
  f: (x: Float64Array) => Promise<ValueAndGradient>,
  start: Float64Array,
  options: QuasiNewtonOptions,
): Promise<QuasiNewtonResult> {
  const { maxSteps, gradientTolerance = 1e-10, memory = 20 } = options
  let at: QuasiNewtonPoint = { x: start.slice(), ...(await f(start)) }
  const pairs: CurvaturePair[] = []
  for (let step = 0; step < maxSteps; step++) {
    if (norm(at.gradient) <= gradientTolerance) return { ...at, status: 'converged', steps: step }
    if (options.signal?.aborted) return { ...at, status: 'aborted', steps: step }
    const here = at
    let direction = twoLoopDirection(here.gradient, pairs)
    if (!(dot(direction, here.gradient) < 0)) direction = here.gradient.map((v) => -v)
    const along = async (length: number) => {
      const x = here.x.map((v, i) => v + length * direction[i])
      // A step that overflows is too long, no error.
      const there = x.every(Number.isFinite) ? await f(x) : { value: Number.POSITIVE_INFINITY, gradient: here.gradient }
      return { step: length, x, ...there, slope: dot(there.gradient, direction) }
    }
    const first = pairs.length > 0 ? 1 : Math.min(1, 1 / norm(here.gradient))
    const next = await strongWolfe(along, { step: 0, value: here.value, slope: dot(here.gradient, direction) }, first)
    if (!next) {
      if (pairs.length === 0) return { ...at, status: 'no-decrease', steps: step }
      pairs.length = 0
      continue
    }
    const s = next.x.map((v, i) => v - here.x[i])
    const y = next.gradient.map((v, i) => v - here.gradient[i])
    if (dot(s, y) > 1e-10 * dot(y, y)) pairs.push({ s, y })
    if (pairs.length > memory) pairs.shift()
    at = { x: next.x, value: next.value, gradient: next.gradient }
    await options.onStep?.(at, step + 1)
  }
  return { ...at, status: norm(at.gradient) <= gradientTolerance ? 'converged' : 'step-limit', steps: maxSteps }
}
