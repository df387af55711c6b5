/** The five largest Hessian eigenvalues to one residual, and whose are right. */
import type { Benchmark } from '../tools/side-by-side.ts'
import {
  allEigenvalues,
  largeProblem,
  ourContestant,
  pythonCurvature,
  topEigenvalues,
  truthName,
} from './curvature-problem.ts'

const count = 5
/** ‖Hv − λv‖ / λ₁. */
const tolerance = 1e-3
const job = { what: 'spectrum', count, tolerance } as const

export const benchmark: Benchmark = {
  name: 'curvature-spectrum',
  work: `Top ${count} eigenvalues to a residual of ${tolerance} λ₁: ${largeProblem.words}`,
  // Eigenvalues are exact to the square of the residual over the gap; a missed eigenvalue would show as a tenth.
  tolerance: 1e-3,
  truth: truthName,
  rounds: 2,
  repetitions: 1,
  targetRatios: { 'PyTorch, power iteration': 3, 'PyHessian, tightened': 3 },
  contestants: async () => [
    ourContestant('thalweg', largeProblem, topEigenvalues(count, tolerance)),
    allEigenvalues(largeProblem, (all) => [...all.slice(-count)].reverse()),
    pythonCurvature('PyTorch, power iteration', largeProblem, job),
    pythonCurvature('PyTorch, all eigenvalues', largeProblem, { ...job, exact: true }),
    pythonCurvature('PyHessian, its own rule', largeProblem, job),
    pythonCurvature('PyHessian, tightened', largeProblem, { ...job, tighten: true }),
    pythonCurvature('curvlinops, eigsh', largeProblem, job),
  ],
}
