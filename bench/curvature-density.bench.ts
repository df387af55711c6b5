/** The spectral density of a Hessian by stochastic Lanczos quadrature, beside the counts of all eigenvalues. */
import { stochasticQuadrature } from '@thalweg/landscape'
import type { LinearOperator } from '@thalweg/landscape'
import type { Benchmark } from '../tools/side-by-side.ts'
import { allEigenvalues, largeProblem, ourContestant, pythonCurvature, truthName } from './curvature-problem.ts'
import type { Answer } from './curvature-problem.ts'

const probes = 5
const steps = 50
/** Share of eigenvalues up to each of these is the result; between them lies the visible part of the density. */
const grid = [-0.1, -0.05, -0.02, -0.01, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8]
const job = { what: 'density', probes, steps, grid } as const

async function quadrature(hessian: LinearOperator): Promise<Answer> {
  const { measures, products } = await stochasticQuadrature(hessian, { probes, steps, seed: 1 })
  const numbers = grid.map((end) =>
    measures.reduce(
      (sum, { nodes, weights }) => sum + weights.reduce((s, w, k) => s + (nodes[k] <= end ? w : 0), 0) / probes,
      0,
    ),
  )
  return { numbers, facts: { products } }
}

export const benchmark: Benchmark = {
  name: 'curvature-density',
  work: `Distribution of eigenvalues at ${grid.length} places, ${probes} probes of ${steps} steps: ${largeProblem.words}`,
  // five random probes of an operator of this size err by one or two hundredths
  tolerance: 0.05,
  truth: truthName,
  rounds: 2,
  repetitions: 1,
  contestants: async () => [
    ourContestant('thalweg', largeProblem, quadrature),
    allEigenvalues(largeProblem, (all) => grid.map((end) => all.filter((value) => value <= end).length / all.length)),
    pythonCurvature('PyTorch, Lanczos quadrature', largeProblem, job),
    pythonCurvature('PyTorch, all eigenvalues', largeProblem, { ...job, exact: true }),
    pythonCurvature('PyHessian', largeProblem, job),
    pythonCurvature('curvlinops, Lanczos nodes', largeProblem, job),
    pythonCurvature('curvlinops, its density', largeProblem, { ...job, broadened: true }),
  ],
}
