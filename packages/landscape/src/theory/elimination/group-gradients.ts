import { castTensor, grad, graphOf, input, mul, numbersOf, reduceSum, sizeOf, tensor } from '@thalweg/graph'
import { inputGroups } from '../../critical/evidence/certificates.ts'
import type { InputGroups } from '../../critical/evidence/certificates.ts'
import { norm } from '../../linalg/vector.ts'
import { feedsFor } from '../../loss/loss.ts'
import type { Loss } from '../../loss/loss.ts'
import { perSample } from '../../loss/loss-function.ts'

/** How the loss wants the outputs to move, input by input. */
export interface GroupGradients {
  readonly groups: InputGroups
  /** G_j = Σ over the samples of group j of ∂L/∂f, [J × k]. */
  readonly values: Float64Array
  readonly outputs: number
  /** max_j ‖G_j‖. */
  readonly largest: number
}

/** ∂L/∂z of the outputs z [n × k], [n × k]: means and sample weights included, no regulariser. */
async function outputGradients(loss: Loss, outputs: Float64Array): Promise<Float64Array> {
  const k = sizeOf(loss.model.outputShape)
  const result = new Float64Array(outputs.length)
  for (const { start, size, values } of loss.chunks) {
    const run = await loss.compiled(`output gradients/${size}`, () => {
      const z = input('outputs', loss.dtype, [size, ...loss.model.outputShape])
      const y = input('targets', values.targets.dtype, values.targets.shape)
      const losses = perSample(loss.spec, z, y)
      const weighted = values.weights ? mul(losses, input('weights', loss.dtype, [size])) : losses
      return graphOf({ gradient: grad(reduceSum(weighted), [z])[0] })
    })
    const part = tensor('float64', [size, ...loss.model.outputShape], outputs.slice(start * k, (start + size) * k))
    const { gradient } = await run.run(feedsFor(run.graph, { ...values, outputs: castTensor(part, loss.dtype) }))
    result.set(
      numbersOf(gradient).map((g) => g / loss.normalizer),
      start * k,
    )
  }
  return result
}

/** The group gradients at outputs [n × k]: samples with equal inputs count together. */
export async function groupGradients(loss: Loss, outputs: Float64Array): Promise<GroupGradients> {
  const groups = inputGroups(loss)
  const k = sizeOf(loss.model.outputShape)
  const perSampleGradients = await outputGradients(loss, outputs)
  const values = new Float64Array(groups.count * k)
  for (let i = 0; i < loss.samples; i++)
    for (let c = 0; c < k; c++) values[groups.groupOf[i] * k + c] += perSampleGradients[i * k + c]
  let largest = 0
  for (let j = 0; j < groups.count; j++) largest = Math.max(largest, norm(values.subarray(j * k, (j + 1) * k)))
  return { groups, values, outputs: k, largest }
}
