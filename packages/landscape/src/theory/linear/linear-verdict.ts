import {
  DomainError,
  ShapeError,
  UnsupportedError,
  dependents,
  input as placeholder,
  jvp,
  topologicalOrder,
} from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { frobenius, matmul, matrix, transpose, zeros } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import type { LossSpec } from '../../loss/index.ts'
import type { Model } from '../../model/index.ts'
import type { LinearClassification } from './classify-linear-point.ts'
import { classifyLinearPoint } from './classify-linear-point.ts'
import type { LinearProblem, LinearProblemOptions } from './linear-problem.ts'
import { linearProblemFromRows } from './linear-problem.ts'

/** What a linear network's parameters are: W_1, (b_1), W_2, (b_2), … in the order of θ. */
export interface LinearArchitecture {
  readonly widths: readonly number[]
  /** Whether layer k has a bias, [L]. */
  readonly biases: readonly boolean[]
}

/** The linear network that a model is, or `undefined` if it is not one: a fully connected one without activations and skip
 * connections. Read off the graph that its outputs are affine in the inputs, so an output activation is not missed. */
export function linearArchitectureOf(model: Model): LinearArchitecture | undefined {
  const { architecture } = model
  if (architecture.kind !== 'mlp' || architecture.activation !== 'linear' || architecture.skip) return undefined
  if (!isAffineInInputs(model)) return undefined
  return { widths: architecture.widths, biases: architecture.widths.slice(1).map(() => architecture.bias) }
}

/** Whether the derivative of the outputs along a direction of the inputs does not depend on the inputs. */
export function isAffineInInputs(model: Model): boolean {
  const theta = model.parameters.map((p, i) => placeholder(`p${i}`, 'float64', p.shape))
  const inputs = model.inputs.map((x) => placeholder(`x_${x.name}`, 'float64', [2, ...x.shape]))
  const directions = model.inputs.map((x) => placeholder(`v_${x.name}`, 'float64', [2, ...x.shape]))
  const outputs = model.forward(theta, inputs)
  const [tangent] = jvp(
    [outputs],
    inputs.map((x, i): [Expr, Expr] => [x, directions[i]]),
  )
  return !dependents(topologicalOrder([tangent]), inputs).has(tangent)
}

/** What the half-sum loss ½ Σ‖ŷ − y‖² is multiplied by to give another squared loss:
 * 2 or 2/n for `squared`, 2 or 2/(n k) for `mse` (sum or mean), 1 for `half-sum-squares`.
 * @param weightSum  the number of samples n, or the sum of their weights.
 * @throws {UnsupportedError} for a loss that is not a squared one. */
export function halfSumFactor(loss: Pick<LossSpec, 'name' | 'reduction'>, weightSum: number, outputs: number): number {
  if (loss.name === 'half-sum-squares') return 1
  if (loss.name !== 'mse' && loss.name !== 'squared') {
    throw new UnsupportedError(
      `linear network: the closed form is for squared losses, got ${loss.name}. Use mse, squared or half-sum-squares.`,
    )
  }
  if (loss.reduction === 'sum') return 2
  return loss.name === 'mse' ? 2 / (weightSum * outputs) : 2 / weightSum
}

export interface LinearVerdictInput extends LinearArchitecture {
  /** Samples in rows: x [n × d_x], y [n × d_y]. */
  readonly x: Matrix
  readonly y: Matrix
  readonly sampleWeights?: Float64Array
  readonly theta: Float64Array
  readonly loss: Pick<LossSpec, 'name' | 'reduction'>
  /** A regularizer voids the closed form; default 0. */
  readonly weightDecay?: number
  /** The loss at θ as the model itself computes it: checked against the linear network's, so that a model that was taken for
   * one by its description alone (an output activation, say) gets no certificate. */
  readonly measuredLoss?: number
}

/** The closed-form certificate of a linear network. Losses are in the convention of `loss`, unless they say half-sum. */
export interface LinearVerdict {
  /** As `LinearClassification`; `value-only` with biases that the description of critical points does not cover. */
  readonly kind: LinearClassification['kind'] | 'value-only'
  readonly loss: number
  readonly globalMinimum: number
  /** loss − globalMinimum, at least 0 up to rounding. */
  readonly gap: number
  /** S and |S| of the class, where the point is critical. */
  readonly subset?: readonly number[]
  readonly rank?: number
  /** L_S of that class. */
  readonly classLoss?: number
  /** Half-sum loss · `factor` = loss. */
  readonly convention: { readonly name: string; readonly reduction: string; readonly factor: number }
  readonly biases: 'none' | 'output' | 'other'
  /** ‖∂L/∂b‖ of an output bias. */
  readonly biasGradientNorm?: number
  /** The bias-free problem that was solved: of centered data with an output bias, of data with a constant input where hidden
   * biases reach the output only through the narrowest layer. */
  readonly problem: LinearProblem
  readonly classification?: LinearClassification
  /** One sentence. */
  readonly statement: string
  readonly warnings: readonly string[]
}

