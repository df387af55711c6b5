/** Work of the Gram benchmarks in a process of its own, so that its memory is its own: timed there as Python is. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { RemoteContestant, RemoteTimes } from '../tools/side-by-side.ts'

export interface GramJob {
  readonly repetitions: number
  readonly [key: string]: unknown
}

/** Starts `script` under this Node with `{repetitions, ...input}` on its standard input. */
export function nodeContestant(
  name: string,
  script: string,
  input: Readonly<Record<string, unknown>>,
): RemoteContestant {
  return {
    name,
    measure(repetitions) {
      const reply = spawnSync(process.execPath, [script], {
        input: JSON.stringify({ ...input, repetitions }),
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      if (reply.status !== 0) return Promise.reject(new Error(`${name}: ${script} ended with ${reply.status}.`))
      return Promise.resolve(JSON.parse(reply.stdout.trimEnd().split('\n').at(-1) ?? '') as RemoteTimes)
    },
  }
}

export function readJob<T>(): GramJob & T {
  return JSON.parse(readFileSync(0, 'utf8')) as GramJob & T
}

/** Warms up once, times `step`, and prints what the runner reads. */
export async function report(job: GramJob, step: () => unknown, numbers: () => ArrayLike<number>): Promise<void> {
  await step()
  const elapsedMs: number[] = []
  for (let k = 0; k < job.repetitions; k++) {
    const start = performance.now()
    await step()
    elapsedMs.push(performance.now() - start)
  }
  const memoryMiB = process.resourceUsage().maxRSS / 1024
  process.stdout.write(`${JSON.stringify({ elapsedMs, result: Array.from(numbers()), memoryMiB })}\n`)
}
