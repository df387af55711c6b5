import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { errorFromWire } from '@thalweg/engine'
import { TaskError } from '@thalweg/graph'
import type { FromWorker, Progress, ToWorker } from './messages.ts'

export interface JobOptions {
  readonly onProgress?: (progress: Progress) => void
  /** Asks the job to stop and save what it has; after `graceMs` it is ended. */
  readonly signal?: AbortSignal
  /** Default 10 s. */
  readonly graceMs?: number
}

const graceDefaultMs = 10_000

/** The worker beside this file: TypeScript in the source tree, JavaScript in the package. */
function workerPath(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`./worker.${extension}`, import.meta.url))
}

function send(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message)
}

/** Runs a job in a child process of its own, so that engine runs, which block their thread, never block the caller, and
 * ending the job cannot hurt it. The job's result is what its function returned.
 * @throws what the job threw, as its class; {TaskError} if the process died or was stopped. */
export function runJob<T>(job: string, argument: unknown, options: JobOptions = {}): Promise<T> {
  const child = fork(workerPath(), [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return new Promise<T>((resolve, reject) => {
    let settled = false
    const settle = (act: () => void): void => {
      if (settled) return
      settled = true
      options.signal?.removeEventListener('abort', stop)
      act()
      child.kill('SIGKILL')
    }
    const stop = (): void => {
      send(child, { kind: 'stop' })
      setTimeout(
        () => settle(() => reject(new TaskError(`${job}: stopped before it could save. Run it again.`))),
        options.graceMs ?? graceDefaultMs,
      ).unref()
    }
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'progress') options.onProgress?.(message.progress)
      else if (message.kind === 'result') settle(() => resolve(message.value as T))
      else settle(() => reject(errorFromWire(message.error)))
    })
    child.on('error', (error) =>
      settle(() => reject(new TaskError(`${job}: the process could not start: ${error.message}`, {}, error))),
    )
    child.on('exit', (code, signal) => {
      const how = signal ? `signal ${signal}` : `status ${code}`
      settle(() =>
        reject(
          new TaskError(
            `${job}: its process ended early (${how}), perhaps out of memory. Use smaller chunks or fewer points.`,
          ),
        ),
      )
    })
    if (options.signal?.aborted) stop()
    else options.signal?.addEventListener('abort', stop, { once: true })
    send(child, { kind: 'start', job, argument })
  })
}
