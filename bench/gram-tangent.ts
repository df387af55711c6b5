/** The tangent kernel of `gram-tangent.bench.ts`, by layer and summed. */
import { nativeEngine } from '@thalweg/engine/node'
import { numbersOf, tensorOf } from '@thalweg/graph'
import { Loss, makeDataset, mlp, networkGram, parameterCount } from '@thalweg/landscape'
import { readJob, report } from './gram-process.ts'
import { sineTensor } from './sine-tensor.ts'

const job = readJob<{ widths: number[]; n: number }>()
const engine = nativeEngine()
const model = mlp({ widths: job.widths, activation: 'tanh' })
const dataset = makeDataset({
  name: 'sines',
  inputs: { x: sineTensor('float64', [job.n, job.widths[0]], 0) },
  targets: tensorOf('float64', [job.n, 1], new Float64Array(job.n)),
  task: 'regression',
  origin: 'benchmark',
})
const theta = Float64Array.from(numbersOf(sineTensor('float64', [parameterCount(model)], 1, 0.1)))
const loss = new Loss({ engine, model, dataset, spec: { name: 'half-sum-squares', reduction: 'sum' } })
let result = new Float64Array(0)

await report(
  job,
  async () => {
    const { total } = await networkGram(loss, theta)
    result = total.data.slice(0, 10 * job.n)
  },
  () => result,
)
await engine.dispose()
