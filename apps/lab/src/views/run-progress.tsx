import type { ReactNode } from 'react'
import type { Progress } from 'thalweg/protocol'
import { formatDuration } from '../scenes/format-time.ts'
import { runsWords } from '../words/runs-words.ts'
import { useWords } from './use-words.ts'

/** How far a job is, in its own words. */
export function RunProgress({ progress, name }: { readonly progress: Progress; readonly name: string }): ReactNode {
  const words = useWords(runsWords)
  const { stage, done, total, detail, remainingMs } = progress
  return (
    <span className="run-progress">
      <progress value={done} max={Math.max(1, total)} aria-label={`${words.progress}: ${name}`} />
      <span className="small muted">
        {stage} {total > 0 && `${done} / ${total}`}
        {detail && ` · ${detail}`}
        {remainingMs !== null && remainingMs > 0 && ` · ${words.left(formatDuration(remainingMs))}`}
      </span>
    </span>
  )
}
