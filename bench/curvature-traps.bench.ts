/** Five largest eigenvalues where two things mislead: a last batch that is not full, a most negative eigenvalue beyond λ₅. */
import type { Benchmark } from '../tools/side-by-side.ts'
import {
  allEigenvalues,
  curvatureProblem,
  ourContestant,
  pythonCurvature,
  topEigenvalues,
  truthName,
} from './curvature-problem.ts'

const batch = 32
/** 70 samples in batches of 32, 32 and 6; λ₅ = 0.405 and λ_min = −0.550. */
const problem = curvatureProblem([8, 6, 4], 70, { seed: 2, scale: 3 })
const count = 5
const tolerance = 1e-3
const job = { what: 'spectrum', count, tolerance, batch, maxProducts: 2000 } as const

export const benchmark: Benchmark = {
  name: 'curvature-traps',
  work: `Top ${count} eigenvalues to a residual of ${tolerance} λ₁ in batches of ${batch}: ${problem.words}`,
  tolerance: 1e-3,
  truth: truthName,
  rounds: 3,
  repetitions: 1,
  contestants: async () => [
    ourContestant('thalweg', problem, topEigenvalues(count, tolerance), batch),
    allEigenvalues(problem, (all) => [...all.slice(-count)].reverse()),
    pythonCurvature('PyTorch, mean of batches', problem, { ...job, 'mean of batches': true }),
    pythonCurvature('PyHessian, its own rule', problem, job),
    pythonCurvature('PyHessian, tightened', problem, { ...job, tighten: true }),
    pythonCurvature('curvlinops, eigsh', problem, job),
  ],
}
