import type { CurvePoint, LogLine, Progress } from './protocol.ts'

const curveMax = 4000
const curveShown = 2000
const linesMax = 500
/** Events of one run are gathered for so long before they go out: a page needs no more. */
const gatherMs = 100

export type FeedEvent =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'curve'; readonly points: readonly CurvePoint[] }
  | { readonly type: 'log'; readonly lines: readonly LogLine[] }

/** What a job tells, kept within bounds and sent on in batches. */
export class LiveFeed {
  readonly #emit: (event: FeedEvent) => void
  #curve: CurvePoint[] = []
  #log: LogLine[] = []
  #newPoints: CurvePoint[] = []
  #newLines: LogLine[] = []
  #newProgress: Progress | undefined
  #timer: NodeJS.Timeout | undefined
  /** Every so many points one is kept, once there are many. */
  #stride = 1
  #seen = 0

  constructor(emit: (event: FeedEvent) => void) {
    this.#emit = emit
  }

  /** At most 2000 points of the curve, the last one among them. */
  get curve(): readonly CurvePoint[] {
    const step = Math.ceil(this.#curve.length / curveShown)
    if (step <= 1) return this.#curve
    const thinned = this.#curve.filter((_, i) => i % step === 0)
    const last = this.#curve.at(-1)!
    return thinned.at(-1) === last ? thinned : [...thinned, last]
  }

  get log(): readonly LogLine[] {
    return this.#log
  }

  progress(progress: Progress): void {
    this.#newProgress = progress
    this.#gather()
  }

  point(point: CurvePoint): void {
    this.#newPoints.push(point)
    if (this.#seen++ % this.#stride === 0) this.#curve.push(point)
    if (this.#curve.length > curveMax) {
      this.#curve = this.#curve.filter((_, i) => i % 2 === 0)
      this.#stride *= 2
    }
    this.#gather()
  }

  line(level: LogLine['level'], text: string): void {
    const line: LogLine = { at: new Date().toISOString(), level, text: text.slice(0, 2000) }
    this.#newLines.push(line)
    this.#log = [...this.#log.slice(1 - linesMax), line]
    this.#gather()
  }

  /** Sends on what is waiting. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const [points, lines, progress] = [this.#newPoints, this.#newLines, this.#newProgress]
    this.#newPoints = []
    this.#newLines = []
    this.#newProgress = undefined
    if (progress) this.#emit({ type: 'progress', progress })
    if (points.length > 0) this.#emit({ type: 'curve', points })
    if (lines.length > 0) this.#emit({ type: 'log', lines })
  }

  #gather(): void {
    this.#timer ??= setTimeout(() => this.flush(), gatherMs)
  }
}
