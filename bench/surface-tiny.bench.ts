/** A 51 × 51 surface of a tiny network: all points in a few batched graphs, against a loop over points in PyTorch. */
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { Loss, coordinates, lossGrid, pointEvaluator, randomDirection } from '@thalweg/landscape'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { trainingCase } from './training-networks.ts'

const { model, dataset, thetas, input } = trainingCase([2, 16, 1], 64, 1, 0)
const axis = { start: -1, end: 1, count: 51 }
const directions = [0, 1].map((index) =>
  randomDirection(model, thetas, 0, index, { normalization: 'filter' }).map(Math.fround),
)

/** One thread, as theirs has. The network stands, as theirs does; the graph is compiled in the first, uncounted step. */
function ours(): Contestant {
  const engine = nativeEngine({ threads: 1 })
  const loss = new Loss({ engine, model, dataset, spec: { name: 'mse', reduction: 'mean' }, dtype: 'float32' })
  const { valuesAt, group } = pointEvaluator(loss)
  const nodes = [coordinates(axis), coordinates(axis)]
  let values: Float64Array = new Float64Array(0)
  return {
    name: 'thalweg',
    async step() {
      values = (await lossGrid({ center: thetas, directions, coordinates: nodes, valuesAt, batch: group })).values
    },
    result: () => values,
    dispose: () => engine.dispose(),
  }
}

const script = fileURLToPath(new URL('surface-tiny.py', import.meta.url))

export const benchmark: Benchmark = {
  name: 'surface-tiny',
  work: 'loss of a 2-16-1 (tanh) network on 64 samples at 51 × 51 points of a plane, float32',
  tolerance: 1e-4,
  rounds: 3,
  repetitions: 2,
  targetRatios: { 'PyTorch, point by point': 20 },
  contestants: async () => [
    ours(),
    pythonContestant('PyTorch, point by point', script, {
      input: { ...input, directions: directions.map((d) => Array.from(d)), nodes: Array.from(coordinates(axis)) },
    }),
  ],
}
