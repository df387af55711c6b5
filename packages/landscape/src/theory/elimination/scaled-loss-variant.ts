import { DomainError } from '@thalweg/graph'
import type { Objective, ObjectivePoint } from '../../critical/finders/objective.ts'
import { dot } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss, ValueAndGradient } from '../../loss/loss.ts'

/** The variant without any extra unit, z = (θ, a, b):
 *
 *     L̄(θ, a, b) = L(θ) (1 + (a e^b − 1)²) + λ a²
 *
 * At stationary points a = 0 and L(θ) = 0; elsewhere min_a L̄ = L + Lλ/(λ + L e^{2b}), which falls to L as b → ∞: the
 * failure mode in its purest form. On the slice a = 0 its value is 2L(θ).
 * @throws {DomainError} if λ is not positive.
 * Source: Sohl-Dickstein and Kawaguchi 2019, eq. (1). */
export function scaledLossVariant(loss: Loss, lambda: number = 0.1): Objective {
  if (!(lambda > 0)) throw new DomainError(`scaledLossVariant: lambda must be positive, got ${lambda}.`)
  const p = loss.size
  const size = p + 2
  const value = (base: number, a: number, b: number): number => base * (1 + (a * Math.exp(b) - 1) ** 2) + lambda * a * a
  const valueAt = async (z: Float64Array): Promise<number> => value(await loss.value(z.slice(0, p)), z[p], z[p + 1])
  return {
    name: `scaled ${loss.spec.name} of ${loss.model.name}`,
    size,
    value: valueAt,
    values: async (rows, count) => {
      const out = new Float64Array(count)
      for (let i = 0; i < count; i++) out[i] = await valueAt(rows.slice(i * size, (i + 1) * size))
      return out
    },
    valueAndGradient: async (z): Promise<ValueAndGradient> => {
      const [a, e] = [z[p], Math.exp(z[p + 1])]
      const base = await loss.valueAndGradient(z.slice(0, p))
      const gradient = new Float64Array(size)
      const gap = a * e - 1
      base.gradient.forEach((g, i) => {
        gradient[i] = g * (1 + gap * gap)
      })
      gradient[p] = 2 * base.value * gap * e + 2 * lambda * a
      gradient[p + 1] = 2 * base.value * gap * a * e
      return { value: value(base.value, a, z[p + 1]), gradient }
    },
    at: (z) => pointOf(loss, lambda, z.slice()),
  }
}

function pointOf(loss: Loss, lambda: number, z: Float64Array): ObjectivePoint {
  const p = loss.size
  const [a, e] = [z[p], Math.exp(z[p + 1])]
  const gap = a * e - 1
  const point = new LossPoint(loss, z.slice(0, p))
  const base = loss.valueAndGradient(z.slice(0, p))
  const apply = async (v: Float64Array): Promise<Float64Array> => {
    const { value, gradient } = await base
    const inner = v.slice(0, p)
    const product = new Float64Array(p + 2)
    const turned = await point.hvp(inner)
    // (∂_a, ∂_b) of (ae^b − 1)², and how both act on ∇L.
    const slope = 2 * gap * e * v[p] + 2 * gap * a * e * v[p + 1]
    for (let i = 0; i < p; i++) product[i] = (1 + gap * gap) * turned[i] + slope * gradient[i]
    const along = dot(gradient, inner)
    product[p] =
      2 * gap * e * along + (2 * value * e * e + 2 * lambda) * v[p] + 2 * value * (a * e * e + gap * e) * v[p + 1]
    product[p + 1] =
      2 * gap * a * e * along +
      2 * value * (a * e * e + gap * e) * v[p] +
      2 * value * (a * a * e * e + gap * a * e) * v[p + 1]
    return product
  }
  return {
    theta: z,
    hessian: { size: p + 2, apply },
    thirdDerivative: async () => {
      throw new DomainError('scaledLossVariant: third derivatives are not provided. Use the exponential neurons.')
    },
  }
}
