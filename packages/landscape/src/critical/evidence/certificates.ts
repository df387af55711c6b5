import {
  castTensor,
  dependents,
  grad,
  graphOf,
  input,
  jvp,
  mul,
  numbersOf,
  reduceSum,
  sizeOf,
  tensor,
  topologicalOrder,
} from '@thalweg/graph'
import type { Expr, Tensor } from '@thalweg/graph'
import { inputDType } from '../../model/model.ts'
import type { Model } from '../../model/model.ts'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import { perSample } from '../../loss/loss-function.ts'
import { randomStream } from '../../random/random-stream.ts'
import { fullyConnected } from './fully-connected.ts'
import type { NoiseFloor } from '../finders/noise-floor.ts'
import { hasKinks, outputSubgradient } from './subgradient.ts'

/** Samples with equal inputs, and what the loss wants of the outputs there. */
export interface InputGroups {
  /** Group of each sample, 0 … count − 1. */
  readonly groupOf: Int32Array
  readonly count: number
}

/** Groups of samples whose inputs are equal (−0 counts as 0). Cost: one pass over the data. */
export function inputGroups(loss: Loss): InputGroups {
  const { inputs } = loss.dataset
  const arrays = Object.values(inputs).map((value) => ({ data: numbersOf(value), width: sizeOf(value.shape.slice(1)) }))
  const known = new Map<string, number[]>()
  const groupOf = new Int32Array(loss.samples)
  const representatives: number[] = []
  const same = (i: number, j: number): boolean =>
    arrays.every(({ data, width }) => {
      for (let k = 0; k < width; k++) if (data[i * width + k] !== data[j * width + k]) return false
      return true
    })
  for (let i = 0; i < loss.samples; i++) {
    const key = arrays.map(({ data, width }) => digest(data, i * width, width)).join()
    const candidates = known.get(key) ?? []
    let group = candidates.find((g) => same(representatives[g], i))
    if (group === undefined) {
      group = representatives.length
      representatives.push(i)
      known.set(key, [...candidates, group])
    }
    groupOf[i] = group
  }
  return { groupOf, count: representatives.length }
}

const scratch = new Float64Array(1)
const words = new Uint32Array(scratch.buffer)

/** FNV-1a over the bits; collisions are resolved by comparing. */
function digest(data: Float64Array, start: number, width: number): number {
  let hash = 2166136261
  for (let k = start; k < start + width; k++) {
    scratch[0] = data[k] + 0
    hash = Math.imul(hash ^ words[0], 16777619)
    hash = Math.imul(hash ^ words[1], 16777619)
  }
  return hash >>> 0
}

/** ∂L/∂z for outputs z [n × k], means and sample weights included (no regulariser). */
export async function outputGradients(loss: Loss, outputs: Float64Array): Promise<Float64Array> {
  const n = loss.samples
  const run = await loss.compiled('output gradients', () => {
    const z = input('outputs', loss.dtype, [n, ...loss.model.outputShape])
    const { dtype, shape } = loss.dataset.targets
    const y = input('targets', dtype === 'int64' ? 'int64' : loss.dtype, [n, ...shape.slice(1)])
    const losses = perSample(loss.spec, z, y)
    const weighted = loss.dataset.sampleWeights ? mul(losses, input('weights', loss.dtype, [n])) : losses
    const [gradient] = grad(reduceSum(weighted), [z])
    return graphOf({ gradient })
  })
  const targets =
    loss.dataset.targets.dtype === 'int64' ? loss.dataset.targets : castTensor(loss.dataset.targets, loss.dtype)
  const values: Record<string, Tensor> = {
    outputs: tensor('float64', [n, ...loss.model.outputShape], outputs),
    targets,
  }
  if (loss.dataset.sampleWeights) values.weights = tensor('float64', [n], loss.dataset.sampleWeights)
  const feeds = Object.fromEntries(run.graph.inputs.map((i) => [i.attributes.name, values[i.attributes.name]]))
  const result = await run.run(feeds)
  return numbersOf(result.gradient).map((g) => g / loss.normalizer)
}

function groupSums(loss: Loss, groups: InputGroups, gradients: Float64Array): Float64Array {
  const k = sizeOf(loss.model.outputShape)
  const sums = new Float64Array(groups.count * k)
  for (let i = 0; i < loss.samples; i++)
    for (let c = 0; c < k; c++) sums[groups.groupOf[i] * k + c] += gradients[i * k + c]
  return sums
}

