import { errorToWire } from '@thalweg/engine'
import { jobs } from './jobs.ts'
import type { JobContext } from './job-context.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** The process that computes. It does one job and is then ended by its parent; it ends itself when the parent is gone. */

const signal = { aborted: false }

function tell(message: FromWorker): void {
  // a parent that is gone takes no message; `disconnect` ends this process
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}

async function start(job: string, argument: unknown): Promise<void> {
  const context: JobContext = {
    signal,
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    now: () => performance.now(),
  }
  try {
    tell({ kind: 'result', value: await jobs(job)(argument, context) })
  } catch (error) {
    tell({ kind: 'error', error: errorToWire(error) })
  }
}

process.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') signal.aborted = true
  else void start(message.job, message.argument)
})
process.on('disconnect', () => process.exit(0))
// the terminal's interrupt reaches the whole group: the parent decides what it means
process.on('SIGINT', () => undefined)
