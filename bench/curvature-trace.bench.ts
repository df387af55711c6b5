/** The trace of a Hessian to one standard error: Hutch++ against Hutchinson's estimator. */
import { hutchPlusPlusTrace, spectrum } from '@thalweg/landscape'
import type { Estimate } from '@thalweg/landscape'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { curvatureProblem, problemWords, pythonContestants } from './curvature-problem.ts'

/** Standard error over the trace. */
const accuracy = 0.03

async function toAccuracy(): Promise<Contestant> {
  const { engine, hessian } = curvatureProblem()
  const step = async (): Promise<number[]> => {
    let found: Estimate | null = null
    for (let products = 24; products < 1200; products *= 1.5) {
      found = await hutchPlusPlusTrace(hessian(), { products: Math.round(products), seed: 1 })
      if (found.standardError <= accuracy * Math.abs(found.value)) break
    }
    return [found!.value]
  }
  return { name: 'thalweg, Hutch++', step, result: step, dispose: () => engine.dispose() }
}

/** The truth that the estimates are held against. */
async function exactly(): Promise<Contestant> {
  const { engine, hessian } = curvatureProblem()
  const step = async (): Promise<number[]> => [(await spectrum(hessian(), { exact: true })).trace!.value]
  return { name: 'thalweg, all eigenvalues', step, result: step, dispose: () => engine.dispose() }
}

export const benchmark: Benchmark = {
  name: 'curvature-trace',
  work: `Trace to a standard error of ${100 * accuracy} %: ${problemWords}`,
  // each side errs by up to some three standard errors
  tolerance: 5 * accuracy,
  rounds: 1,
  repetitions: 1,
  contestants: async () => [
    await toAccuracy(),
    await exactly(),
    ...pythonContestants('PyTorch, Hutchinson', { what: 'trace', accuracy }),
  ],
}
