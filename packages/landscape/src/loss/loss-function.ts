import {
  DomainError,
  UnsupportedError,
  abs,
  add,
  cast,
  less,
  logSoftmax,
  max,
  mul,
  neg,
  oneHot,
  pow,
  range,
  reduceSum,
  reshape,
  sizeOf,
  softplus,
  sub,
  where,
} from '@thalweg/graph'
import type { Expr, Shape } from '@thalweg/graph'

export const lossNames = [
  'cross-entropy',
  'negative-log-likelihood',
  'binary-cross-entropy',
  'mse',
  'half-sum-squares',
  'squared',
  'hinge',
  'huber',
  'l1',
] as const

export type LossName = (typeof lossNames)[number]

/** Which loss, in the conventions of PyTorch; see `perSample` for the formulas. */
export interface LossSpec {
  readonly name: LossName
  /** `mean` divides by the samples (mse, huber, l1, binary cross-entropy: by samples · outputs, as PyTorch);
   * `half-sum-squares` never divides. */
  readonly reduction: 'mean' | 'sum'
  /** Cross-entropy only: targets become (1 − s)·y + s/classes. */
  readonly labelSmoothing?: number
  /** Hinge only: exponent, default 1. */
  readonly power?: number
  /** Huber only: where the quadratic ends, default 1. */
  readonly delta?: number
}

/** @throws {DomainError} if an option does not belong to the loss or is out of range. */
export function checkLossSpec(spec: LossSpec): LossSpec {
  if (!lossNames.includes(spec.name))
    throw new DomainError(`loss: name must be one of ${lossNames.join(', ')}, got ${spec.name}.`)
  const { labelSmoothing: s, power, delta } = spec
  if (s !== undefined && (spec.name !== 'cross-entropy' || !(s >= 0 && s < 1)))
    throw new DomainError(
      `loss: label smoothing belongs to cross-entropy and lies in [0, 1), got ${s} with ${spec.name}.`,
    )
  if (power !== undefined && (spec.name !== 'hinge' || !(power >= 1)))
    throw new DomainError(`loss: power belongs to hinge and is at least 1, got ${power} with ${spec.name}.`)
  if (delta !== undefined && (spec.name !== 'huber' || !(delta > 0)))
    throw new DomainError(`loss: delta belongs to huber and is positive, got ${delta} with ${spec.name}.`)
  return spec
}

/** Whether the loss reads its targets as classes (one distribution per sample). */
function isClassLoss(name: LossName): boolean {
  return name === 'cross-entropy' || name === 'negative-log-likelihood'
}

/** What the sum over samples is divided by: n (or the sum of sample weights), times the outputs where PyTorch means over elements. */
export function normalizerOf(spec: LossSpec, weightSum: number, outputs: number): number {
  if (spec.reduction === 'sum' || spec.name === 'half-sum-squares') return 1
  const overElements =
    spec.name === 'mse' || spec.name === 'huber' || spec.name === 'l1' || spec.name === 'binary-cross-entropy'
  return overElements ? weightSum * outputs : weightSum
}

/** t_c z_c [n × k] of log-probabilities z for targets t: indices [n] (int64) or probabilities, smoothed. A class that is not the
 * target is left out, not multiplied by 0: its log-probability may be −∞. */
function targetTerms(z: Expr, y: Expr, smoothing: number): Expr {
  const k = z.shape[1]
  if (smoothing === 0 && y.dtype === 'int64') return where(oneHot(y, k, 'bool'), z, 0)
  const hard = y.dtype === 'int64' ? oneHot(y, k, z.dtype) : y
  return mul(smoothing === 0 ? hard : add(mul(hard, 1 - smoothing), smoothing / k), z)
}

