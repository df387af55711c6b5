/** Loss and gradient of a small convolutional network: the work of one training step. */
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import {
  add,
  conv,
  div,
  flatten,
  gatherElements,
  grad,
  graphOf,
  input,
  logSoftmax,
  matmul,
  neg,
  reduceSum,
  relu,
  reshape,
  tensorOf,
} from '@thalweg/graph'
import type { Expr, InputExpr, Shape, Tensor } from '@thalweg/graph'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'
import { sineTensor } from './sine-tensor.ts'

const n = 64
const channels = [3, 16, 32, 32]

async function ours(): Promise<Contestant> {
  const params: InputExpr[] = []
  const values: Record<string, Tensor> = {
    x: sineTensor('float32', [n, 3, 32, 32], 1),
    y: tensorOf(
      'int64',
      [n, 1],
      Array.from({ length: n }, (_, i) => i % 10),
    ),
  }
  const parameter = (shape: Shape, scale: number): Expr => {
    const node = input(`parameter${params.length}`, 'float32', shape)
    params.push(node)
    values[node.attributes.name] = sineTensor('float32', shape, params.length, scale)
    return node
  }
  let h: Expr = input('x', 'float32', [n, 3, 32, 32])
  for (let i = 1; i < channels.length; i++) {
    const w = parameter([channels[i], channels[i - 1], 3, 3], 0.1)
    const bias = reshape(parameter([channels[i]], 0.1), [channels[i], 1, 1])
    h = relu(add(conv(h, w, { padsBegin: [1, 1] }), bias))
  }
  const features = flatten(h, 1)
  const scores = logSoftmax(add(matmul(features, parameter([features.shape[1], 10], 0.01)), parameter([10], 0.1)))
  const loss = div(neg(reduceSum(gatherElements(scores, input('y', 'int64', [n, 1]), 1))), n)
  const gradients = Object.fromEntries(grad(loss, params).map((g, i) => [`gradient${i}`, g]))
  const engine = nativeEngine()
  const executable = await engine.compile(graphOf({ loss, ...gradients }))
  return {
    name: 'thalweg',
    step: () => executable.run(values),
    async result() {
      const out = await executable.run(values)
      return [...(out['loss'].data as Float32Array), ...(out['gradient2'].data as Float32Array)]
    },
    dispose: () => engine.dispose(),
  }
}

const script = fileURLToPath(new URL('engine-convolution.py', import.meta.url))
const theirs = (threads: number): Contestant =>
  pythonContestant(`PyTorch, ${threads} thread${threads > 1 ? 's' : ''}`, script, { input: { n, channels, threads } })

export const benchmark: Benchmark = {
  name: 'engine-convolution',
  work: 'Loss and gradient of a CNN 3-16-32-32 (3×3, 32×32 images) + linear, batch of 64, float32',
  tolerance: 1e-3,
  rounds: 5,
  targetRatios: { 'PyTorch, 1 thread': 1, 'PyTorch, 2 threads': 1 },
  contestants: async () => [await ours(), theirs(1), theirs(2)],
}
