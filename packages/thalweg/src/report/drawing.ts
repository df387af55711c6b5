import type { FigureWords } from './figure-words.ts'
import { svgElement } from './svg-element.ts'
import type { Theme } from './theme.ts'

/** Where a figure is drawn: its width is given, its height follows from the content. */
export interface Canvas {
  readonly width: number
  readonly theme: Theme
  readonly words: FigureWords
  /** Prefix of every id in the picture; unique in its page. */
  readonly id: string
}

export type LegendMark = 'line' | 'dashed' | 'dot' | 'ring' | 'square' | 'diamond' | 'triangle' | 'band' | 'tick'

export interface LegendEntry {
  readonly name: string
  readonly color: string
  readonly mark: LegendMark
}

/** What a figure's kind contributes; title, legend, notes and caption are set around it. */
export interface Drawing {
  readonly svg: string
  readonly height: number
  readonly legend: readonly LegendEntry[]
  /** Sentences about what the picture does not show. */
  readonly notes: readonly string[]
}

/** Diagonal hatching for places without a value. */
export function hatchPattern({ theme, id }: Canvas): string {
  const ground = svgElement('rect', { width: 6, height: 6, fill: theme.missing, 'fill-opacity': 0.45 })
  const line = { stroke: theme.muted, 'stroke-width': 1.2, 'stroke-opacity': 0.7 }
  const place = { width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }
  return svgElement(
    'pattern',
    { id: `${id}-hatch`, ...place },
    ground + svgElement('line', { x1: 0, y1: 0, x2: 0, y2: 6, ...line }),
  )
}

/** The paint of {@link hatchPattern}. */
export function hatchFill({ id }: Canvas): string {
  return `url(#${id}-hatch)`
}
