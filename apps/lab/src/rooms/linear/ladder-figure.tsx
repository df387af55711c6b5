import { useRef } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'
import { formatNumber } from '../../scenes/format-number.ts'
import { useWidth } from '../../views/plot.tsx'
import { useWords } from '../../views/use-words.ts'
import { KindShape, kindColor } from '../shared/kind-mark.tsx'
import { sharedWords } from '../shared/shared-words.ts'
import type { LadderScene, Rung } from './scene.ts'
import { linearWords } from './words.ts'

const height = 380
const labelWidth = 92
const margin = { left: 16, right: 12, top: 36, bottom: 40 }

export function setText(key: string, empty: string): string {
  return key === '' ? empty : `{${key}}`
}

/** The critical values by rank, as energy levels are drawn. Rungs are buttons. */
export function LadderFigure({
  scene,
  selected,
  onSelect,
}: {
  readonly scene: LadderScene
  readonly selected: string
  readonly onSelect: (key: string) => void
}): ReactNode {
  const words = useWords(linearWords)
  const host = useRef<HTMLDivElement>(null)
  const width = useWidth(host)
  const rankMax = Math.max(...scene.rungs.map(({ rank }) => rank))
  const rankMin = Math.min(...scene.rungs.map(({ rank }) => rank))
  const top = Math.max(...scene.rungs.map(({ loss }) => loss))
  const span = Math.max(top - scene.globalMinimum, 1e-12)
  // The last column needs room for its labels.
  const column = (width - margin.left - margin.right - labelWidth) / Math.max(1, rankMax - rankMin + 0.4)
  const y = (loss: number): number =>
    margin.top + (1 - (loss - scene.globalMinimum) / span) * (height - margin.top - margin.bottom)
  const bar = Math.min(64, Math.max(30, column * 0.4))
  const x = (rank: number): number => margin.left + (rank - rankMin) * column + 10
  const labels = labelHeights(scene.rungs, y)
  return (
    <div ref={host} className="chart" style={{ minHeight: height }}>
      {width > 0 && (
        <svg width={width} height={height} role="group" aria-label={words.ladderLabel} className="ladder">
          <g className="ladder-links">
            {links(scene.rungs).map(([from, to]) => (
              <line
                key={`${from.key}-${to.key}`}
                x1={x(from.rank) + bar}
                y1={y(from.loss)}
                x2={x(to.rank)}
                y2={y(to.loss)}
              />
            ))}
          </g>
          {scene.rungs.map((rung) => (
            <RungMark
              key={rung.key}
              rung={rung}
              x={x(rung.rank)}
              y={y(rung.loss)}
              labelY={labels.get(rung.key) ?? y(rung.loss)}
              bar={bar}
              brief={column < 130 && rung.rank < rankMax}
              selected={rung.key === selected}
              onSelect={() => onSelect(rung.key)}
            />
          ))}
          <g className="chart-ticks">
            {Array.from({ length: rankMax - rankMin + 1 }, (_, i) => (
              <text key={i} x={x(rankMin + i) + bar / 2} y={height - 18} textAnchor="middle">
                {rankMin + i}
              </text>
            ))}
          </g>
          <text className="chart-label" x={width - margin.right} y={height - 3} textAnchor="end">
            {words.rank} →
          </text>
          <text className="chart-label" x={2} y={13}>
            {words.columns.loss} ↑
          </text>
        </svg>
      )}
    </div>
  )
}

function RungMark({
  rung,
  x,
  y,
  labelY,
  bar,
  brief,
  selected,
  onSelect,
}: {
  readonly rung: Rung
  readonly x: number
  readonly y: number
  readonly labelY: number
  readonly bar: number
  /** No room for the loss, which the table has too. */
  readonly brief: boolean
  readonly selected: boolean
  readonly onSelect: () => void
}): ReactNode {
  const words = useWords(linearWords)
  const kinds = useWords(sharedWords).kinds
  const loss = formatNumber(rung.loss, { digits: 4, trim: true })
  const set = setText(rung.key, words.emptySet)
  const press = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    onSelect()
  }
  return (
    <g
      role="button"
      tabIndex={0}
      aria-pressed={selected}
      aria-label={words.rung(set, loss, rung.kinds.map((kind) => kinds[kind]).join(' / '))}
      className={selected ? 'rung selected' : 'rung'}
      onClick={onSelect}
      onKeyDown={press}
    >
      <rect
        className="rung-area"
        x={x - 7}
        y={Math.min(y, labelY) - 11}
        width={bar + (brief ? 50 : 100)}
        height={22 + Math.abs(y - labelY)}
        rx="6"
      />
      {rung.kinds.map((kind, i) => (
        <line
          key={kind}
          x1={x + (bar * i) / rung.kinds.length}
          x2={x + (bar * (i + 1)) / rung.kinds.length}
          y1={y}
          y2={y}
          stroke={kindColor(kind)}
          strokeWidth="4"
        />
      ))}
      {rung.kinds.map((kind, i) => (
        <KindShape key={kind} kind={kind} x={x + (bar * (i + 0.5)) / rung.kinds.length} y={y} size={6.5} />
      ))}
      <text x={x + bar + 7} y={labelY + 4}>
        <tspan className="rung-set">{set}</tspan>
        {!brief && <tspan className="rung-loss"> {loss}</tspan>}
      </text>
    </g>
  )
}

/** Labels of one column at least a line apart. */
function labelHeights(rungs: readonly Rung[], y: (loss: number) => number): Map<string, number> {
  const heights = new Map<string, number>()
  for (const rank of new Set(rungs.map((r) => r.rank))) {
    const column = rungs.filter((r) => r.rank === rank).sort((a, b) => a.loss - b.loss)
    let last = Number.POSITIVE_INFINITY
    for (const { key, loss } of column) {
      last = Math.min(y(loss), last - 17)
      heights.set(key, last)
    }
  }
  return heights
}

function links(rungs: readonly Rung[]): (readonly [Rung, Rung])[] {
  return rungs.flatMap((from) =>
    rungs
      .filter((to) => to.rank === from.rank + 1 && from.subset.every((i) => to.subset.includes(i)))
      .map((to) => [from, to] as const),
  )
}
