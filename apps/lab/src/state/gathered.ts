const pauseMinMs = 200
const pauseMaxMs = 5000
/** A page that took t to show something rests for so many t: it uses a fifth of one core at most. */
const pauseFactor = 4

/** Changes that come one by one and are shown together: the first at once, those that follow after a pause. The pause
 * grows with the time that showing takes, so many pages on a busy machine leave it most of its time; while nobody sees the
 * page it is the longest. */
export class Gathered<S> {
  readonly #show: (change: (old: S) => S) => void
  readonly #isHidden: () => boolean
  #waiting: ((old: S) => S)[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #shownAt = Number.NEGATIVE_INFINITY
  #showing = false
  #pauseMs = pauseMinMs

  /** @param show  takes all changes so far as one; whoever shows them calls `shown` when that is done. */
  constructor(show: (change: (old: S) => S) => void, isHidden: () => boolean) {
    this.#show = show
    this.#isHidden = isHidden
  }

  add(change: (old: S) => S): void {
    this.#waiting.push(change)
    const pauseMs = this.#isHidden() ? pauseMaxMs : this.#pauseMs
    this.#timer ??= setTimeout(() => this.flush(), Math.max(0, this.#shownAt + pauseMs - performance.now()))
  }

  /** Shows what waits, without a pause. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    const changes = this.#waiting
    this.#waiting = []
    this.#shownAt = performance.now()
    this.#showing = true
    this.#show((old) => changes.reduce((state, change) => change(state), old))
  }

  /** Shows something else at once, instead of what waits. */
  replace(state: S): void {
    this.clear()
    this.#shownAt = Number.NEGATIVE_INFINITY
    this.#pauseMs = pauseMinMs
    this.#show(() => state)
  }

  /** The page shows what was passed on. */
  shown(): void {
    if (!this.#showing) return
    this.#showing = false
    const now = performance.now()
    this.#pauseMs = Math.min(pauseMaxMs, Math.max(pauseMinMs, pauseFactor * (now - this.#shownAt)))
    this.#shownAt = now
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting = []
  }
}
