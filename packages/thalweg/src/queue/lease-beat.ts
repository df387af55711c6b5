import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { programBeside } from '../files/program-beside.ts'

export interface Beat {
  /** Of the queue. */
  readonly file: string
  readonly owner: string
  readonly everyMs: number
}

/** The thread that shows that an owner works. It does nothing else, so a computation that blocks the main thread loses no
 * leases; and it never calls the engine, since ending a thread that does would abort the process. */
export class LeaseBeat {
  readonly #thread: Worker
  #ended = false

  constructor(beat: Beat) {
    this.#thread = new Worker(programBeside(import.meta.url, 'lease-beat-thread'), { workerData: beat })
    // a beat that fails (the folder is gone, the disk is full) costs the lease at most; the main thread meets the same error
    this.#thread.on('error', () => undefined)
    this.#thread.once('exit', () => {
      this.#ended = true
    })
    this.#thread.unref()
  }

  /** Ends the thread between two beats. */
  async stop(): Promise<void> {
    if (this.#ended) return
    this.#thread.ref()
    this.#thread.postMessage('stop', [])
    await once(this.#thread, 'exit')
  }
}