const convexLosses = new Set([
  'cross-entropy',
  'binary-cross-entropy',
  'mse',
  'half-sum-squares',
  'squared',
  'hinge',
  'huber',
  'l1',
])

/** Group gradients count as zero up to this multiple of their noise: a polish ends within ten times the noise of ∇L = JᵀG,
 * and J may shrink G. */
export const certificateFactor = 100

export interface FunctionSpaceCertificate {
  /** Whether the certificate holds: every distinct input's summed output gradient is zero to rounding. */
  readonly holds: boolean
  /** max_j ‖G_j‖. */
  readonly groupGradientMax: number
  /** What rounding of the outputs can make of it. */
  readonly noise: number
  readonly groups: number
  /** L_func, the best value of any function of x; null where no closed form is known. */
  readonly optimum: number | null
  /** L(θ) − L_func, where known. */
  readonly gap: number | null
}

/** Whether θ is optimal among *all* functions of the input:
 *
 *      G_j = Σ_{i : x_i = x̄_j} ∂L/∂f(x_i) = 0   for every distinct input x̄_j
 *
 * For losses that are convex in the output this is equivalent to L(θ) = L_func, whatever the model; where the loss itself has a
 * kink at the output (l1, hinge), 0 must be among the sums of subgradients.
 * Void with a regulariser. Source: Kawaguchi and Kaelbling 2020, Theorem 1 (the condition of its proof).
 * @returns null where the loss is not convex in unrestricted outputs, or has weight decay. */
export async function functionSpaceCertificate(
  loss: Loss,
  theta: Float64Array,
  value: number,
): Promise<FunctionSpaceCertificate | null> {
  if (loss.weightDecay > 0 || !convexLosses.has(loss.spec.name)) return null
  const groups = inputGroups(loss)
  const k = sizeOf(loss.model.outputShape)
  const { sums, noise } = await (hasKinks(loss) ? subgradientSums : gradientSums)(loss, groups, theta)
  const largest = largestRow(sums, k)
  const best = functionSpaceOptimum(loss, groups)
  const optimum = best?.value ?? null
  return {
    // An infimum that no outputs attain is not reached where its gradient underflows.
    holds: largest <= certificateFactor * noise && best?.attained !== false,
    groupGradientMax: largest,
    noise,
    groups: groups.count,
    optimum,
    gap: optimum === null ? null : value - optimum,
  }
}

/** Summed gradients of each group, and what rounding of θ by a few units in the last place makes of them. */
async function gradientSums(loss: Loss, groups: InputGroups, theta: Float64Array): Promise<GroupSums> {
  const sumsAt = async (at: Float64Array): Promise<Float64Array> =>
    groupSums(loss, groups, await outputGradients(loss, await loss.outputs(at)))
  const sums = await sumsAt(theta)
  const least = norm(theta) / Math.sqrt(theta.length)
  let noise = 0
  for (let probe = 0; probe < 2; probe++) {
    const u = randomStream(0, 'certificate noise', probe).uniforms(theta.length)
    const moved = await sumsAt(theta.map((t, i) => t + 4 * 2 ** -52 * (2 * u[i] - 1) * Math.max(Math.abs(t), least)))
    const change = moved.map((g, i) => g - sums[i])
    noise = Math.max(noise, largestRow(change, sizeOf(loss.model.outputShape)))
  }
  return { sums, noise }
}

/** Of the summed subgradients of each group those nearest to zero. They jump between a few values, so that moving θ would say
 * nothing of their rounding: that of their terms counts. */
async function subgradientSums(loss: Loss, groups: InputGroups, theta: Float64Array): Promise<GroupSums> {
  const outputs = await loss.outputs(theta)
  const { center, slack } = outputSubgradient(loss, outputs, await outputGradients(loss, outputs))
  const slacks = groupSums(loss, groups, slack)
  const sums = groupSums(loss, groups, center).map((c, i) => Math.sign(c) * Math.max(0, Math.abs(c) - slacks[i]))
  const sizes = groupSums(
    loss,
    groups,
    center.map((c, i) => Math.abs(c) + slack[i]),
  )
  return { sums, noise: 2 ** -52 * largestRow(sizes, sizeOf(loss.model.outputShape)) }
}

