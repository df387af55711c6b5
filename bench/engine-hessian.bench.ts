/** A dense Hessian as one batched tangent pass: the rows of the identity go through `vmap` together. */
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { gatherFactors, grad, graphOf, input, jvp, partition, simplify, tensor, vmap } from '@thalweg/graph'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { mlpLoss } from './mlp-loss.ts'

const widths = [64, 8, 10]
const n = 400
const parts = 5

async function ours(): Promise<Contestant> {
  const { loss, theta, values } = mlpLoss('float64', widths, n)
  const p = theta.shape[0]
  const rows = p / parts
  const direction = input('v', 'float64', [p])
  const directions = input('directions', 'float64', [rows, p])
  const [batched] = vmap(jvp(grad(loss, [theta]), [[theta, direction]]), [[direction, directions]])
  const { early, late } = partition(gatherFactors(simplify(graphOf({ rows: batched })), [directions]), [directions])
  const engine = nativeEngine()
  const [atTheta, products] = [await engine.compile(early), await engine.compile(late)]
  const identity = Float64Array.from({ length: p * p }, (_, i) => (i % (p + 1) === 0 ? 1 : 0))
  const blocks = Array.from({ length: parts }, (_, k) =>
    tensor('float64', [rows, p], identity.subarray(k * rows * p, (k + 1) * rows * p)),
  )
  const step = async (): Promise<Float64Array> => {
    const residuals = { ...values, ...(await atTheta.run(values)) }
    const hessian = new Float64Array(p * p)
    for (const [k, block] of blocks.entries())
      hessian.set((await products.run({ ...residuals, directions: block })).rows.data as Float64Array, k * rows * p)
    return hessian
  }
  return { name: 'thalweg', step, result: step, dispose: () => engine.dispose() }
}

const script = fileURLToPath(new URL('engine-hessian.py', import.meta.url))
const theirs = (name: string, method: string, threads: number): Contestant =>
  pythonContestant(name, script, { module: 'functorch', input: { widths, n, method, threads } })

export const benchmark: Benchmark = {
  name: 'engine-hessian',
  work: 'Dense Hessian of 64-8-10 (tanh), 610 parameters, 400 samples, float64',
  tolerance: 1e-9,
  rounds: 3,
  repetitions: 3,
  targetRatios: { 'PyTorch, row by row': 20, 'functorch hessian': 1 },
  contestants: async () => [
    await ours(),
    theirs('PyTorch, row by row', 'rows', 1),
    theirs('functorch hessian', 'functorch', 1),
    theirs('functorch hessian, 2 threads', 'functorch', 2),
  ],
}
