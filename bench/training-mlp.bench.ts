/** Full-batch training steps of one small network: many steps per call of the engine. */
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { Loss, adam, train } from '@thalweg/landscape'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { trainingCase } from './training-networks.ts'

const steps = 500
const rate = 1e-3
const { model, dataset, thetas, input } = trainingCase([2, 64, 64, 1], 256, 1, steps)

function ours(): Contestant {
  const engine = nativeEngine()
  const loss = new Loss({ engine, model, dataset, spec: { name: 'mse', reduction: 'mean' }, dtype: 'float32' })
  let value = Number.NaN
  return {
    name: 'thalweg',
    async step() {
      const now = (): number => performance.now()
      const result = await train({
        loss,
        optimizer: adam(),
        learningRate: rate,
        steps,
        theta: thetas,
        evaluateEvery: steps,
        now,
      })
      value = await loss.value(result.theta)
    },
    result: () => [value],
    dispose: () => engine.dispose(),
  }
}

const script = fileURLToPath(new URL('training_networks.py', import.meta.url))

export const benchmark: Benchmark = {
  name: 'training-mlp',
  work: `${steps} full-batch Adam steps of 2-64-64-1 (tanh) on 256 samples, float32, compilation included`,
  tolerance: 1e-3,
  rounds: 3,
  repetitions: 3,
  targetRatios: { PyTorch: 3 },
  contestants: async () => [ours(), pythonContestant('PyTorch', script, { input: { ...input, rate } })],
}
