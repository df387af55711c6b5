import { DomainError } from '@thalweg/graph'
import { norm } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'

export interface StartOptions {
  /** Standard deviations of the added noise, relative to the root mean square of θ (absolute where that is 0). */
  readonly noise: readonly number[]
  readonly count: number
  readonly seed?: number
}

/** Starting points for many searches: points spread evenly over training trajectories (or initializations), with normal
 * noise of several amplitudes in turn. A point without noise is a start once; its turn then goes to the next amplitude.
 * Source: Dauphin et al. 2014, §3 (uniform noise there). */
export function noisyStarts(trajectory: readonly Float64Array[], options: StartOptions): Float64Array[] {
  const { noise, count, seed = 0 } = options
  if (trajectory.length === 0 || noise.length === 0)
    throw new DomainError(
      `noisyStarts: needs at least one point and one amplitude, got ${trajectory.length} and ${noise.length}.`,
    )
  const bare = new Set<number>()
  return Array.from({ length: count }, (_, i) => {
    const point = Math.floor((i * trajectory.length) / count)
    const base = trajectory[point]
    const turn = [...noise.slice(i % noise.length), ...noise]
    const amplitude = turn.find((each) => each !== 0 || !bare.has(point)) ?? 0
    if (amplitude === 0) bare.add(point)
    const size = norm(base) / Math.sqrt(base.length) || 1
    const stream = randomStream(seed, 'noisy starts', i)
    return base.map((t) => t + amplitude * size * stream.normal())
  })
}
