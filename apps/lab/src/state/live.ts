import type { LabEvent } from 'thalweg/protocol'
import { LiveHub } from './live-hub.ts'
import type { ToHub } from './live-hub.ts'
import { openEvents } from './open-events.ts'

type Listener = (event: LabEvent) => void

/** What the server tells, shared by all pages of this browser through a worker where there are shared workers. */
class Live {
  readonly #listeners = new Map<Listener, readonly string[]>()
  #send: ((message: ToHub) => void) | undefined

  /** Hears of changes in the list of runs, and of everything that happens in `runs`. Returns how to stop. */
  listen(runs: readonly string[], listener: Listener): () => void {
    this.#listeners.set(listener, runs)
    this.#follow()
    return () => {
      this.#listeners.delete(listener)
      this.#follow()
    }
  }

  #follow(): void {
    this.#send ??= this.#connect()
    const runs = [...new Set([...this.#listeners.values()].flat())]
    this.#send(this.#listeners.size === 0 ? { kind: 'leave' } : { kind: 'follow', runs })
  }

  #connect(): (message: ToHub) => void {
    const tell = (event: LabEvent): void => {
      for (const [listener, runs] of this.#listeners) if (!('run' in event) || runs.includes(event.run)) listener(event)
    }
    const base = new URL('.', location.href).href
    if (typeof SharedWorker === 'undefined') {
      const hub = new LiveHub((runs, onEvent) => openEvents(base, runs, onEvent))
      const page = { send: tell }
      return (message) => hub.receive(page, message)
    }
    const worker = new SharedWorker(new URL('./live.worker.ts', import.meta.url), { type: 'module', name: base })
    worker.port.addEventListener('message', ({ data }: MessageEvent<LabEvent>) => tell(data))
    worker.port.start()
    globalThis.addEventListener('pagehide', () => worker.port.postMessage({ kind: 'leave' } satisfies ToHub))
    globalThis.addEventListener('pageshow', (event) => event.persisted && this.#follow())
    return (message) => worker.port.postMessage(message)
  }
}

export const live: Live = new Live()
export type { Live }
