import type { ReactNode } from 'react'
import type { RunSummary } from 'thalweg/protocol'
import { formatNumber } from '../scenes/format-number.ts'
import { formatMoment } from '../scenes/format-time.ts'
import { activeStates } from '../scenes/run-list.ts'
import { writePlace } from '../state/place.ts'
import { runsWords } from '../words/runs-words.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { RunProgress } from './run-progress.tsx'
import { usePreferences } from './use-stores.ts'
import { useWords } from './use-words.ts'
import { verdictTones } from './verdict-glyph.tsx'

export interface RunTableProps {
  readonly runs: readonly RunSummary[]
  readonly chosen: readonly string[]
  readonly onChoose: (ids: readonly string[]) => void
}

/** One row a run; on a narrow page one card a run. */
export function RunTable({ runs, chosen, onChoose }: RunTableProps): ReactNode {
  const words = useWords(runsWords)
  const toggle = (id: string): void =>
    onChoose(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id])
  return (
    <table className="run-table">
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">{words.compare}</span>
          </th>
          <th scope="col">{words.run}</th>
          <th scope="col">{words.state}</th>
          <th scope="col">{words.verdict}</th>
          <th scope="col" className="number-cell">
            {words.loss}
          </th>
          <th scope="col" className="number-cell">
            {words.gradientNorm}
          </th>
          <th scope="col" className="number-cell">
            {words.parameters}
          </th>
          <th scope="col">{words.updated}</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={run.id} run={run} isChosen={chosen.includes(run.id)} onToggle={() => toggle(run.id)} />
        ))}
      </tbody>
    </table>
  )
}

function RunRow({
  run,
  isChosen,
  onToggle,
}: {
  readonly run: RunSummary
  readonly isChosen: boolean
  readonly onToggle: () => void
}): ReactNode {
  const words = useWords(runsWords)
  const verdicts = useWords(verdictWords)
  const { language } = usePreferences()
  const active = activeStates.includes(run.state)
  return (
    <tr className={isChosen ? 'chosen' : undefined}>
      <td className="choose-cell">
        <input type="checkbox" checked={isChosen} onChange={onToggle} aria-label={words.choose(run.name)} />
      </td>
      <th scope="row">
        <a href={writePlace({ room: 'runs', settings: { run: run.id } })}>{run.name}</a>
        <span className="run-note">
          {words.commands[run.command]}
          {run.model && ` · ${run.model.name}`}
          {run.data && ` · ${run.data.name}`}
        </span>
        {active && run.progress && <RunProgress progress={run.progress} name={run.name} />}
        {run.error && <span className="run-error">{run.error}</span>}
      </th>
      <td data-label={words.state}>
        <span className={`state ${run.state}`}>{words.states[run.state]}</span>
      </td>
      <td data-label={words.verdict}>
        {run.verdict && (
          <span className={`tone ${verdictTones[run.verdict.kind]}`}>{verdicts.kinds[run.verdict.kind]}</span>
        )}
      </td>
      <td className="number-cell" data-label={words.loss}>
        {formatNumber(run.loss?.value)}
      </td>
      <td className="number-cell" data-label={words.gradientNorm}>
        {formatNumber(run.gradientNorm, { digits: 3 })}
      </td>
      <td className="number-cell" data-label={words.parameters}>
        {formatNumber(run.model?.parameters)}
      </td>
      <td className="small" data-label={words.updated}>
        {formatMoment(run.updatedAt, language)}
      </td>
    </tr>
  )
}