interface GroupSums {
  readonly sums: Float64Array
  /** Euclidean norm of what rounding makes of one group. */
  readonly noise: number
}

function largestRow(rows: Float64Array, width: number): number {
  let largest = 0
  for (let start = 0; start < rows.length; start += width)
    largest = Math.max(largest, norm(rows.subarray(start, start + width)))
  return largest
}

/** The best value of any function of the input. */
export interface FunctionSpaceOptimum {
  readonly value: number
  /** Whether finite outputs attain it: cross-entropy on a class that never or always occurs drives scores to infinity. */
  readonly attained: boolean
}

/** Σ_j inf_q Σ_{i ∈ group j} ℓ(q, y_i), divided as the loss is; null where no closed form is known. */
export function functionSpaceOptimum(loss: Loss, groups: InputGroups): FunctionSpaceOptimum | null {
  const { name } = loss.spec
  const { targets, rows, width } = groupTargets(loss)
  const weights = loss.dataset.sampleWeights ?? new Float64Array(loss.samples).fill(1)
  const mass = new Float64Array(groups.count)
  const means = new Float64Array(groups.count * width)
  for (let i = 0; i < loss.samples; i++) {
    const g = groups.groupOf[i]
    mass[g] += weights[i]
    for (let c = 0; c < width; c++) means[g * width + c] += weights[i] * targets[rows(i) + c]
  }
  for (let g = 0; g < groups.count; g++) for (let c = 0; c < width; c++) means[g * width + c] /= mass[g] || 1
  let sum = 0
  for (let i = 0; i < loss.samples; i++) {
    const g = groups.groupOf[i]
    for (let c = 0; c < width; c++) {
      const [y, mean] = [targets[rows(i) + c], means[g * width + c]]
      if (name === 'cross-entropy') sum += weights[i] * entropyTerm(y, mean)
      else if (name === 'binary-cross-entropy')
        sum += weights[i] * (entropyTerm(y, mean) + entropyTerm(1 - y, 1 - mean))
      else if (name === 'mse' || name === 'squared') sum += weights[i] * (y - mean) ** 2
      else if (name === 'half-sum-squares') sum += (weights[i] * (y - mean) ** 2) / 2
      else if (Math.abs(y - mean) > 1e-15 * Math.abs(mean)) return null
    }
  }
  const entropic = name === 'cross-entropy' || name === 'binary-cross-entropy'
  const attained = !entropic || means.every((q) => q > 0 && q < 1)
  return { value: sum / loss.normalizer, attained }
}

/** −y ln q, 0 for y = 0. */
function entropyTerm(y: number, q: number): number {
  return y === 0 ? 0 : -y * Math.log(q)
}

/** Targets as rows of numbers: class probabilities (smoothed), or values. */
function groupTargets(loss: Loss): { targets: Float64Array; width: number; rows: (i: number) => number } {
  const k = sizeOf(loss.model.outputShape)
  const { targets } = loss.dataset
  const n = loss.samples
  const s = loss.spec.labelSmoothing ?? 0
  let values: Float64Array
  if (targets.dtype !== 'int64') values = numbersOf(targets).slice()
  else if (k === 1) values = numbersOf(targets)
  else {
    values = new Float64Array(n * k)
    numbersOf(targets).forEach((label, i) => (values[i * k + label] = 1))
  }
  if (s > 0) values = values.map((t) => (1 - s) * t + s / k)
  return { targets: values, width: k, rows: (i) => i * k }
}

/** Whether the outputs are affine in the parameters: their derivative along a direction does not depend on θ. Then every
 * loss that is convex in the outputs is convex in θ. Read off the graph, so it is a proof. */
export function isAffineModel(model: Model): boolean {
  const theta = model.parameters.map((p, i) => input(`p${i}`, 'float64', p.shape))
  const direction = model.parameters.map((p, i) => input(`v${i}`, 'float64', p.shape))
  const inputs = model.inputs.map((x) => input(`x_${x.name}`, inputDType(x, 'float64'), [2, ...x.shape]))
  const outputs = model.forward(theta, inputs)
  const [tangent] = jvp(
    [outputs],
    theta.map((t, i): [Expr, Expr] => [t, direction[i]]),
  )
  return !dependents(topologicalOrder([tangent]), theta).has(tangent)
}