/** Class indices as ±1 or 0/1 columns where a binary loss meets a classification set. */
function binaryTargets(z: Expr, y: Expr, low: number): Expr {
  if (y.dtype !== 'int64') return reshape(y, z.shape)
  const k = sizeOf(z.shape.slice(1))
  const indicator = k === 1 ? reshape(cast(y, z.dtype), z.shape) : reshape(oneHot(y, k, z.dtype), z.shape)
  return low === 0 ? indicator : sub(mul(indicator, 2), 1)
}

function perElement(spec: LossSpec, z: Expr, y: Expr): Expr {
  const r = sub(z, y)
  switch (spec.name) {
    case 'mse':
    case 'squared':
      return mul(r, r)
    case 'half-sum-squares':
      return mul(mul(r, r), 0.5)
    case 'l1':
      return abs(r)
    case 'huber': {
      const delta = spec.delta ?? 1
      const size = abs(r)
      return where(less(size, delta), mul(mul(r, r), 0.5), mul(sub(size, 0.5 * delta), delta))
    }
    default:
      throw new UnsupportedError(`loss: ${spec.name} has no elementwise form.`)
  }
}

/** ℓ(z_i, y_i) for each sample, [n], before any mean. z = model output [n × k …].
 *
 *     cross-entropy            −Σ_c t_c log softmax(z)_c            t: one-hot or soft labels, smoothed
 *     negative-log-likelihood  −Σ_c t_c z_c                          z: log-probabilities
 *     binary-cross-entropy     Σ softplus(z) − y z                   z: logits, y ∈ [0, 1]
 *     mse, squared             Σ (z − y)²                            (they differ in the mean only)
 *     half-sum-squares         ½ Σ (z − y)²
 *     hinge                    Σ max(0, 1 − y z)^p                   y ∈ {−1, +1}
 *     huber                    Σ ½r² where |r| < δ, else δ(|r| − ½δ)
 *     l1                       Σ |z − y| */
export function perSample(spec: LossSpec, z: Expr, y: Expr): Expr {
  const sum = (e: Expr): Expr => reduceSum(e, range(e.shape.length).slice(1))
  switch (spec.name) {
    case 'cross-entropy':
      return neg(sum(targetTerms(logSoftmax(z, 1), y, spec.labelSmoothing ?? 0)))
    case 'negative-log-likelihood':
      return neg(sum(targetTerms(z, y, 0)))
    case 'binary-cross-entropy':
      return sum(sub(softplus(z), mul(binaryTargets(z, y, 0), z)))
    case 'hinge': {
      const margin = max(sub(1, mul(binaryTargets(z, y, -1), z)), 0)
      const p = spec.power ?? 1
      return sum(p === 1 ? margin : p === 2 ? mul(margin, margin) : pow(margin, p))
    }
    default:
      return sum(perElement(spec, z, reshape(y, z.shape)))
  }
}

/** Refuses targets that the loss cannot read for outputs of this shape (per sample).
 * @throws {DomainError} naming both and the losses that would fit. */
export function checkTargets(spec: LossSpec, outputShape: Shape, targets: { dtype: string; shape: Shape }): void {
  const k = sizeOf(outputShape)
  const perSampleTargets = sizeOf(targets.shape.slice(1))
  if (isClassLoss(spec.name)) {
    if (outputShape.length !== 1)
      throw new DomainError(`loss: ${spec.name} needs one row of scores per sample, got outputs [n,${outputShape}].`)
    if (targets.dtype !== 'int64' && perSampleTargets !== k)
      throw new DomainError(
        `loss: ${spec.name} needs class indices [n] or probabilities [n,${k}], got ${targets.dtype}[${targets.shape}].`,
      )
    return
  }
  if (targets.dtype === 'int64') {
    if (spec.name === 'binary-cross-entropy' || spec.name === 'hinge') return
    throw new DomainError(
      `loss: ${spec.name} needs numbers as targets, got class indices. Use cross-entropy, or pass float targets (one-hot for least squares).`,
    )
  }
  if (perSampleTargets !== k)
    throw new DomainError(
      `loss: targets must have ${k} numbers per sample like the output [${outputShape}], got [${targets.shape}].`,
    )
}
