import { nativeEngine } from '@thalweg/engine/node'
import { TaskError } from '@thalweg/graph'
import { ledger, selectClaims } from '@thalweg/landscape/claims'
import type { ClaimFinding } from '@thalweg/landscape/claims'
import type { JobContext } from '../../jobs/job-context.ts'

export interface ClaimJobArgument {
  readonly id: string
  readonly seed: number
}

export interface ClaimJobResult {
  readonly finding: ClaimFinding
  readonly elapsedMs: number
  /** Most memory that the process held. */
  readonly memoryBytes: number
}

/** Threads of the engine in every experiment: claims run beside each other, and findings must not depend on the machine's
 * number of cores. */
export const claimThreads = 1

/** The experiment of one claim, in a process of its own.
 * @throws {TaskError} if stopped. */
export async function claimJob({ id, seed }: ClaimJobArgument, context: JobContext): Promise<ClaimJobResult> {
  const [claim] = selectClaims(ledger, { ids: [id] })
  const engine = nativeEngine({ threads: claimThreads })
  const begun = context.now()
  try {
    const finding = await claim.run({
      engine,
      seed,
      progress: (done, total) => context.onProgress({ stage: id, done, total }),
      throwIfStopped: () => {
        if (context.signal.aborted) throw new TaskError(`reproduce: ${id} was stopped. Run it again.`)
      },
    })
    return { finding, elapsedMs: context.now() - begun, memoryBytes: 1024 * process.resourceUsage().maxRSS }
  } finally {
    await engine.dispose()
  }
}
