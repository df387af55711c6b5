/** The tangent kernel of a network, J Jᵀ on 1000 samples. */
import { fileURLToPath } from 'node:url'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark } from '../tools/side-by-side.ts'
import { nodeContestant } from './gram-process.ts'

const input = { widths: [20, 256, 256, 1], n: 1000 }
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export const benchmark: Benchmark = {
  name: 'gram-tangent',
  work: 'J Jᵀ of a 20-256-256-1 tanh network (71 681 parameters) on 1000 samples, float64',
  tolerance: 1e-9,
  rounds: 2,
  repetitions: 2,
  contestants: () =>
    Promise.resolve([
      nodeContestant('thalweg', path('gram-tangent.ts'), input),
      pythonContestant('PyTorch, a row at a time', path('gram_tangent.py'), { input }),
      pythonContestant('functorch vmap(grad)', path('gram_tangent.py'), {
        module: 'functorch',
        input: { ...input, vectorised: true },
      }),
    ]),
}
