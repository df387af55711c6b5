/** The infinite-width kernels of a deep ReLU network on 2000 samples. */
import { fileURLToPath } from 'node:url'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark } from '../tools/side-by-side.ts'
import { nodeContestant } from './gram-process.ts'

const input = { n: 2000, d: 20, depth: 10 }
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export const benchmark: Benchmark = {
  name: 'gram-kernel',
  work: 'K^(H) and tangent kernel, fully connected ReLU, depth 10, 2000 unit inputs of 20 dimensions, float64',
  // the arc cosine of a correlation near 1 has lost half of its digits in NumPy's version
  tolerance: 1e-6,
  rounds: 3,
  repetitions: 3,
  contestants: () =>
    Promise.resolve([
      nodeContestant('thalweg', path('gram-kernel.ts'), input),
      pythonContestant('NumPy', path('gram_kernel.py'), { module: 'numpy', input }),
      pythonContestant('NumPy, 100 rows at a time', path('gram_kernel.py'), {
        module: 'numpy',
        input: { ...input, rows: 100 },
      }),
    ]),
}
