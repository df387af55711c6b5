import { numbersOf, sizeOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { linearVerdict, matrix, recognizeLinearNetwork } from '@thalweg/landscape'
import type { ExamineOptions, LinearVerdict, Loss, Matrix } from '@thalweg/landscape'
import type { Subject } from '../../subject/subject.ts'

/** A tensor [n × …] as a matrix with one row per sample. */
export function rowsOf(value: Tensor): Matrix {
  const [n, ...rest] = value.shape
  return matrix(n, sizeOf(rest), numbersOf(value))
}

/** What the closed form says of a point, where the model is a linear network under a squared loss without regularizer;
 * null elsewhere. `measuredLoss` guards against a model that only looks linear. */
export async function linearTheory(
  subject: Pick<Subject, 'model' | 'theta' | 'dataset' | 'spec' | 'weightDecay'>,
  loss: Loss,
): Promise<LinearVerdict | null> {
  const squared = ['mse', 'squared', 'half-sum-squares'].includes(subject.spec.name)
  if (!squared || subject.weightDecay !== 0 || subject.dataset.targets.dtype === 'int64') return null
  const network = await recognizeLinearNetwork(loss)
  if (!network) return null
  const [x] = Object.values(subject.dataset.inputs)
  return linearVerdict({
    widths: network.widths,
    biases: network.biases,
    x: rowsOf(x),
    y: rowsOf(subject.dataset.targets),
    sampleWeights: subject.dataset.sampleWeights,
    theta: network.standardTheta(subject.theta),
    loss: subject.spec,
    measuredLoss: await loss.value(subject.theta),
  })
}

/** The global minimum as a bound that `diagnose` may rest on, known to rounding of the loss of the zero map, ½‖Y‖² in
 * its convention: it is that less a sum of eigenvalues. */
export function optimumOf(theory: LinearVerdict | null): Pick<ExamineOptions, 'optimum'> {
  if (!theory) return {}
  const { globalMinimum, convention, problem } = theory
  const error = (1e-12 * convention.factor * problem.squaredTargets) / 2
  return { optimum: { value: globalMinimum, error, source: 'closed form of deep linear networks (Kawaguchi 2016)' } }
}

/** The closed form as JSON. */
export function linearTheoryJson({
  kind,
  subset,
  rank,
  classLoss,
  globalMinimum,
  gap,
  biases,
  statement,
  warnings,
}: LinearVerdict): object {
  return { kind, subset, rank, classLoss, globalMinimum, gap, biases, statement, warnings }
}
