/** A width sweep: 120 networks trained, with their Gram matrices before and after. */
import { fileURLToPath } from 'node:url'
import { scaledMlp, unitSphere } from '@thalweg/landscape'
import { numbersOf } from '@thalweg/graph'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark } from '../tools/side-by-side.ts'
import { nodeContestant } from './gram-process.ts'

const sweep = { widths: [16, 32, 64, 128, 256, 512], seeds: 20, steps: 200, samples: 8, dimension: 6 }
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** The same data and starts for both languages. */
function pythonInput(): Readonly<Record<string, unknown>> {
  const dataset = unitSphere({ samples: sweep.samples, dimension: sweep.dimension })
  const starts = sweep.widths.map((width) => {
    const model = scaledMlp({ depth: 1, width, inputs: sweep.dimension })
    return Array.from({ length: sweep.seeds }, (_, seed) => Array.from(model.initialize(seed)))
  })
  const [x, y] = [dataset.inputs['x'], dataset.targets].map((value) => Array.from(numbersOf(value)))
  return { ...sweep, x, y, starts }
}

export const benchmark: Benchmark = {
  name: 'gram-width-sweep',
  work: 'two-layer softplus networks of widths 16 … 512, 20 starts each: 200 steps of gradient descent, J Jᵀ before and after; compilation included',
  tolerance: 1e-6,
  rounds: 2,
  repetitions: 1,
  contestants: () =>
    Promise.resolve([
      nodeContestant('thalweg', path('gram-width-sweep.ts'), sweep),
      pythonContestant('PyTorch, one by one', path('gram_width_sweep.py'), { input: pythonInput() }),
    ]),
}