export function isConvexLoss(loss: Loss): boolean {
  return convexLosses.has(loss.spec.name) || loss.spec.name === 'negative-log-likelihood'
}

export interface NearInfimum {
  /** L(θ) minus the infimum over all functions: a bound of what any θ could still gain. */
  readonly gap: number
  /** That infimum: 0 for consistent labels, else the entropy of the labels within groups of equal inputs. */
  readonly infimum: number
  /** Whether labels are hard and equal inputs have equal ones. */
  readonly consistent: boolean
  /** Of consistent labels: the margin by which all samples are classified right, at least; where it is positive, scaling up the
   * last layer drives the loss to 0, which is the infimum of this very model. NaN elsewhere. */
  readonly marginMin: number
  /** L after doubling the last layer, where the model has one that is linear and the margin is positive; null otherwise. */
  readonly lossDoubled: number | null
}

/** The gap to an infimum of cross-entropy that no finite θ attains: 0 on consistent hard labels, and the entropy within groups
 * of equal inputs where some group lacks a class (then its scores want to be infinite). Null for other losses, where all
 * classes occur in every group or are smoothed, and with weight decay. */
export async function nearInfimum(loss: Loss, theta: Float64Array, value: number): Promise<NearInfimum | null> {
  const { name, labelSmoothing } = loss.spec
  if (loss.weightDecay > 0 || (labelSmoothing ?? 0) > 0) return null
  if (name !== 'cross-entropy' && name !== 'binary-cross-entropy') return null
  const groups = inputGroups(loss)
  const best = functionSpaceOptimum(loss, groups)
  if (!best || best.attained) return null
  const common = { gap: Math.max(0, value - best.value), infimum: best.value }
  if (!consistentLabels(loss, groups)) return { ...common, consistent: false, marginMin: Number.NaN, lossDoubled: null }
  const { targets, width } = groupTargets(loss)
  const outputs = await loss.outputs(theta)
  let marginMin = Number.POSITIVE_INFINITY
  for (let i = 0; i < loss.samples; i++)
    marginMin = Math.min(marginMin, margin(outputs, targets, i * width, width, name))
  return { ...common, consistent: true, marginMin, lossDoubled: marginMin > 0 ? await doubled(loss, theta) : null }
}

function consistentLabels(loss: Loss, groups: InputGroups): boolean {
  const { targets, width, rows } = groupTargets(loss)
  if (targets.some((t) => t !== 0 && t !== 1)) return false
  const first = new Int32Array(groups.count).fill(-1)
  for (let i = 0; i < loss.samples; i++) {
    const g = groups.groupOf[i]
    if (first[g] < 0) first[g] = i
    for (let c = 0; c < width; c++) if (targets[rows(i) + c] !== targets[rows(first[g]) + c]) return false
  }
  return true
}

function margin(outputs: Float64Array, targets: Float64Array, at: number, width: number, name: string): number {
  let [own, other] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let smallest = Number.POSITIVE_INFINITY
  for (let c = 0; c < width; c++) {
    const z = outputs[at + c]
    if (targets[at + c] === 1) own = Math.max(own, z)
    else other = Math.max(other, z)
    smallest = Math.min(smallest, targets[at + c] === 1 ? z : -z)
  }
  return name === 'binary-cross-entropy' ? smallest : own - other
}

async function doubled(loss: Loss, theta: Float64Array): Promise<number | null> {
  const last = fullyConnected(loss.model)?.layers.at(-1)
  if (!last) return null
  const scaled = theta.slice()
  for (let i = 0; i < last.inputs * last.outputs; i++) scaled[last.weight + i] *= 2
  for (let i = 0; last.bias !== null && i < last.outputs; i++) scaled[last.bias + i] *= 2
  return loss.value(scaled)
}

/** Bound of L(θ) − min L for a convex objective with modulus μ: ‖∇L‖² / (2μ). */
export function strongConvexityGap(gradientNorm: number, modulus: number): number {
  return gradientNorm ** 2 / (2 * modulus)
}

/** Whether a value equals a lower bound to rounding. */
export function equalsBound(value: number, bound: number, noise: NoiseFloor): boolean {
  return value - bound <= 10 * noise.value
}
