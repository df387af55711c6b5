import { constant, evaluate, numbersOf, sizeOf, tensor } from '@thalweg/graph'
import { matmulTransposedLeft, matmulTransposedRight, matrix, zeros } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { symmetricEigen, symmetricEigenvalues } from '../../linalg/symmetric-eigen.ts'
import { norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/loss.ts'
import { activationNamed } from '../../model/activation.ts'
import type { ActivationName } from '../../model/activation.ts'
import { fullyConnected, weightEntry } from './fully-connected.ts'
import type { DenseLayer } from './fully-connected.ts'

/** Whether a minimum of zero loss is proved to lie near θ. */
export interface InterpolationCertificate {
  readonly outcome:
    | 'proved'
    /** No radius works with this Lipschitz bound. */
    | 'no-ball'
    /** J Jᵀ is singular to rounding at θ. */
    | 'singular'
    /** No Lipschitz bound is known for this network. */
    | 'no-bound'
  /** λ_min(J Jᵀ) at θ, less its rounding. */
  readonly lambdaMin: number
  /** ‖f(θ) − y‖ over all samples and outputs, without any factor of the loss. */
  readonly residualNorm: number
  /** Proved: the ball around θ, λ_min(J Jᵀ) ≥ μ on it, and the Lipschitz constant of J there. */
  readonly radius: number | null
  readonly mu: number | null
  readonly lipschitz: number | null
  /** The largest residual that this bound could certify at θ; null where there is no bound. */
  readonly residualMax: number | null
}

/** sup |σ′| and a Lipschitz constant of σ′, on the whole line. */
const slopes: Readonly<Partial<Record<ActivationName, readonly [slope: number, curvature: number]>>> = {
  linear: [1, 0],
  tanh: [1, 4 / Math.sqrt(27)],
  sigmoid: [0.25, Math.sqrt(3) / 18],
  softplus: [1, 0.25],
  erf: [2 / Math.sqrt(Math.PI), Math.sqrt(8 / (Math.PI * Math.E))],
  sin: [1, 1],
  elu: [1, 1],
  softsign: [1, 2],
  gelu: [1.129, 0.7979],
  silu: [1.0999, 0.5001],
}

const epsilon = 2 ** -52
/** Rows and entries of J beyond which J Jᵀ is not formed: 256 MiB. */
const rowsMax = 600
const entriesMax = 2 ** 25
/** Computed norms are enlarged by this much, far above the rounding of the norms of these sizes. */
const slack = 1 + 1e-9

/** Whether the interpolation certificate applies: for a squared loss without regularizer, residual r = f(θ) − y and Jacobian
 * J of all outputs by θ,
 *
 *      λ_min(J Jᵀ) ≥ μ > 0 on the ball of radius R ≥ 2‖r‖/√μ around θ   ⟹   f(θ*) = y for some θ* in the ball
 *
 * (along the gradient flow of ½‖r‖² its norm falls at least at the rate √μ per unit of length, so the flow ends at r = 0
 * within ‖r‖/√μ). The bound on the ball is proved, not sampled: √λ_min ≥ σ_min(J(θ)) − R·Λ(R), where Λ bounds the
 * derivative of J over the ball for fully connected networks with a bounded and Lipschitz σ′ and a linear last layer: with R-dependent norms of
 * weights and activations, per sample and layer (a = ‖(h,1)‖, w = ‖W‖₂, κ = largest column norm, β = sup|σ′|, γ = Lip σ′)
 *
 *      ‖D z_l[u]‖ ≤ Σ_m c_l[m]‖u_m‖ ,           c_l = w_l β c_{l−1} + a_l e_l
 *      ‖D²z_l[u,v]‖ ≤ uᵀM_l v ,                  M_l = w_l β M_{l−1} + β(e_l c_{l−1}ᵀ + c_{l−1} e_lᵀ) + γ κ_l c_{l−1}c_{l−1}ᵀ
 *
 * (the last term: ‖W(s∘t)‖ ≤ κ ‖s∘t‖₁ ≤ κ ‖s‖‖t‖), Λ² = Σ_i ‖M_L(x_i)‖². With weights w_i of samples the flow of the loss
 * may be longer by √(max w_i/min w_i), and R is by as much, so that the flow stays in the ball, too. Rounding is covered by
 * small enlargements, not by directed rounding.
 * @returns null where the question makes no sense: another loss, weight decay, more outputs than parameters or `rowsMax`, or
 * a Jacobian of more than 256 MiB.
 * Cost: n·k products with Jᵀ, O((nk)² p). Source: Liu, Zhu, Belkin 2022 (the condition); the bound is elementary. */
export async function interpolationCertificate(
  loss: Loss,
  theta: Float64Array,
): Promise<InterpolationCertificate | null> {
  const squared = ['mse', 'squared', 'half-sum-squares'].includes(loss.spec.name)
  const k = sizeOf(loss.model.outputShape)
  const rows = loss.samples * k
  if (!squared || loss.weightDecay > 0 || rows > Math.min(rowsMax, loss.size, entriesMax / loss.size)) return null
  const { targets: wanted, sampleWeights } = loss.dataset
  if (wanted.dtype === 'int64' || sampleWeights?.some((w) => !(w > 0))) return null
  const outputs = await loss.outputs(theta)
  const targets = numbersOf(wanted)
  const residualNorm = norm(outputs.map((f, i) => f - targets[i])) * slack
  const lambdaMin = await smallestGramEigenvalue(new LossPoint(loss, theta), rows)
  const none = { lambdaMin, residualNorm, radius: null, mu: null, lipschitz: null, residualMax: null }
  if (!(lambdaMin > 0)) return { outcome: 'singular', ...none }
  const bound = jacobianBound(loss, theta, outputs)
  if (!bound) return { outcome: 'no-bound', ...none }
  return { ...none, ...ballOf(bound, Math.sqrt(lambdaMin), residualNorm, imbalanceOf(sampleWeights)) }
}

/** √(max w_i/min w_i). */
function imbalanceOf(weights: Float64Array | undefined): number {
  return weights ? Math.sqrt(weights.reduce((a, b) => Math.max(a, b)) / weights.reduce((a, b) => Math.min(a, b))) : 1
}

/** λ_min(J Jᵀ) − rounding. */
async function smallestGramEigenvalue(point: LossPoint, rows: number): Promise<number> {
  const p = point.theta.length
  const jacobian = zeros(rows, p)
  const batch = 64
  for (let start = 0; start < rows; start += batch) {
    const count = Math.min(batch, rows - start)
    const unit = new Float64Array(count * rows)
    for (let r = 0; r < count; r++) unit[r * rows + start + r] = 1
    jacobian.data.set(await point.jacobianTransposed(unit, count), start * p)
  }
  const { values } = symmetricEigen(matmulTransposedRight(jacobian, jacobian))
  return values[0] - 100 * (rows + Math.sqrt(p)) * epsilon * values[rows - 1]
}

/** The ball of the largest certified residual, or the smallest ball that certifies this one. */
function ballOf(
  lipschitzOn: (radius: number) => number,
  sigma: number,
  residualNorm: number,
  imbalance: number,
): Pick<InterpolationCertificate, 'outcome' | 'radius' | 'mu' | 'lipschitz' | 'residualMax'> {
  const residual = residualNorm * imbalance
  let residualMax = 0
  // Rounding of θ and f would not even resolve smaller balls.
  for (let radius = Math.max((2 * residual) / sigma, 1e-12 * sigma), i = 0; i < 400; i++, radius *= 1.05) {
    const lipschitz = lipschitzOn(radius)
    const root = sigma - radius * lipschitz
    if (root <= 0) break
    residualMax = Math.max(residualMax, (radius * root) / (2 * imbalance))
    if (radius * root >= 2 * residual) return { outcome: 'proved', radius, mu: root ** 2, lipschitz, residualMax }
  }
  // Where the smallest ball is already too large, smaller ones tell how small the residual would have to be.
  for (let radius = (2 * residual) / sigma, i = 0; i < 600; i++, radius /= 1.05)
    residualMax = Math.max(residualMax, (radius * (sigma - radius * lipschitzOn(radius))) / (2 * imbalance))
  return { outcome: 'no-ball', radius: null, mu: null, lipschitz: lipschitzOn(0), residualMax }
}

interface LayerNorms {
  readonly operator: number
  readonly column: number
  readonly bias: number
}

/** Λ(R), or null where the network is not of the class. */
function jacobianBound(loss: Loss, theta: Float64Array, outputs: Float64Array): ((radius: number) => number) | null {
  const network = fullyConnected(loss.model)
  const pair = network && slopes[network.activation as ActivationName]
  if (!network || !pair || network.skip || !network.linearOutput) return null
  const { layers } = network
  const hidden = activationNormsOf(loss, layers, network.activation as ActivationName, theta, outputs)
  if (!hidden) return null
  const norms = layers.map((layer): LayerNorms => {
    const w = weightsOf(layer, theta)
    let column = 0
    for (let c = 0; c < w.cols; c++) {
      let squares = 0
      for (let r = 0; r < w.rows; r++) squares += w.data[r * w.cols + c] ** 2
      column = Math.max(column, Math.sqrt(squares))
    }
    return { operator: operatorNorm(w) * slack, column: column * slack, bias: layer.bias === null ? 0 : 1 }
  })
  return (radius) => {
    let squares = 0
    for (const sizes of hidden) squares += sampleBound(norms, sizes, pair, radius) ** 2
    return Math.sqrt(squares) * slack
  }
}

/** ‖W‖₂, from the smaller of WᵀW and W Wᵀ. */
function operatorNorm(w: Matrix): number {
  const values = symmetricEigenvalues(w.rows < w.cols ? matmulTransposedRight(w, w) : matmulTransposedLeft(w, w))
  return Math.sqrt(Math.max(0, values[values.length - 1]))
}

function weightsOf(layer: DenseLayer, theta: Float64Array): Matrix {
  const w = zeros(layer.outputs, layer.inputs)
  for (let to = 0; to < layer.outputs; to++)
    for (let from = 0; from < layer.inputs; from++)
      w.data[to * layer.inputs + from] = theta[weightEntry(layer, to, from)]
  return w
}

/** ‖M_L‖ for one sample; `sizes` are ‖h_0‖, …, ‖h_{L−1}‖ at the center. */
function sampleBound(
  norms: readonly LayerNorms[],
  sizes: readonly number[],
  [slope, curvature]: readonly [number, number],
  radius: number,
): number {
  const depth = norms.length
  let moved = 0
  let c = new Float64Array(depth)
  const m = zeros(depth, depth)
  for (let l = 0; l < depth; l++) {
    const { operator, column, bias } = norms[l]
    const w = operator + radius
    for (let i = 0; i < depth; i++)
      for (let j = 0; j < depth; j++)
        m.data[i * depth + j] =
          w * slope * m.data[i * depth + j] +
          slope * ((i === l ? c[j] : 0) + (j === l ? c[i] : 0)) +
          curvature * (column + radius) * c[i] * c[j]
    const next = c.map((x) => w * slope * x)
    next[l] = Math.hypot(sizes[l] + moved, bias)
    // ‖z_l − z_l(center)‖ ≤ R ‖(h, 1)‖ + w ‖h_{l−1} − h_{l−1}(center)‖
    moved = slope * (radius * Math.hypot(sizes[l], bias) + w * moved)
    c = next
  }
  // The first layer has no curvature before its activation: c is zero when it is reached.
  const { values } = symmetricEigen(m)
  return Math.max(...values.map(Math.abs))
}

/** ‖h_l(x_i)‖ per sample and layer at θ; null where this forward pass does not give the outputs of the model. */
function activationNormsOf(
  loss: Loss,
  layers: readonly DenseLayer[],
  activation: ActivationName,
  theta: Float64Array,
  outputs: Float64Array,
): number[][] | null {
  const inputs = Object.values(loss.dataset.inputs)
  const n = loss.samples
  if (inputs.length !== 1 || sizeOf(inputs[0].shape) !== n * layers[0].inputs) return null
  let h = matrix(n, layers[0].inputs, numbersOf(inputs[0]).slice())
  const sizes = Array.from({ length: n }, () => [] as number[])
  for (const [l, layer] of layers.entries()) {
    for (let i = 0; i < n; i++) sizes[i].push(norm(h.data.subarray(i * h.cols, (i + 1) * h.cols)) * slack)
    const z = matmulTransposedRight(h, weightsOf(layer, theta))
    for (let i = 0; i < z.data.length && layer.bias !== null; i++) z.data[i] += theta[layer.bias + (i % layer.outputs)]
    const sigma = activationNamed(activation)
    h = l === layers.length - 1 ? z : { ...z, data: applied(sigma, z.data) }
  }
  const scale = outputs.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0)
  return h.data.every((v, i) => Math.abs(v - outputs[i]) <= 1e-9 * Math.max(1e-300, scale)) ? sizes : null
}

function applied(sigma: ReturnType<typeof activationNamed>, values: Float64Array): Float64Array {
  return numbersOf(evaluate([sigma(constant(tensor('float64', [values.length], values)))])[0]).slice()
}
