import { symmetricEigenvalues } from '../../linalg/symmetric-eigen.ts'
import { dot, norm } from '../../linalg/vector.ts'
import { onSphere, spinGlassHessian, spinGlassPoint } from './spherical-spin-glass.ts'
import type { SphericalSpinGlass, SpinGlassPoint } from './spherical-spin-glass.ts'

export interface SpinGlassDescent {
  readonly w: Float64Array
  /** 𝓛/Λ. */
  readonly energyPerSpin: number
  readonly gradientNorm: number
  readonly iterations: number
  readonly converged: boolean
}

export interface SpinGlassDescentOptions {
  /** ‖∇𝓛‖/√Λ at which it ends. Default 1e-6. */
  readonly tolerance?: number
  /** Default 20 000. */
  readonly maxIterations?: number
}

/** Armijo's constant. */
const sufficient = 1e-4

/** Riemannian gradient descent, w ← √Λ (w − η ∇𝓛)/‖w − η ∇𝓛‖, with the step lengths of Barzilai and Borwein cut back until
 * the energy falls enough, so that it stays a descent.
 * Cost: Λ^H per trial step. Source: Choromanska et al. 2015, §5 (gradient descent there); Absil et al. 2008, §4.2. */
export function spinGlassDescent(
  glass: SphericalSpinGlass,
  start: Float64Array,
  { tolerance = 1e-6, maxIterations = 20_000 }: SpinGlassDescentOptions = {},
): SpinGlassDescent {
  let w = onSphere(start)
  let at = spinGlassPoint(glass, w)
  let step = 0.1
  let iterations = 0
  const size = Math.sqrt(glass.spins)
  while (norm(at.gradient) > tolerance * size && iterations < maxIterations) {
    const next = lower(glass, w, at, step)
    if (!next) break
    const change = next.w.map((x, i) => x - w[i])
    const turn = next.at.gradient.map((g, i) => g - at.gradient[i])
    const bend = dot(change, turn)
    step = bend > 0 ? dot(change, change) / bend : 2 * next.step
    w = next.w
    at = next.at
    iterations++
  }
  const gradientNorm = norm(at.gradient)
  const converged = gradientNorm <= tolerance * size
  return { w, energyPerSpin: at.energy / glass.spins, gradientNorm, iterations, converged }
}

interface Lower {
  readonly w: Float64Array
  readonly at: SpinGlassPoint
  readonly step: number
}

/** Halves the step until the energy falls by the share that its slope promises; null where rounding ends that. */
function lower(glass: SphericalSpinGlass, w: Float64Array, at: SpinGlassPoint, first: number): Lower | null {
  const slope = dot(at.gradient, at.gradient)
  for (let step = first; step > 1e-12; step /= 2) {
    const next = onSphere(w.map((x, i) => x - step * at.gradient[i]))
    const there = spinGlassPoint(glass, next)
    if (there.energy <= at.energy - sufficient * step * slope + 1e-14 * Math.abs(at.energy))
      return { w: next, at: there, step }
  }
  return null
}

/** Eigenvalues of the Hessian on the tangent space, ascending [Λ − 1]: the zero that belongs to w itself is left out. */
export function spinGlassSpectrum(glass: SphericalSpinGlass, w: Float64Array): Float64Array {
  const values = symmetricEigenvalues(spinGlassHessian(glass, w))
  const closest = values.reduce((best, value, i) => (Math.abs(value) < Math.abs(values[best]) ? i : best), 0)
  return values.filter((_, i) => i !== closest)
}
