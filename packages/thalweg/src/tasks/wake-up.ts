/** Lets several wait for an event, or for a while. */
export class WakeUp {
  readonly #waiting = new Set<() => void>()

  async wait(atMostMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, atMostMs)
      this.#waiting.add(wake)
    })
  }

  one(): void {
    for (const wake of this.#waiting) return wake()
  }

  all(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
