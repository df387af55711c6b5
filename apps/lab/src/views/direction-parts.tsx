import { useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import { cssColor, paletteColor } from '../scenes/color-map.ts'
import { formatNumber, formatPercent } from '../scenes/format-number.ts'
import { asRows, partNorms } from '../scenes/line-scene.ts'
import type { DirectionPart } from '../state/findings.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Figure } from './figure.tsx'
import { useWords } from './use-words.ts'

/** What a direction is made of: the share of every parameter tensor, and the entries of the one chosen. */
export function DirectionParts({ parts }: { readonly parts: readonly DirectionPart[] }): ReactNode {
  const words = useWords(verdictWords)
  const norms = useMemo(() => partNorms(parts), [parts])
  const heaviest = norms.reduce((best, part, k) => (part.share > norms[best].share ? k : best), 0)
  const [chosen, setChosen] = useState<number>()
  const part = parts[chosen ?? heaviest]
  if (!part) return null
  return (
    <Figure title={words.inspector} caption={words.inspectorCaption}>
      <table className="parts-table">
        <thead>
          <tr>
            <th scope="col">{words.tensor}</th>
            <th scope="col">{words.shape}</th>
            <th scope="col" className="number-cell">
              {words.share}
            </th>
            <th scope="col" className="number-cell">
              {words.largestEntry}
            </th>
          </tr>
        </thead>
        <tbody>
          {norms.map(({ name, shape, share, largest }, k) => (
            <tr key={name}>
              <th scope="row">
                <button type="button" aria-pressed={parts[k] === part} onClick={() => setChosen(k)}>
                  {name}
                </button>
              </th>
              <td>{shape.join(' × ')}</td>
              <td className="number-cell share-cell" style={{ backgroundSize: `${100 * share}% 4px` }}>
                {formatPercent(share)}
              </td>
              <td className="number-cell">{formatNumber(largest, { digits: 3 })}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Entries part={part} />
    </Figure>
  )
}

const cellsMax = 4096

/** Entries in color: pale is 0, purple negative, orange positive. */
function Entries({ part }: { readonly part: DirectionPart }): ReactNode {
  const words = useWords(verdictWords)
  const rows = useMemo(() => asRows(part.shape, part.values), [part])
  const reach = Math.max(...rows.flat().map(Math.abs)) || 1
  const label = words.entries(part.name, part.shape.join(' × '))
  if (part.values.length > cellsMax) return null
  const columns = rows[0].length
  const cell = Math.max(3, Math.min(26, Math.floor(560 / columns)))
  return (
    <svg
      className="entries"
      viewBox={`0 0 ${columns * cell} ${rows.length * cell}`}
      style={{ maxWidth: columns * cell }}
      role="img"
      aria-label={label}
    >
      {rows.flatMap((row, i) =>
        row.map((value, j) => (
          <rect
            key={`${i},${j}`}
            x={j * cell}
            y={i * cell}
            width={cell - (cell > 8 ? 1 : 0.4)}
            height={cell - (cell > 8 ? 1 : 0.4)}
            fill={cssColor(paletteColor('diverging', (value / reach + 1) / 2))}
          >
            <title>{formatNumber(value, { digits: 3 })}</title>
          </rect>
        )),
      )}
    </svg>
  )
}
