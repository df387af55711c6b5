/** The trace of a Hessian to one standard error. */
import { traceToAccuracy } from '@thalweg/landscape'
import type { LinearOperator } from '@thalweg/landscape'
import type { Benchmark } from '../tools/side-by-side.ts'
import { allEigenvalues, largeProblem, ourContestant, pythonCurvature, truthName } from './curvature-problem.ts'
import type { Answer } from './curvature-problem.ts'

/** Standard error over the trace. */
const accuracy = 0.03
const job = { what: 'trace', accuracy } as const

async function toAccuracy(hessian: LinearOperator): Promise<Answer> {
  const { value, standardError, products, method } = await traceToAccuracy(hessian, { accuracy, seed: 1 })
  return { numbers: [value], facts: { products, standardError, estimator: method } }
}

export const benchmark: Benchmark = {
  name: 'curvature-trace',
  work: `Trace to a standard error of ${100 * accuracy} %: ${largeProblem.words}`,
  // each errs by up to some three standard errors
  tolerance: 3 * accuracy,
  truth: truthName,
  rounds: 2,
  repetitions: 1,
  contestants: async () => [
    ourContestant('thalweg, Hutch++', largeProblem, toAccuracy),
    allEigenvalues(largeProblem, (all) => [all.reduce((sum, value) => sum + value, 0)]),
    pythonCurvature('PyTorch, Hutchinson', largeProblem, job),
    pythonCurvature('PyTorch, all eigenvalues', largeProblem, { ...job, exact: true }),
    pythonCurvature('PyHessian, Hutchinson', largeProblem, job),
    pythonCurvature('curvlinops, its best', largeProblem, job),
  ],
}
