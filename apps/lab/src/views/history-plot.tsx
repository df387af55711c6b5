import { useCallback } from 'react'
import type { ReactNode } from 'react'
import type { PlotOptions } from '@observablehq/plot'
import type { HistoryPoint } from 'thalweg/protocol'
import { formatTick } from '../scenes/format-number.ts'
import { isLogarithmic, onScale } from '../scenes/loss-scale.ts'
import { runsWords } from '../words/runs-words.ts'
import { Plot } from './plot.tsx'
import { useWords } from './use-words.ts'

type PlotModule = typeof import('@observablehq/plot')

export interface HistoryPlotProps {
  readonly runs: readonly { readonly name: string; readonly history: readonly HistoryPoint[] }[]
}

/** Losses over training: solid on the training data, dashed on held-out data, a color a run. */
export function HistoryPlot({ runs }: HistoryPlotProps): ReactNode {
  const words = useWords(runsWords)
  const options = useCallback(
    (plot: PlotModule): PlotOptions => {
      const rows = runs.flatMap(({ history }, k) =>
        history.flatMap(({ epoch, loss, testLoss }) => [
          { epoch, loss, run: k, dashed: false },
          ...(testLoss === undefined || testLoss === null ? [] : [{ epoch, loss: testLoss, run: k, dashed: true }]),
        ]),
      )
      const log = isLogarithmic(rows.map(({ loss }) => loss))
      const usable = rows.filter(({ loss }) => onScale(loss, log) !== null)
      const line = (dashed: boolean): ReturnType<PlotModule['lineY']> =>
        plot.lineY(
          usable.filter((row) => row.dashed === dashed),
          {
            x: 'epoch',
            y: 'loss',
            z: 'run',
            stroke: (row: { run: number }) => `var(--series-${(row.run % 7) + 1})`,
            strokeWidth: 1.8,
            ...(dashed && { strokeDasharray: '5 4' }),
          },
        )
      return {
        marginLeft: 52,
        marginBottom: 42,
        height: 260,
        x: { label: words.epoch, grid: true },
        y: { label: words.loss, type: log ? 'log' : 'linear', grid: true, tickFormat: formatTick, ticks: 5 },
        marks: [line(false), line(true)],
      }
    },
    [runs, words],
  )
  return (
    <>
      <ul className="plot-legend">
        {runs.map(({ name }, k) => (
          <li key={name + k}>
            <span className="swatch" style={{ background: `var(--series-${(k % 7) + 1})` }} /> {name}
          </li>
        ))}
        <li className="muted">
          — {words.training} &nbsp; ┄ {words.test}
        </li>
      </ul>
      <Plot label={words.history} options={options} height={260} />
    </>
  )
}
