import { InvariantError, TaskError, ThalwegError } from '@thalweg/graph'

/** Exit status: 0 done; 1 our bug; 2 the call or an input is wrong; 3 the computation stopped; 130 interrupted. */
export type ExitStatus = 0 | 1 | 2 | 3 | 130

export function exitStatusOf(error: unknown): ExitStatus {
  if (error instanceof InvariantError || !(error instanceof ThalwegError)) return 1
  return error instanceof TaskError || error.code === 'convergence' ? 3 : 2
}

/** One line for what the caller can mend; everything there is for a bug of ours. */
export function errorText(error: unknown): string {
  if (error instanceof ThalwegError && !(error instanceof InvariantError))
    return `thalweg: ${error.message.replaceAll('\n', ' ')}`
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `thalweg: this is a bug of Thalweg, please report it with the lines below.\n${stack}`
}
