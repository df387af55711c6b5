import { runJob } from '../jobs/job-process.ts'
import type { Progress } from '../jobs/messages.ts'
import { plainNumbers } from '../files/plain-numbers.ts'
import { ProgressLine } from './progress-line.ts'

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Prints the one JSON document of `--json`. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, plainNumbers, 2)}\n`)
}

/** Lines for people; nothing under `--json`. */
export function print(options: CommonOptions, ...lines: string[]): void {
  if (!options.json) process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

/** Runs a job in its own process with progress on the terminal. Ctrl-C stops it after saving; a second one at once. */
export async function runWithProgress<T>(job: string, argument: unknown, options: CommonOptions): Promise<T> {
  const line = new ProgressLine(
    process.stderr,
    () => performance.now(),
    options.quiet === true || options.json === true,
  )
  const controller = new AbortController()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\nthalweg: stopping; press Ctrl-C again to stop at once.\n')
    controller.abort()
  }
  const silent = options.quiet === true || options.json === true
  const onProgress = (progress: Progress): void => {
    if (progress.note === undefined) line.update(progress)
    else if (!silent) process.stderr.write(`thalweg: ${progress.note}\n`)
  }
  // a batch system ends a job with SIGTERM
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    return await runJob<T>(job, argument, { onProgress, signal: controller.signal })
  } finally {
    line.end()
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
    if (controller.signal.aborted) process.exitCode = 130
  }
}

export { duration } from './progress-line.ts'
