import { cast, div, equal, mul, neg, not, where } from '../../build/elementwise.ts'
import { gather, gatherElements, wrapIndices } from '../../build/indexing.ts'
import { logSoftmax, reduceSum } from '../../build/reduction.ts'
import { sizeOf } from '../../core/tensor.ts'
import { expand, squeeze, unsqueeze } from '../../build/structure.ts'
import type { Expr } from '../../core/expr.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'

/** −wᵢ z[yᵢ] over classes on axis 1, reduced; the mean is weighted, and ignored targets count nowhere. */
function negativeLogLikelihood(call: OperatorCall, logProbabilities: Expr): Expr {
  const target = call.input(1)
  const classWeights = call.optional(2)
  const reduction = call.string('reduction', 'mean')
  const ignored = call.node.attributes.has('ignore_index') ? call.int('ignore_index') : undefined
  const kept = ignored === undefined ? undefined : not(equal(target, ignored))
  const safe = wrapIndices(kept === undefined ? target : where(kept, target, 0), logProbabilities.shape[1])
  const picked = squeeze(gatherElements(logProbabilities, unsqueeze(safe, [1]), 1), [1])
  const weights = weightsOf(safe, classWeights, kept, picked)
  const losses = weights === undefined ? neg(picked) : neg(mul(weights, picked))
  if (reduction === 'none') return losses
  if (reduction === 'sum') return reduceSum(losses)
  if (reduction !== 'mean') throw call.malformed(`reduction must be none, mean or sum, got '${reduction}'`)
  return div(reduceSum(losses), weights === undefined ? sizeOf(losses.shape) : reduceSum(weights))
}

/** Weight of each sample; undefined where all weigh 1. */
function weightsOf(target: Expr, classWeights: Expr | undefined, kept: Expr | undefined, like: Expr): Expr | undefined {
  const given = classWeights === undefined ? undefined : gather(classWeights, target, 0)
  if (kept === undefined) return given === undefined ? undefined : expand(given, like.shape)
  const mask = cast(kept, like.dtype)
  return given === undefined ? mask : mul(given, mask)
}

function softmaxCrossEntropy(call: OperatorCall): readonly Expr[] {
  const logProbabilities = logSoftmax(call.input(0), 1)
  return [negativeLogLikelihood(call, logProbabilities), logProbabilities]
}

/** Losses that a model may contain. */
export const losses: OperatorFamily = {
  NegativeLogLikelihoodLoss: (call) => negativeLogLikelihood(call, call.input(0)),
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
}
