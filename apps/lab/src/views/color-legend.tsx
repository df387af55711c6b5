import { useMemo } from 'react'
import type { ReactNode } from 'react'
import { cssColor, paletteColor } from '../scenes/color-map.ts'
import type { Palette } from '../scenes/color-map.ts'
import { formatNumber } from '../scenes/format-number.ts'
import type { ValueScale } from '../scenes/value-scale.ts'

export interface ColorLegendProps {
  readonly label: string
  readonly scale: ValueScale
  readonly palette: Palette
  readonly format?: (value: number) => string
}

/** The colors of a surface with their values. */
export function ColorLegend({ label, scale, palette, format }: ColorLegendProps): ReactNode {
  const gradient = useMemo(() => {
    const stops = Array.from({ length: 17 }, (_, i) => cssColor(paletteColor(palette, i / 16)))
    return `linear-gradient(90deg, ${stops.join(', ')})`
  }, [palette])
  const ticks = spaced(scale)
  const write = format ?? ((value: number): string => formatNumber(value, { digits: 3, trim: true }))
  return (
    <div className="color-legend">
      <p>{label}</p>
      <div className="color-bar" style={{ background: gradient }} />
      <div className="color-ticks">
        {ticks.map((value) => (
          <span key={value} style={{ left: `${100 * scale.share(value)}%` }}>
            {write(value)}
          </span>
        ))}
      </div>
    </div>
  )
}

/** Ticks whose labels do not touch: at least a sixth of the bar apart. */
function spaced(scale: ValueScale): number[] {
  const kept: number[] = []
  for (const value of scale.ticks(5)) {
    const last = kept.at(-1)
    if (last === undefined || scale.share(value) - scale.share(last) > 0.16) kept.push(value)
  }
  return kept
}
