import { sizeOf } from '@thalweg/graph'
import { tangentModel } from '@thalweg/landscape'
import type { Evidence, ExamineOptions, Loss } from '@thalweg/landscape'

/** Entries of J up to which the comparison is worth its time. */
const entriesMax = 4e6
/** How far a numerically critical point may be above the linear model, relative to the loss. */
const tolerance = 1e-8

/** The necessary condition of perturbable gradient bases as evidence about critical points: L(θ) equals the least loss of a
 * linear model in the tangent features of θ (`tangentModel`). For squared losses without regularizer whose outputs
 * lie in the span of their features. */
export function tangentEvidence(loss: Loss): Pick<ExamineOptions, 'theory'> {
  const entries = loss.samples * sizeOf(loss.model.outputShape) * loss.size
  if (entries > entriesMax || loss.dataset.targets.dtype === 'int64') return {}
  return {
    theory: async (theta): Promise<Evidence[]> => {
      const found = await tangentModel(loss, theta)
      if (!found || found.spanDefect > 1e-6) return []
      const { value, gap, method, rank } = found
      const here = value + gap
      const equal = gap <= tolerance * Math.max(here, Number.MIN_VALUE) || here === 0
      return [
        {
          kind: 'tangent-model',
          claim: {
            id: equal ? 'evidence.tangent-model' : 'evidence.tangent-model-gap',
            values: { value, gap: Math.max(0, gap) },
          },
          value: gap,
          bound: tolerance * here,
          method: `least squares in the features J by ${method}${rank === null ? '' : `, rank ${rank} of ${found.features}`}`,
        },
      ]
    },
  }
}
