import type { LabEvent } from 'thalweg/protocol'

/** What a page tells the hub: which runs it shows in detail, and that it goes. */
export type ToHub = { readonly kind: 'follow'; readonly runs: readonly string[] } | { readonly kind: 'leave' }

export interface Page {
  send(event: LabEvent): void
}

/** What is used of an EventSource. */
export interface Source {
  close(): void
}

/** One stream of events for all pages: a browser opens at most six connections to a host, so fifty pages share one. The
 *  stream is opened anew when the runs that anybody follows change, and closed when no page is left. */
export class LiveHub {
  readonly #open: (runs: readonly string[], onEvent: (event: LabEvent) => void) => Source
  readonly #pages = new Map<Page, readonly string[]>()
  #source: Source | undefined
  #followed = ''

  constructor(open: (runs: readonly string[], onEvent: (event: LabEvent) => void) => Source) {
    this.#open = open
  }

  receive(page: Page, message: ToHub): void {
    if (message.kind === 'leave') this.#pages.delete(page)
    else this.#pages.set(page, message.runs)
    this.#update()
  }

  #update(): void {
    const runs = [...new Set([...this.#pages.values()].flat())].toSorted()
    const wanted = this.#pages.size === 0 ? 'none' : runs.join('\n')
    if (this.#source && wanted === this.#followed) return
    this.#source?.close()
    this.#followed = wanted
    this.#source = wanted === 'none' ? undefined : this.#open(runs, (event) => this.#tell(event))
  }

  #tell(event: LabEvent): void {
    for (const [page, runs] of this.#pages) if (!('run' in event) || runs.includes(event.run)) page.send(event)
  }
}
