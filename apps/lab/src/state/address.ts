import { readPlace, writePlace } from './place.ts'
import type { Place } from './place.ts'

type Listener = () => void

/** The address bar as a store. Settings replace the entry of the history, rooms add one. A slider may set a hundred values
 *  a second and browsers refuse that many: writing waits, what is read is always the newest. */
class Address {
  #place: Place
  readonly #listeners = new Set<Listener>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    this.#place = readPlace(globalThis.location?.hash ?? '')
    globalThis.addEventListener?.('hashchange', () => {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#show(readPlace(location.hash))
    })
    globalThis.addEventListener?.('pagehide', () => this.#write())
  }

  readonly place = (): Place => this.#place

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** `undefined` takes the setting away. */
  set(settings: Readonly<Record<string, string | undefined>>): void {
    const merged: Record<string, string> = { ...this.#place.settings }
    for (const [key, value] of Object.entries(settings))
      if (value === undefined) delete merged[key]
      else merged[key] = value
    this.#show({ ...this.#place, settings: merged })
    this.#timer ??= setTimeout(() => this.#write(), 200)
  }

  go(place: Place): void {
    this.#write()
    history.pushState(null, '', writePlace(place))
    this.#show(place)
  }

  #write(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    history.replaceState(null, '', writePlace(this.#place))
  }

  #show(place: Place): void {
    this.#place = place
    for (const listener of this.#listeners) listener()
  }
}

export const address: Address = new Address()
export type { Address }