/** Where a linear network stands, by theory.
 *
 * Without biases, or with an output bias b alone, the point is classified: at the optimal b = ȳ − P x̄ the loss is the
 * bias-free one of centered data, and the bias adds d_y positive eigenvalues to the Hessian. Hidden biases only change which
 * affine maps can be reached: then there is the global minimum and the gap to it.
 *
 * @throws {ShapeError} if θ does not fit; {DomainError} with weight decay, unfit data or another
 * `measuredLoss`; {UnsupportedError} for other losses. */
export function linearVerdict(
  input: LinearVerdictInput,
  options: LinearProblemOptions & { parametersMax?: number } = {},
): LinearVerdict {
  const { widths, x, y, sampleWeights, loss, weightDecay = 0 } = input
  if (weightDecay !== 0) {
    throw new DomainError(`linearVerdict: the closed form covers no regularizer, got weight decay ${weightDecay}.`)
  }
  const { weights, biases } = splitTheta(input)
  const kind = biasKind(input.biases)
  const { parametersMax, ...tolerances } = options
  const means = kind === 'none' ? undefined : weightedMeans(x, y, sampleWeights)
  const problem = problemFor(input, kind, means, tolerances)
  const weightSum = sampleWeights ? sampleWeights.reduce((s, w) => s + w, 0) : x.rows
  const factor = halfSumFactor(loss, weightSum, widths[widths.length - 1])
  const halfSum = halfSumLoss(input, weights, biases)
  requireSameLoss(factor * halfSum, input.measuredLoss)
  const gap = halfSum - problem.globalMinimum
  const common = {
    loss: factor * halfSum,
    globalMinimum: factor * problem.globalMinimum,
    gap: factor * gap,
    convention: { name: loss.name, reduction: loss.reduction, factor },
    biases: kind,
    problem,
    warnings: problem.assumptions.warnings,
  }
  if (kind === 'other')
    return { ...common, kind: 'value-only', statement: gapSentence(common.gap, common.globalMinimum) }
  const classification = classifyLinearPoint(problem, weights, parametersMax === undefined ? {} : { parametersMax })
  const bias = means && biasGradient(weights, biases, means, weightSum)
  const resting = !bias || bias.relative <= 1e-3
  const verdict = resting ? classification.kind : 'not-critical'
  const atClass = resting && classification.subset !== undefined
  return {
    ...common,
    kind: verdict,
    ...(atClass && {
      subset: classification.subset,
      rank: classification.rank,
      classLoss: factor * classification.classLoss!,
    }),
    ...(bias && { biasGradientNorm: factor * bias.norm }),
    classification,
    statement: sentence(verdict, common, classification),
  }
}

function biasKind(biases: readonly boolean[]): LinearVerdict['biases'] {
  if (!biases.includes(true)) return 'none'
  return biases.indexOf(true) === biases.length - 1 ? 'output' : 'other'
}

function splitTheta({ widths, biases, theta }: LinearVerdictInput): { weights: Matrix[]; biases: Float64Array[] } {
  if (biases.length !== widths.length - 1) {
    throw new ShapeError(
      `linearVerdict: biases must say yes or no for ${widths.length - 1} layers, got ${biases.length}.`,
    )
  }
  const size = widths.slice(1).reduce((s, d, k) => s + d * widths[k] + (biases[k] ? d : 0), 0)
  if (theta.length !== size) {
    throw new ShapeError(`linearVerdict: θ must have ${size} entries for widths [${widths}], got ${theta.length}.`)
  }
  let start = 0
  const take = (count: number): Float64Array => theta.slice(start, (start += count))
  const weights: Matrix[] = []
  const shifts: Float64Array[] = []
  widths.slice(1).forEach((rows, k) => {
    weights.push(matrix(rows, widths[k], take(rows * widths[k])))
    shifts.push(biases[k] ? take(rows) : new Float64Array(rows))
  })
  return { weights, biases: shifts }
}

interface Means {
  readonly x: Float64Array
  readonly y: Float64Array
}

function weightedMeans(x: Matrix, y: Matrix, sampleWeights?: Float64Array): Means {
  const weight = (i: number): number => sampleWeights?.[i] ?? 1
  let total = 0
  for (let i = 0; i < x.rows; i++) total += weight(i)
  const mean = (a: Matrix): Float64Array => {
    const sum = new Float64Array(a.cols)
    for (let i = 0; i < a.rows; i++) for (let j = 0; j < a.cols; j++) sum[j] += weight(i) * a.data[i * a.cols + j]
    return sum.map((s) => s / total)
  }
  return { x: mean(x), y: mean(y) }
}

