/** 256 small networks trained together as one graph. */
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { Loss, adam, trainMany } from '@thalweg/landscape'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { trainingCase } from './training-networks.ts'

const steps = 50
const rate = 1e-2
const { model, dataset, thetas, input } = trainingCase([2, 8, 8, 1], 64, 256, steps)

function ours(): Contestant {
  const engine = nativeEngine()
  const loss = new Loss({ engine, model, dataset, spec: { name: 'mse', reduction: 'mean' }, dtype: 'float32' })
  let losses: Float64Array = new Float64Array(0)
  return {
    name: 'thalweg',
    async step() {
      losses = (await trainMany({ loss, thetas, optimizer: adam(), steps, learningRates: rate })).losses
    },
    result: () => losses,
    dispose: () => engine.dispose(),
  }
}

const script = fileURLToPath(new URL('training_networks.py', import.meta.url))

export const benchmark: Benchmark = {
  name: 'train-many',
  work: `256 networks 2-8-8-1 (tanh), ${steps} full-batch Adam steps each on 64 samples, float32, compilation included`,
  tolerance: 1e-3,
  rounds: 2,
  repetitions: 1,
  targetRatios: { 'PyTorch, one by one': 20 },
  contestants: async () => [
    ours(),
    pythonContestant('PyTorch, one by one', script, { input: { ...input, rate } }),
    pythonContestant('functorch vmap', script, { module: 'functorch', input: { ...input, rate, vectorised: true } }),
  ],
}
