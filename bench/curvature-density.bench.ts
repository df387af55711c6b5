/** The spectral density of a Hessian by stochastic Lanczos quadrature, beside the counts of all eigenvalues. */
import { spectrum, stochasticQuadrature } from '@thalweg/landscape'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { curvatureProblem, problemWords, pythonContestants } from './curvature-problem.ts'

const probes = 5
const steps = 50
/** Share of eigenvalues up to each of these is the result; between them lies the visible part of the density. */
const grid = [-0.1, -0.05, -0.02, -0.01, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8]

async function quadrature(): Promise<Contestant> {
  const { engine, hessian } = curvatureProblem()
  const step = async (): Promise<number[]> => {
    const { measures } = await stochasticQuadrature(hessian(), { probes, steps, seed: 1 })
    return grid.map((end) =>
      measures.reduce(
        (sum, { nodes, weights }) => sum + weights.reduce((s, w, k) => s + (nodes[k] <= end ? w : 0), 0) / probes,
        0,
      ),
    )
  }
  return { name: 'thalweg, quadrature', step, result: step, dispose: () => engine.dispose() }
}

/** The truth that the estimates are held against. */
async function counted(): Promise<Contestant> {
  const { engine, hessian } = curvatureProblem()
  const step = async (): Promise<number[]> => {
    const all = (await spectrum(hessian(), { exact: true })).all!
    return grid.map((end) => all.filter((value) => value <= end).length / all.length)
  }
  return { name: 'thalweg, all eigenvalues', step, result: step, dispose: () => engine.dispose() }
}

export const benchmark: Benchmark = {
  name: 'curvature-density',
  work: `Distribution of eigenvalues at ${grid.length} places, ${probes} probes of ${steps} steps: ${problemWords}`,
  // five random probes of an operator of this size err by one or two hundredths
  tolerance: 0.05,
  rounds: 1,
  repetitions: 1,
  contestants: async () => [
    await quadrature(),
    await counted(),
    ...pythonContestants('PyTorch, Lanczos quadrature', { what: 'density', probes, steps, grid }),
  ],
}
