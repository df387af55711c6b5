import type { Computations, FromWorker, InputOf, OutputOf, ToWorker } from './computation.ts'

export interface ComputeOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
  readonly onPartial?: (value: unknown) => void
}

/** Why a computation has no result: it failed, or nobody wanted it any more. */
export class ComputationError extends Error {
  readonly aborted: boolean

  constructor(message: string, aborted: boolean) {
    super(message)
    this.name = 'ComputationError'
    this.aborted = aborted
  }
}

interface Waiting extends ComputeOptions {
  resolve(value: unknown): void
  reject(error: ComputationError): void
}

/** The page's side of a worker that offers computations: the page stays responsive while they run. The worker starts with
 *  the first call. */
export class Computer<C extends Computations> {
  readonly #start: () => Worker
  #worker: Worker | undefined
  #calls = 0
  readonly #waiting = new Map<number, Waiting>()

  /** @param start  `() => new Worker(new URL('./my.worker.ts', import.meta.url), { type: 'module' })`, written out, because
   *                the bundler looks for these words. */
  constructor(start: () => Worker) {
    this.#start = start
  }

  compute<K extends keyof C & string>(
    name: K,
    input: InputOf<C[K]>,
    options: ComputeOptions = {},
  ): Promise<OutputOf<C[K]>> {
    const id = ++this.#calls
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted) return reject(new ComputationError('given up', true))
      this.#waiting.set(id, { ...options, resolve, reject })
      options.signal?.addEventListener('abort', () => this.#abort(id), { once: true })
      this.#post({ kind: 'start', id, name, input })
    })
  }

  #abort(id: number): void {
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    this.#post({ kind: 'abort', id })
    waiting.reject(new ComputationError('given up', true))
  }

  #post(message: ToWorker): void {
    this.#worker ??= this.#begin()
    this.#worker.postMessage(message)
  }

  #begin(): Worker {
    const worker = this.#start()
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#receive(data))
    worker.addEventListener('error', (event) => {
      for (const { reject } of this.#waiting.values())
        reject(new ComputationError(event.message || 'the worker failed', false))
      this.#waiting.clear()
      this.#worker = undefined
    })
    return worker
  }

  #receive(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id)
    if (!waiting) return
    if (message.kind === 'progress') return waiting.onProgress?.(message.done, message.total)
    if (message.kind === 'partial') return waiting.onPartial?.(message.value)
    this.#waiting.delete(message.id)
    if (message.kind === 'result') waiting.resolve(message.value)
    else waiting.reject(new ComputationError(message.message, message.aborted))
  }
}
