import { constant, evaluate, numbersOf, tensor } from '@thalweg/graph'
import { activationNamed } from './activation.ts'

/** Positive nodes and weights of the eight-point Gauss–Legendre rule on [−1, 1] (Abramowitz & Stegun, table 25.4). */
const legendre: readonly (readonly [node: number, weight: number])[] = [
  [0.1834346424956498, 0.362683783378362],
  [0.525532409916329, 0.3137066458778873],
  [0.7966664774136267, 0.2223810344533745],
  [0.9602898564975363, 0.1012285362903763],
]

const cells = 96
const reach = 12

/** Nodes and weights for E f(Z), Z ~ N(0, 1), in cells of length ¼ on [−12, 12]: kinks at multiples of ¼ lie between
 * cells, so that piecewise smooth functions lose no accuracy. What lies outside weighs less than 1e-31. */
function normalQuadrature(): { nodes: Float64Array; weights: Float64Array } {
  const half = reach / cells
  const nodes: number[] = []
  const weights: number[] = []
  for (let cell = 0; cell < cells; cell++) {
    const middle = -reach + (2 * cell + 1) * half
    for (const [node, weight] of legendre)
      for (const z of [middle - half * node, middle + half * node]) {
        nodes.push(z)
        weights.push((half * weight * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI))
      }
  }
  return { nodes: Float64Array.from(nodes), weights: Float64Array.from(weights) }
}

/** E σ(Z)², Z ~ N(0, 1), of an activation by name; the inverse of c_σ (Du et al. 2019). Accurate to about 1e-14.
 * @throws {DomainError} if the name is unknown. */
export function activationSecondMoment(name: string): number {
  const { nodes, weights } = normalQuadrature()
  const values = numbersOf(evaluate([activationNamed(name)(constant(tensor('float64', [nodes.length], nodes)))])[0])
  return values.reduce((sum, value, i) => sum + weights[i] * value * value, 0)
}
