/** At most so many of something at once; whoever comes when all are taken is told no. */
export class Slots {
  readonly #max: number
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  get taken(): number {
    return this.#taken
  }

  /** Gives it back, once; undefined where none is free. */
  take(): (() => void) | undefined {
    if (this.#taken >= this.#max) return undefined
    this.#taken++
    let held = true
    return () => {
      if (held) this.#taken--
      held = false
    }
  }
}
