import type { ReactNode } from 'react'
import { cssColor, paletteColor } from '../../scenes/color-map.ts'
import { formatNumber } from '../../scenes/format-number.ts'

export interface MatrixMapProps {
  readonly label: string
  readonly rows: number
  readonly cols: number
  /** Row-major. */
  readonly data: ArrayLike<number>
  /** The entry that has the strongest color; entries lie between −this and this. */
  readonly largest: number
  /** First row of each block, to draw lines between. */
  readonly blocks?: readonly number[]
  readonly blockNames?: readonly string[]
  /** Write the numbers into the cells. */
  readonly numbers?: boolean
}

/** The ends of the diverging palette; zero is the ground, light or dark. */
const below = cssColor(paletteColor('diverging', 0.04))
const above = cssColor(paletteColor('diverging', 0.97))

/** A matrix as colors, violet below zero and ocher above. */
export function MatrixMap({
  label,
  rows,
  cols,
  data,
  largest,
  blocks = [],
  blockNames = [],
  numbers = false,
}: MatrixMapProps): ReactNode {
  const cell = 100 / Math.max(rows, cols)
  const [width, height] = [cell * cols, cell * rows]
  const scale = largest > 0 ? largest : 1
  const cells = Array.from({ length: rows * cols }, (_, k) => k)
  const pad = blockNames.length > 0 ? 9 : 0.4
  return (
    <svg
      className="matrix-map"
      viewBox={`${-pad} ${-pad} ${width + pad + 0.4} ${height + pad + 0.4}`}
      role="img"
      aria-label={label}
    >
      {cells.map((k) => {
        const [i, j] = [Math.floor(k / cols), k % cols]
        const strength = Math.min(1, Math.abs(data[k]) / scale)
        return (
          <g key={k}>
            <rect
              x={j * cell}
              y={i * cell}
              width={cell * 0.97}
              height={cell * 0.97}
              fill={data[k] < 0 ? below : above}
              fillOpacity={strength}
            >
              <title>{`(${i + 1}, ${j + 1}): ${formatNumber(data[k])}`}</title>
            </rect>
            {numbers && (
              <text
                x={(j + 0.485) * cell}
                y={(i + 0.485) * cell}
                fontSize={cell * 0.24}
                textAnchor="middle"
                dominantBaseline="central"
                className={strength > 0.6 ? 'matrix-number strong' : 'matrix-number'}
              >
                {formatNumber(data[k], { digits: 2, trim: true })}
              </text>
            )}
          </g>
        )
      })}
      <g className="matrix-lines">
        {blocks.slice(1).map((start) => (
          <path key={start} d={`M${start * cell} 0V${height}M0 ${start * cell}H${width}`} />
        ))}
        <rect x={0} y={0} width={width} height={height} />
      </g>
      <BlockNames names={blockNames} blocks={blocks} rows={rows} cell={cell} />
    </svg>
  )
}

function BlockNames({
  names,
  blocks,
  rows,
  cell,
}: {
  readonly names: readonly string[]
  readonly blocks: readonly number[]
  readonly rows: number
  readonly cell: number
}): ReactNode {
  return (
    <g className="matrix-names">
      {names.map((name, b) => {
        const middle = ((blocks[b] + (blocks[b + 1] ?? rows)) / 2) * cell
        return (
          <g key={name}>
            <text x={middle} y={-2.4} textAnchor="middle">
              {name}
            </text>
            <text x={-2} y={middle} textAnchor="end" dominantBaseline="central">
              {name}
            </text>
          </g>
        )
      })}
    </g>
  )
}
