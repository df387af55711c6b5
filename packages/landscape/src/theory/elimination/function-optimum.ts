import { numbersOf, sizeOf } from '@thalweg/graph'
import { functionSpaceOptimum, inputGroups } from '../../critical/evidence/certificates.ts'
import type { InputGroups } from '../../critical/evidence/certificates.ts'
import type { Loss } from '../../loss/loss.ts'

/** The best value that any function of the input can have. */
export interface FunctionOptimum {
  /** L_func = Σ_j inf_q Σ_{i ∈ group j} ℓ(q, y_i), divided as the loss is; null where no closed form is known. */
  readonly value: number | null
  /** Whether some function has that value; null where not known. */
  readonly attained: boolean | null
  readonly groups: InputGroups
}

/** What is known of L_func: group means and variances for squares, group entropies for cross-entropy (attained only where
 * every group sees every class), the closed form of the polynomial hinge,
 *
 *     inf_q n₊ (1 − q)₊^p + n₋ (1 + q)₊^p = 2^p n₊ n₋ / (n₊^{1/(p−1)} + n₋^{1/(p−1)})^{p−1} ,  p > 1
 *
 * and the smaller of 2n₊, 2n₋ for p = 1. Sample weights count as multiplicities. */
export function functionOptimum(loss: Loss): FunctionOptimum {
  const groups = inputGroups(loss)
  const { name } = loss.spec
  if (name === 'hinge') return { value: hingeOptimum(loss, groups), attained: true, groups }
  const known = name === 'negative-log-likelihood' ? null : functionSpaceOptimum(loss, groups)
  return { value: known?.value ?? null, attained: known?.attained ?? null, groups }
}

function hingeOptimum(loss: Loss, groups: InputGroups): number {
  const k = sizeOf(loss.model.outputShape)
  const signs = signTargets(loss, k)
  const weights = loss.dataset.sampleWeights
  const [plus, minus] = [new Float64Array(groups.count * k), new Float64Array(groups.count * k)]
  for (let i = 0; i < loss.samples; i++)
    for (let c = 0; c < k; c++) {
      const at = groups.groupOf[i] * k + c
      if (signs[i * k + c] > 0) plus[at] += weights?.[i] ?? 1
      else minus[at] += weights?.[i] ?? 1
    }
  let sum = 0
  for (let at = 0; at < plus.length; at++) sum += hingeInfimum(plus[at], minus[at], loss.spec.power ?? 1)
  return sum / loss.normalizer
}

/** inf_q n₊ (1 − q)₊^p + n₋ (1 + q)₊^p. */
export function hingeInfimum(plus: number, minus: number, power: number): number {
  if (plus === 0 || minus === 0) return 0
  if (power === 1) return 2 * Math.min(plus, minus)
  const e = 1 / (power - 1)
  return (2 ** power * plus * minus) / (plus ** e + minus ** e) ** (power - 1)
}

/** Targets as ±1, [n × k]. */
function signTargets(loss: Loss, k: number): Float64Array {
  const { targets } = loss.dataset
  const values = numbersOf(targets)
  if (targets.dtype !== 'int64') return values
  if (k === 1) return values.map((label) => 2 * label - 1)
  const signs = new Float64Array(values.length * k).fill(-1)
  values.forEach((label, i) => {
    signs[i * k + label] = 1
  })
  return signs
}
