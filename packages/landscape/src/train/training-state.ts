import { allocate, castTensor, numbersOf, tensor } from '@thalweg/graph'
import type { FloatDType, Tensor } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import { norm } from '../linalg/vector.ts'
import type { NoiseRule, Optimizer } from './optimizer.ts'

/** Where training stands: what a step reads and writes. Immutable. With several networks every tensor has their number as
 * its first axis. */
export interface TrainingState {
  /** Steps taken. */
  readonly step: number
  readonly theta: Tensor
  /** What the optimizer remembers. */
  readonly memory: readonly Tensor[]
}

/** The state before the first step.
 * @param lead  [] for one network, [B] for B of them. */
export function initialState(optimizer: Optimizer, theta: Tensor, lead: readonly number[]): TrainingState {
  const dtype = theta.dtype as FloatDType
  const memory = optimizer.slots.map(({ kind, start }) => {
    const shape = kind === 'vector' ? theta.shape : lead
    const data = allocate(
      dtype,
      shape.reduce((n, d) => n * d, 1),
    )
    return tensor(dtype, shape, (data as Float64Array).fill(start))
  })
  return { step: 0, theta, memory }
}

/** The directions that the next perturbations take, uniform on the unit ball, one row per network.
 * @param first  number of the network in the first row. */
export function noiseFor(rule: NoiseRule, { theta, memory }: TrainingState, first = 0): Tensor {
  const counts = numbersOf(memory[rule.countSlot])
  const length = theta.data.length / counts.length
  const rows = new Float64Array(theta.data.length)
  counts.forEach((count, network) => {
    const stream = randomStream(rule.seed, `perturbation/${first + network}`, count)
    const direction = stream.normals(length)
    const radius = stream.uniform() ** (1 / length) / norm(direction)
    rows.set(
      direction.map((v) => v * radius),
      network * length,
    )
  })
  return castTensor(tensor('float64', theta.shape, rows), theta.dtype)
}
