import { numbersOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import type { Dataset, Loss } from '@thalweg/landscape'
import type { Subject } from '../subject/subject.ts'

/** What makes the loss of a second model here another one than it was trained on: other samples, or constants (batch-norm
 * statistics) that its file holds and the first model's graph does not. One sentence each. */
export async function foreignLossWarnings(
  loss: Loss,
  other: Subject,
  path: string,
  lossOf: (other: Subject) => Loss,
): Promise<string[]> {
  const warnings: string[] = []
  if (!sameData(loss.dataset, other.dataset))
    warnings.push(`${path}: it comes with other samples. All losses here are on those of the first model.`)
  const own = await lossOf(other).value(other.theta)
  const here = await loss.value(other.theta)
  if (Math.abs(own - here) > 1e-4 * Math.abs(own) || Number.isFinite(own) !== Number.isFinite(here))
    warnings.push(
      `${path}: its loss is ${own} in its own file and ${here} with the constants of the first model (batch-norm statistics?), ` +
        'which are used here. Use --batch-norm included (or --train) to move them along.',
    )
  return warnings
}

function sameData(a: Dataset, b: Dataset): boolean {
  const [x, y] = [a, b].map((d) => [...Object.values(d.inputs), d.targets])
  return x.length === y.length && x.every((value, i) => sameTensor(value, y[i]))
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (String(a.shape) !== String(b.shape)) return false
  const [x, y] = [numbersOf(a), numbersOf(b)]
  return x.every((v, i) => Object.is(v, y[i]))
}
