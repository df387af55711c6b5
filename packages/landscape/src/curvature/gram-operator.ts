import { sizeOf } from '@thalweg/graph'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import type { LossPoint } from '../loss/loss-point.ts'

/** The neural tangent kernel J Jᵀ of a point as an operator on output space, [n·k], samples outermost.
 * Its nonzero eigenvalues are those of Jᵀ J. Cost of a product: one backward and one tangent pass. */
export function gramOperator(point: LossPoint): LinearOperator {
  const size = point.loss.samples * sizeOf(point.loss.model.outputShape)
  return {
    size,
    apply: async (u) => point.jacobian(await point.jacobianTransposed(u)),
    applyBatch: async (u, count) => point.jacobian(await point.jacobianTransposed(u, count), count),
  }
}
