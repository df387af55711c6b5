import { FormatError } from '@thalweg/graph'
import { finders, searchMany } from '@thalweg/landscape'
import type { FinderName } from '@thalweg/landscape'
import { z } from 'zod'
import { encodePlainData } from '../../files/plain-data.ts'
import { decodeNpz } from '../../formats/npz.ts'
import { lossInputs, openPortableLoss } from '../../subject/portable-loss.ts'
import type { LossInputs } from '../../subject/portable-loss.ts'
import { canonicalJson } from '../../tasks/canonical-json.ts'
import type { Json } from '../../tasks/canonical-json.ts'
import type { TaskKind } from '../../tasks/task-kind.ts'

/* Searches for critical points as tasks. */

export interface SearchInputs {
  readonly loss: LossInputs
  readonly method: FinderName
  readonly maxIterations?: number
  readonly gradientTolerance?: number
  readonly seed: number
  readonly first: number
  readonly count: number
}

const searchInputs: z.ZodType<SearchInputs> = z.strictObject({
  loss: lossInputs,
  method: z.enum(Object.keys(finders) as [FinderName, ...FinderName[]]),
  maxIterations: z.int().positive().optional(),
  gradientTolerance: z.number().positive().optional(),
  seed: z.int().nonnegative(),
  first: z.int().nonnegative(),
  count: z.int().positive(),
})

/** Searches from the starts `first` … `first + count − 1`, small networks in lockstep. */
export const criticalSearches: TaskKind<SearchInputs> = {
  version: 1,
  inputs: searchInputs,
  blobs: ['model', 'data', 'starts'],
  async run({ loss: inputs, first, count, ...options }, context) {
    const key = canonicalJson({ loss: { ...inputs } as unknown as Json, blobs: context.blobs })
    const loss = await context.kept(key, async () => openPortableLoss(inputs, context))
    const starts = decodeNpz(await context.blob('starts'), { file: 'starts blob' }).get('starts')
    if (starts?.dtype !== 'float64' || starts.shape.length !== 2 || starts.shape[1] !== loss.size)
      throw new FormatError(`starts blob: must hold starts [n, ${loss.size}]. Use one release.`)
    const rows = starts.data as Float64Array
    const own = Array.from({ length: count }, (_, i) =>
      rows.slice((first + i) * loss.size, (first + i + 1) * loss.size),
    )
    const searches = await searchMany(loss, own, options)
    return new TextEncoder().encode(encodePlainData(searches))
  },
}
