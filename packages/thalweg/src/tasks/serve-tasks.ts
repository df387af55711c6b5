import { errorToWire } from '@thalweg/engine'
import { nativeEngine } from '@thalweg/engine/node'
import { InvariantError } from '@thalweg/graph'
import { BlobFolder } from './blob-folder.ts'
import { TaskPerformer } from './perform-task.ts'
import type { TaskKinds } from './task-kind.ts'
import type { FromTaskWorker, ToTaskWorker } from './task-messages.ts'

/** Makes this process do tasks that its parent sends, until the parent is gone. */
export function serveTasks(kinds: TaskKinds): void {
  let performer: TaskPerformer | undefined
  const tell = (message: FromTaskWorker): void => {
    // a parent that is gone is noticed by 'disconnect'
    if (process.connected) process.send?.(message, () => undefined)
  }
  const open = ({ blobs, threads }: Extract<ToTaskWorker, { kind: 'open' }>): void => {
    const engine = nativeEngine({ threads })
    const folder = new BlobFolder(blobs)
    performer = new TaskPerformer({ kinds, engine, blob: async (digest) => folder.get(digest) })
    tell({ kind: 'ready', fingerprint: engine.fingerprint })
  }
  const perform = async (key: string, body: string): Promise<void> => {
    try {
      if (!performer) throw new InvariantError('task worker: a task came before it was opened.')
      tell({ kind: 'result', key, bytes: await performer.perform(key, body) })
    } catch (error) {
      tell({ kind: 'error', key, error: errorToWire(error) })
    }
  }
  process.on('message', (message: ToTaskWorker) => {
    if (message.kind === 'open') open(message)
    else void perform(message.key, message.body)
  })
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  // the terminal's interrupt reaches the whole group: the parent decides what it means
  process.on('SIGINT', () => undefined)
}
