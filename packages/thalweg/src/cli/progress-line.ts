import type { Progress } from '../jobs/messages.ts'

/** The stream that progress is drawn on; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const barWidth = 24
const drawEveryMs = 80

/** One line on a terminal that shows stage, bar, rate and time left. Draws nothing elsewhere. */
export class ProgressLine {
  readonly #stream: ProgressStream
  readonly #now: () => number
  readonly #active: boolean
  #stage = ''
  #stageStartedMs = 0
  #drawnMs = Number.NEGATIVE_INFINITY
  #lastStageText = ''

  constructor(stream: ProgressStream, now: () => number, quiet: boolean) {
    this.#stream = stream
    this.#now = now
    this.#active = stream.isTTY === true && !quiet
  }

  update(progress: Progress): void {
    if (!this.#active) return
    const now = this.#now()
    if (progress.stage !== this.#stage) {
      this.#finishStage()
      this.#stage = progress.stage
      this.#stageStartedMs = now
      this.#drawnMs = Number.NEGATIVE_INFINITY
    }
    this.#lastStageText = this.#text(progress, now)
    if (now - this.#drawnMs < drawEveryMs && progress.done < progress.total) return
    this.#drawnMs = now
    this.#stream.write(`\r\x1b[2K${this.#lastStageText}`)
  }

  /** Leaves the last state on its own line. */
  end(): void {
    this.#finishStage()
  }

  #finishStage(): void {
    if (!this.#active || this.#stage === '') return
    this.#stream.write(`\r\x1b[2K${this.#lastStageText}\n`)
    this.#stage = ''
  }

  #text({ stage, done, total, detail }: Progress, now: number): string {
    const share = total > 0 ? Math.min(1, done / total) : 0
    const filled = Math.round(share * barWidth)
    const elapsedMs = now - this.#stageStartedMs
    const left =
      done > 0 && done < total && elapsedMs > 500 ? `  ${duration((elapsedMs * (total - done)) / done)} left` : ''
    const line = `${stage.padEnd(12)} ${'━'.repeat(filled)}${'─'.repeat(barWidth - filled)} ${done}/${total}${detail ? `  ${detail}` : ''}${left}`
    return line.slice(0, Math.max(20, (this.#stream.columns ?? 100) - 1))
  }
}

/** Milliseconds in words: 0.8 s, 42 s, 3 min 5 s, 2 h 10 min. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 100) return `${Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 100
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
