import type { LabEvent } from 'thalweg/protocol'
import { LiveHub } from './live-hub.ts'
import type { ToHub } from './live-hub.ts'
import { openEvents } from './open-events.ts'

/** What is used of a shared worker's global scope. Its name is the address of the page that started it. */
interface SharedScope {
  readonly name: string
  addEventListener(type: 'connect', listener: (event: { readonly ports: readonly MessagePort[] }) => void): void
}

const scope = globalThis as unknown as SharedScope
const hub = new LiveHub((runs, onEvent) => openEvents(scope.name, runs, onEvent))

scope.addEventListener('connect', ({ ports: [port] }) => {
  const page = { send: (event: LabEvent): void => port.postMessage(event) }
  port.addEventListener('message', ({ data }: MessageEvent<ToHub>) => hub.receive(page, data))
  port.start()
})
