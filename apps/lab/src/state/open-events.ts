import type { LabEvent } from 'thalweg/protocol'
import type { Source } from './live-hub.ts'

const types = ['hello', 'runs', 'shutdown', 'snapshot', 'progress', 'curve', 'log', 'run']

/** The server's stream of events. @param base address of the page, for workers whose own address lies deeper. */
export function openEvents(base: string, runs: readonly string[], onEvent: (event: LabEvent) => void): Source {
  const query = runs.map((id) => `run=${encodeURIComponent(id)}`).join('&')
  const source = new EventSource(new URL(`./api/events${query === '' ? '' : `?${query}`}`, base))
  for (const type of types)
    source.addEventListener(type, (event) => onEvent(JSON.parse((event as MessageEvent<string>).data) as LabEvent))
  return source
}
