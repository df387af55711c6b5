/** The sweep of `gram-width-sweep.bench.ts`. */
import { nativeEngine } from '@thalweg/engine/node'
import { scaledMlp, unitSphere, widthSweep } from '@thalweg/landscape'
import { readJob, report } from './gram-process.ts'

const job = readJob<{ widths: number[]; seeds: number; steps: number; samples: number; dimension: number }>()
const { widths, seeds, steps, samples, dimension } = job
const dataset = unitSphere({ samples, dimension })
const modelOf = (width: number): ReturnType<typeof scaledMlp> => scaledMlp({ depth: 1, width, inputs: dimension })
let result: number[] = []

await report(
  job,
  async () => {
    const engine = nativeEngine()
    const { runs } = await widthSweep({ engine, modelOf, dataset, widths, seeds, steps })
    result = runs.flatMap(({ finalLoss, gramDrift, movement }) => [finalLoss, gramDrift, movement])
    await engine.dispose()
  },
  () => result,
)
