import { useCallback, useState } from 'react'
import type { ReactNode } from 'react'
import type { Comparison } from 'thalweg/protocol'
import { formatNumber, formatPercent } from '../scenes/format-number.ts'
import { server } from '../state/server.ts'
import { runsWords } from '../words/runs-words.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Button, Switch } from './controls.tsx'
import { Figure } from './figure.tsx'
import { HistoryPlot } from './history-plot.tsx'
import { useLoaded } from './use-loaded.ts'
import { useWords } from './use-words.ts'
import { verdictTones } from './verdict-glyph.tsx'

export interface RunComparisonProps {
  readonly ids: readonly string[]
  readonly onClose: () => void
}

/** Runs beside each other: numbers, curves, settings. */
export function RunComparison({ ids, onClose }: RunComparisonProps): ReactNode {
  const words = useWords(runsWords)
  const load = useCallback((key: string) => server.compare(key.split('\n')), [])
  const { value: comparison, error } = useLoaded(ids.join('\n'), load)
  return (
    <section className="comparison" aria-label={words.compareTitle}>
      <div className="comparison-head">
        <h2>{words.compareTitle}</h2>
        <Button onPress={onClose}>{words.closeCompare}</Button>
      </div>
      {error !== undefined && (
        <p className="notice" role="alert">
          {error}
        </p>
      )}
      {comparison && <ComparisonBody comparison={comparison} />}
    </section>
  )
}

function ComparisonBody({ comparison }: { readonly comparison: Comparison }): ReactNode {
  const words = useWords(runsWords)
  const { runs, histories } = comparison
  const trained = runs.map((run, k) => ({ name: run.name, history: histories[k] }))
  return (
    <>
      {histories.some((history) => history.length > 1) && (
        <Figure title={words.history}>
          <HistoryPlot runs={trained} />
        </Figure>
      )}
      <ComparisonTable comparison={comparison} />
    </>
  )
}

function ComparisonTable({
  comparison: { runs, eigenvalues, settings },
}: {
  readonly comparison: Comparison
}): ReactNode {
  const words = useWords(runsWords)
  const verdicts = useWords(verdictWords)
  const [differing, setDiffering] = useState(true)
  const rows: readonly (readonly [string, readonly ReactNode[]])[] = [
    [
      words.verdict,
      runs.map(
        ({ verdict }) =>
          verdict && <span className={`tone ${verdictTones[verdict.kind]}`}>{verdicts.kinds[verdict.kind]}</span>,
      ),
    ],
    [words.loss, runs.map(({ loss }) => formatNumber(loss?.value))],
    [words.accuracy, runs.map(({ accuracy }) => formatPercent(accuracy))],
    [words.gradientNorm, runs.map(({ gradientNorm }) => formatNumber(gradientNorm, { digits: 3 }))],
    [words.parameters, runs.map(({ model }) => formatNumber(model?.parameters))],
    [
      words.eigenvalues,
      eigenvalues.map(
        (values) =>
          values
            .slice(0, 3)
            .map((v) => formatNumber(v, { digits: 3 }))
            .join(', ') || '–',
      ),
    ],
    ...settings
      .filter((setting) => setting.differs || !differing)
      .map(({ key, values }) => [key, values.map((value) => (value === null ? '–' : String(value)))] as const),
  ]
  return (
    <>
      <Switch value={differing} onChange={setDiffering}>
        {words.differing}
      </Switch>
      <div className="scroll-x">
        <table className="comparison-table">
          <thead>
            <tr>
              <td />
              {runs.map(({ id, name }) => (
                <th key={id} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([label, cells]) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {cells.map((cell, k) => (
                  <td key={k}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
