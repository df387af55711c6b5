/** Lets tasks through one at a time, in the order in which they came. */
export class Turns {
  #last: Promise<unknown> | undefined

  /** Runs `task` once all earlier ones have ended, however they ended. Without earlier ones it starts at once. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#last ? this.#last.then(task, task) : task()
    this.#last = mine
    const leave = (): void => {
      if (this.#last === mine) this.#last = undefined
    }
    mine.then(leave, leave)
    return mine
  }
}
