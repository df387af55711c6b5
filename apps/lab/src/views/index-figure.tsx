import { useCallback, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { PlotOptions } from '@observablehq/plot'
import type { CriticalDocument, VerdictKind } from 'thalweg/protocol'
import { formatNumber, formatPercent, formatTick } from '../scenes/format-number.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Figure } from './figure.tsx'
import { Plot } from './plot.tsx'
import { useWords } from './use-words.ts'
import { verdictTones } from './verdict-glyph.tsx'

type PlotModule = typeof import('@observablehq/plot')

const symbols: Readonly<Record<'good' | 'saddle' | 'slope' | 'open', 'circle' | 'diamond' | 'triangle' | 'square'>> = {
  good: 'circle',
  saddle: 'diamond',
  slope: 'triangle',
  open: 'square',
}

/** Index against loss of the critical points found; each can be chosen in the list below. */
export function IndexFigure({ critical }: { readonly critical: CriticalDocument }): ReactNode {
  const words = useWords(verdictWords)
  const [chosen, setChosen] = useState(0)
  const points = useMemo(
    () =>
      critical.points
        .flatMap((point) => (point.loss === null ? [] : [{ ...point, loss: point.loss }]))
        .toSorted((a, b) => a.loss - b.loss),
    [critical],
  )
  const options = useCallback(
    (plot: PlotModule): PlotOptions => indexOptions(plot, points, points[chosen], words),
    [points, chosen, words],
  )
  const point = points[chosen]
  return (
    <Figure title={words.found(points.length)} caption={words.indexCaption}>
      <Plot label={words.indexCaption} options={options} height={300} />
      <label className="index-choice">
        <span className="small muted">{words.indexHint}</span>
        <input
          type="range"
          min={0}
          max={points.length - 1}
          value={chosen}
          onChange={(event) => setChosen(Number(event.currentTarget.value))}
          aria-valuetext={point ? `${words.kinds[point.verdict]}, ${formatNumber(point.loss)}` : undefined}
        />
      </label>
      {point && (
        <p className="small index-reading" aria-live="polite">
          <b className={`tone ${verdictTones[point.verdict]}`}>{words.kinds[point.verdict]}</b> · {words.loss}{' '}
          {formatNumber(point.loss)} · {point.inertia.negative} · {point.inertia.zero} · {point.inertia.positive} ·{' '}
          {words.times(point.multiplicity)}
        </p>
      )}
    </Figure>
  )
}

interface IndexPoint {
  readonly loss: number
  readonly index: number
  readonly verdict: VerdictKind
  readonly multiplicity: number
}

function indexOptions(
  plot: PlotModule,
  points: readonly IndexPoint[],
  chosen: IndexPoint | undefined,
  words: typeof verdictWords.en,
): PlotOptions {
  const wide = points.length > 1 && points[points.length - 1].loss > 20 * points[0].loss && points[0].loss > 0
  const tone = (d: IndexPoint): string => verdictTones[d.verdict]
  return {
    marginLeft: 52,
    marginBottom: 42,
    inset: 10,
    height: 300,
    x: {
      label: words.indexAxis,
      grid: true,
      tickFormat: (share: number) => formatPercent(share).replace('.0', ''),
      nice: true,
    },
    y: { label: words.loss, type: wide ? 'log' : 'linear', grid: true, tickFormat: formatTick, ticks: 4 },
    symbol: { domain: Object.keys(symbols), range: Object.values(symbols) },
    r: { range: [3.5, 9], type: 'sqrt' },
    marks: [
      plot.dot(points, {
        x: 'index',
        y: 'loss',
        symbol: tone,
        stroke: (d: IndexPoint) => `var(--tone-${tone(d)})`,
        fill: (d: IndexPoint) => `var(--tone-${tone(d)})`,
        fillOpacity: 0.35,
        r: 'multiplicity',
        title: (d: IndexPoint) => `${words.kinds[d.verdict]}, ${formatNumber(d.loss)}`,
      }),
      ...(chosen ? [plot.dot([chosen], { x: 'index', y: 'loss', r: 13, stroke: 'var(--ink)', strokeWidth: 1.6 })] : []),
    ],
  }
}
