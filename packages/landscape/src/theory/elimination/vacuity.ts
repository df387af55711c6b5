import { numbersOf, sizeOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { isAffineModel } from '../../critical/evidence/certificates.ts'
import { leastSquares } from '../../linalg/svd.ts'
import { matrix } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { maxNorm, norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/loss.ts'
import { linearProblemFromRows } from '../linear/linear-problem.ts'
import type { LinearArchitecture } from '../linear/linear-verdict.ts'
import { recognizeLinearNetwork } from '../linear/recognize-linear-network.ts'
import { functionOptimum } from './function-optimum.ts'
import type { FunctionOptimum } from './function-optimum.ts'
import { squareScale } from './square-scale.ts'

/** What theory says before anything is computed. */
export interface Vacuity {
  /** Whether the theorem covers the loss: convex and differentiable in the outputs, bounded below. */
  readonly applies: boolean
  /** Whether it is proved that the modified loss has no local minimum at all. */
  readonly vacuous: boolean
  readonly reason:
    | 'not-differentiable'
    | 'unbounded'
    | 'infimum-not-attained'
    | 'cannot-interpolate'
    | 'weight-decay'
    | 'fewer-parameters'
    | null
  /** One or two sentences. */
  readonly statement: string
  /** What is worth trying. */
  readonly advice: readonly string[]
  readonly optimum: FunctionOptimum
}

/** Decides, where it can be decided, whether the modified loss has local minima. By Theorem E they are the points with
 * a = 0 and L(θ) = L_func, so there are none where no θ has that value:
 *
 *  - the infimum over all functions is not attained: cross-entropy on labels that are consistent somewhere;
 *  - the model is affine in its parameters, or linear in its inputs, and least squares leaves a larger error;
 *  - weight decay: a local minimum would have ∇L(θ) = 0 and so Vθ = 0.
 *
 * A model with fewer parameters than output values fits only special targets; that is said, not concluded. */
export async function vacuityOf(loss: Loss): Promise<Vacuity> {
  const optimum = functionOptimum(loss)
  const { name, power = 1 } = loss.spec
  const say = (reason: Vacuity['reason'], vacuous: boolean, statement: string, ...advice: string[]): Vacuity => ({
    applies: reason !== 'not-differentiable' && reason !== 'unbounded',
    vacuous,
    reason,
    statement,
    advice,
    optimum,
  })
  if (name === 'l1' || (name === 'hinge' && power <= 1))
    return say(
      'not-differentiable',
      false,
      `${name} is not differentiable in the outputs: the theorem does not cover it.`,
      name === 'hinge' ? 'Use --power 2 or more.' : 'Use huber or squared.',
    )
  if (name === 'negative-log-likelihood')
    return say(
      'unbounded',
      false,
      'The negative log-likelihood of free outputs has no lower bound: the theorem does not cover it.',
      'Let the loss read the scores before LogSoftmax and use cross-entropy.',
    )
  if (optimum.attained === false)
    return say(
      'infimum-not-attained',
      true,
      `With ${name} and labels that some inputs have without contradiction no function attains the infimum ${optimum.value}: the modified loss has no local minimum, and every descent of it runs to infinity.`,
      'A loss with a minimizer: --loss hinge --power 3, squared, or cross-entropy with --label-smoothing.',
      'The value itself is the certificate here: thalweg diagnose reports near-infimum with its gap.',
    )
  if (loss.weightDecay > 0)
    return say(
      'weight-decay',
      true,
      `With weight decay ${loss.weightDecay} a local minimum of the modified loss needs optimal outputs at θ = 0: in general there is none.`,
      'Run without weight decay and add it again from the point that is found.',
    )
  const bound = await lowerBound(loss)
  if (bound !== null && optimum.value !== null && bound.value > optimum.value + 1e-9 * bound.value + bound.rounding)
    return say(
      'cannot-interpolate',
      true,
      `The model cannot represent the data: its best value is at least ${bound.value}, the best of all functions ${optimum.value}. The modified loss has no local minimum.`,
      'A wider network, or a non-linear one.',
    )
  const constraints = optimum.groups.count * sizeOf(loss.model.outputShape)
  if (loss.size < constraints && name !== 'hinge')
    return say(
      'fewer-parameters',
      false,
      `${loss.size} parameters face ${constraints} output values: for almost all targets no θ attains the optimum of all functions, and then the modified loss has no local minimum. Targets that this model can produce are the exception.`,
      'A wider network: elimination certifies only interpolation.',
    )
  return say(
    null,
    false,
    'Local minima of the modified loss are exactly the points with a = 0 where the model is optimal among all functions.',
  )
}

interface LowerBound {
  readonly value: number
  /** What rounding leaves of a squared residual that is zero. */
  readonly rounding: number
}

/** A lower bound of L over all θ for squared losses of models that are affine in θ or linear in x; null otherwise. */
async function lowerBound(loss: Loss): Promise<LowerBound | null> {
  const scale = squareScale(loss)
  if (scale === null || loss.dataset.sampleWeights || loss.samples * sizeOf(loss.model.outputShape) > 4000) return null
  const rounding = 1e-20 * scale * norm(numbersOf(loss.dataset.targets)) ** 2
  const linear = await recognizeLinearNetwork(loss)
  if (linear) return { value: linearFit(loss, linear) * scale, rounding }
  if (loss.size > 2000 || !isAffineModel(loss.model)) return null
  const rows = loss.samples * sizeOf(loss.model.outputShape)
  const zero = new Float64Array(loss.size)
  const point = new LossPoint(loss, zero)
  const unit = new Float64Array(loss.size * loss.size)
  for (let i = 0; i < loss.size; i++) unit[i * loss.size + i] = 1
  const columns = await point.jacobian(unit, loss.size)
  const jacobian = matrix(rows, loss.size, new Float64Array(rows * loss.size))
  for (let j = 0; j < loss.size; j++)
    for (let i = 0; i < rows; i++) jacobian.data[i * loss.size + j] = columns[j * rows + i]
  const offset = await loss.outputs(zero)
  const wanted = numbersOf(loss.dataset.targets).map((y, i) => y - offset[i])
  return { value: leastSquares(jacobian, wanted).residualNorm ** 2 * scale, rounding }
}

/** min ‖residual‖² of a linear network, in closed form: of the best map whose rank its widths allow. Biases anywhere are at
 * most a free shift of the outputs, which centered data have. */
function linearFit(loss: Loss, { widths, biases }: LinearArchitecture): number {
  const [inputs] = Object.values(loss.dataset.inputs)
  const rowsOf = (value: Tensor): Matrix => {
    const all = matrix(loss.samples, sizeOf(value.shape.slice(1)), numbersOf(value).slice())
    return biases.includes(true) ? centered(all) : all
  }
  const x = rowsOf(inputs)
  const y = rowsOf(loss.dataset.targets)
  return maxNorm(x.data) === 0 ? norm(y.data) ** 2 : 2 * linearProblemFromRows(x, y, widths).globalMinimum
}

function centered({ rows, cols, data }: Matrix): Matrix {
  const mean = new Float64Array(cols)
  data.forEach((value, at) => (mean[at % cols] += value / rows))
  return matrix(
    rows,
    cols,
    data.map((value, at) => value - mean[at % cols]),
  )
}
