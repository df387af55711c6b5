import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DomainError } from '@thalweg/graph'
import { networkGram, norm, smallestEigenvalue, symmetricEigenvalues } from '@thalweg/landscape'
import type { Loss, Matrix } from '@thalweg/landscape'
import type { JobContext } from '../../jobs/job-context.ts'
import { openSubject } from '../../subject/subject.ts'
import type { SubjectArgument } from '../../subject/subject.ts'

/** The Gram matrix at one checkpoint of a run, against that at the first. */
export interface CheckpointGram {
  readonly checkpoint: string
  readonly loss: number
  readonly lambdaMin: { readonly value: number; readonly bound: number }
  readonly largest: number
  /** ‖G − G₀‖₂ / ‖G₀‖₂ */
  readonly drift: number
  /** ‖θ − θ₀‖ and the same over ‖θ₀‖. */
  readonly movement: number
  readonly relativeMovement: number
}

/** Gram matrices along training, at every checkpoint of a run directory, in the order of steps.
 * @throws {DomainError} if MODEL is no run directory with checkpoints. */
export async function gramTrajectory(
  argument: SubjectArgument,
  loss: Loss,
  { onProgress, signal }: JobContext,
): Promise<CheckpointGram[]> {
  const folder = join(argument.model, 'checkpoints')
  const files = await readdir(folder).catch(() => [])
  // the steps carry their number, padded; the end comes last
  const names = files.filter((file) => /^(step-\d+|final)\.safetensors$/.test(file))
  const ordered = [...names.filter((name) => name !== 'final.safetensors').sort(), 'final.safetensors']
  if (names.length === 0)
    throw new DomainError(`--checkpoints: ${argument.model} has no checkpoints. Give a run directory.`)
  const found: CheckpointGram[] = []
  let start: { readonly gram: Matrix; readonly theta: Float64Array; readonly scale: number } | undefined
  for (const name of ordered.filter((each) => names.includes(each))) {
    const { theta } = await openSubject({ ...argument, model: join(folder, name) })
    const { total } = await networkGram(loss, theta, { signal })
    const { value, bound, largest } = await smallestEigenvalue(total)
    start ??= { gram: total, theta, scale: largest }
    const moved = norm(theta.map((entry, i) => entry - start!.theta[i]))
    found.push({
      checkpoint: name,
      loss: await loss.value(theta),
      lambdaMin: { value, bound },
      largest,
      drift: distance(total, start.gram) / start.scale,
      movement: moved,
      relativeMovement: moved / norm(start.theta),
    })
    onProgress({ stage: 'checkpoints', done: found.length, total: names.length })
  }
  return found
}

/** ‖A − B‖₂ */
function distance(a: Matrix, b: Matrix): number {
  const values = symmetricEigenvalues({ ...a, data: a.data.map((value, at) => value - b.data[at]) })
  return Math.max(Math.abs(values[0]), Math.abs(values[values.length - 1]))
}