/** The bias-free problem whose global minimum is that of the network.
 *
 * Affine maps x → P x + c of an L-layer network: rank P ≤ p, the narrowest width. An output bias, or one at a hidden layer
 * after which every layer is wider than p, leaves c free: centered data. Else c goes through a layer of width p as P does, so
 * rank [P c] ≤ p: a constant input. */
function problemFor(
  { widths, biases, x, y, sampleWeights }: LinearVerdictInput,
  kind: LinearVerdict['biases'],
  means: Means | undefined,
  options: LinearProblemOptions,
): LinearProblem {
  const all = { ...options, ...(sampleWeights && { sampleWeights }) }
  if (!means) return linearProblemFromRows(x, y, widths, all)
  const narrowest = Math.min(...widths.slice(1, -1), Number.POSITIVE_INFINITY)
  const free = biases.some(
    (has, k) => has && Math.min(...widths.slice(k + 1, -1), Number.POSITIVE_INFINITY) > narrowest,
  )
  if (kind === 'output' || biases[biases.length - 1] || free || narrowest >= widths[widths.length - 1]) {
    return linearProblemFromRows(centered(x, means.x), centered(y, means.y), widths, all)
  }
  const extended = zeros(x.rows, x.cols + 1)
  for (let i = 0; i < x.rows; i++) {
    extended.data.set(x.data.subarray(i * x.cols, (i + 1) * x.cols), i * extended.cols)
    extended.data[i * extended.cols + x.cols] = 1
  }
  return linearProblemFromRows(extended, y, [widths[0] + 1, ...widths.slice(1)], all)
}

function centered(a: Matrix, mean: Float64Array): Matrix {
  return { ...a, data: a.data.map((entry, i) => entry - mean[i % a.cols]) }
}

/** ½ Σ_i w_i ‖ŷ_i − y_i‖² of the whole network, biases included. */
function halfSumLoss(
  { x, y, sampleWeights }: LinearVerdictInput,
  weights: readonly Matrix[],
  biases: readonly Float64Array[],
): number {
  let signal = transpose(x)
  weights.forEach((w, k) => {
    signal = matmul(w, signal)
    for (let j = 0; j < signal.rows; j++) for (let i = 0; i < x.rows; i++) signal.data[j * x.rows + i] += biases[k][j]
  })
  const residual = transpose(signal)
  for (let i = 0; i < residual.data.length; i++) {
    const weight = sampleWeights?.[Math.floor(i / y.cols)] ?? 1
    residual.data[i] = (residual.data[i] - y.data[i]) * Math.sqrt(weight)
  }
  return frobenius(residual) ** 2 / 2
}

function requireSameLoss(expected: number, measured: number | undefined): void {
  if (measured === undefined || Math.abs(measured - expected) <= 1e-9 * Math.max(Math.abs(expected), 1)) return
  throw new DomainError(
    `linearVerdict: the model must be the linear network of these widths, got loss ${measured} where that has ${expected}.`,
  )
}

/** ∂/∂b of the half-sum loss: n (P x̄ + b − ȳ); relative to n (‖P x̄‖ + ‖b‖ + ‖ȳ‖). */
function biasGradient(
  weights: readonly Matrix[],
  biases: readonly Float64Array[],
  means: Means,
  weightSum: number,
): { norm: number; relative: number } {
  let image: Matrix = { rows: means.x.length, cols: 1, data: means.x }
  for (const w of weights) image = matmul(w, image)
  const shift = biases[biases.length - 1]
  const length = (v: Float64Array): number => Math.hypot(...v)
  const defect = length(shift.map((b, j) => image.data[j] + b - means.y[j]))
  const size = length(image.data) + length(shift) + length(means.y)
  return { norm: weightSum * defect, relative: size === 0 ? 0 : defect / size }
}

function gapSentence(gap: number, globalMinimum: number): string {
  return `The loss is ${gap.toPrecision(3)} above the global minimum ${globalMinimum.toPrecision(6)}; hidden biases leave the kind of the point open.`
}

function sentence(
  kind: LinearVerdict['kind'],
  { gap, globalMinimum }: Pick<LinearVerdict, 'gap' | 'globalMinimum'>,
  { subset, rank }: LinearClassification,
): string {
  const above = `${gap.toPrecision(3)} above the global minimum ${globalMinimum.toPrecision(6)}`
  const place = `the class S = {${subset ?? ''}} of rank ${rank}`
  switch (kind) {
    case 'global-minimum':
      return `Global minimum by the closed form: ${place}, loss within ${Math.abs(gap).toPrecision(2)} of ${globalMinimum.toPrecision(6)}.`
    case 'strict-saddle':
      return `Strict saddle of ${place}, ${above}: there is a direction of negative curvature.`
    case 'non-strict-saddle':
      return `Non-strict saddle of ${place}, ${above}: no negative curvature, and still no minimum.`
    case 'undecided':
      return `Critical, ${above}, but ranks and spectrum do not settle the kind.`
    default:
      return `Not at a critical point; ${above}.`
  }
}
