/** The five largest Hessian eigenvalues to one residual: Lanczos against power iteration with deflation. */
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { tensorOf } from '@thalweg/graph'
import { Loss, LossPoint, makeDataset, mlp, spectrum } from '@thalweg/landscape'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { sineTensor } from './sine-tensor.ts'

const widths = [64, 16, 10]
const n = 1000
const count = 5
/** ‖Hv − λv‖ / λ₁. */
const tolerance = 1e-3
const model = mlp({ widths, activation: 'tanh' })
const theta = model.initialize(1)

async function ours(): Promise<Contestant> {
  const engine = nativeEngine({ threads: 2 })
  const dataset = makeDataset({
    name: 'sines',
    inputs: { x: sineTensor('float64', [n, widths[0]], 1) },
    targets: tensorOf(
      'int64',
      [n],
      Array.from({ length: n }, (_, i) => i % 10),
    ),
    task: 'classification',
    classCount: 10,
    origin: 'bench',
  })
  const loss = new Loss({ engine, model, dataset, spec: { name: 'cross-entropy', reduction: 'mean' } })
  const step = async (): Promise<number[]> => {
    const hessian = new LossPoint(loss, theta).operator('hessian')
    const { top } = await spectrum(hessian, { top: count, bottom: 0, exact: false, tolerance })
    return top.map(({ value }) => value)
  }
  return { name: 'thalweg', step, result: step, dispose: () => engine.dispose() }
}

const script = fileURLToPath(new URL('curvature-spectrum.py', import.meta.url))
const input = { widths, n, count, tolerance, theta: Array.from(theta), threads: 2, maxProducts: 5000 }

export const benchmark: Benchmark = {
  name: 'curvature-spectrum',
  work: `Top ${count} Hessian eigenvalues of ${widths.join('-')} (tanh), ${model.parameters.reduce((p, { shape }) => p + shape.reduce((a, b) => a * b, 1), 0)} parameters, ${n} samples, float64, residual ${tolerance} λ₁`,
  // Eigenvalues are exact to the square of the residual over the gap; a missed eigenvalue would show as a tenth.
  tolerance: 1e-3,
  rounds: 3,
  repetitions: 1,
  targetRatios: { 'PyTorch, power iteration': 3 },
  contestants: async () => [await ours(), pythonContestant('PyTorch, power iteration', script, { input })],
}
