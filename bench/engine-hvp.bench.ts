/** Hessian-vector products at a fixed θ: what does not depend on the direction is computed once. */
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { gatherFactors, grad, graphOf, input, jvp, partition, simplify } from '@thalweg/graph'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { mlpLoss } from './mlp-loss.ts'
import { sineTensor } from './sine-tensor.ts'

const widths = [784, 100, 100, 10]
const n = 1000

async function ours(): Promise<Contestant> {
  const { loss, theta, values } = mlpLoss('float32', widths, n)
  const direction = input('v', 'float32', theta.shape)
  const [hvp] = jvp(grad(loss, [theta]), [[theta, direction]])
  const { early, late } = partition(gatherFactors(simplify(graphOf({ hvp })), [direction]), [direction])
  const engine = nativeEngine()
  const [atTheta, product] = [await engine.compile(early), await engine.compile(late)]
  const residuals = { ...values, ...(await atTheta.run(values)), v: sineTensor('float32', theta.shape, 4) }
  const step = async (): Promise<Float32Array> => (await product.run(residuals)).hvp.data as Float32Array
  return { name: 'thalweg', step, result: step, dispose: () => engine.dispose() }
}

const script = fileURLToPath(new URL('engine-hvp.py', import.meta.url))
const theirs = (name: string, how: Record<string, unknown>): Contestant =>
  pythonContestant(name, script, { input: { widths, n, ...how } })

export const benchmark: Benchmark = {
  name: 'engine-hvp',
  work: 'Hessian-vector product of 784-100-100-10 (tanh) on 1000 samples, float32',
  tolerance: 1e-3,
  targetRatios: { 'PyTorch, graph retained': 3 },
  contestants: async () => [
    await ours(),
    theirs('PyTorch, graph retained', { retained: true }),
    theirs('PyTorch, 2 threads, retained', { retained: true, threads: 2 }),
    theirs('PyTorch, fresh graph', { retained: false }),
  ],
}
