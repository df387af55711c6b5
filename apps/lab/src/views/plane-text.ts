import { formatNumber, formatPercent } from '../scenes/format-number.ts'
import { lossOf, valueAt } from '../scenes/plane-data.ts'
import type { FieldKind, PlaneAxis, PlaneData, PlaneMarker } from '../scenes/plane-data.ts'
import type { LandscapeWords } from '../words/landscape-words.ts'
import type { AxisText } from './surface-view.tsx'

const short = (value: number): string => formatNumber(value, { digits: 3, trim: true })

/** A value of a field as people read it. */
export function fieldText(kind: FieldKind, value: number): string {
  return kind === 'accuracy' || kind === 'held-out-accuracy' ? formatPercent(value) : formatNumber(value)
}

export function axisTexts(plane: PlaneData, words: LandscapeWords): readonly [AxisText, AxisText] {
  const { xs, ys } = lossOf(plane)
  const text = (axis: PlaneAxis, nodes: ArrayLike<number>): AxisText => ({
    label: words.directionName(axis.label),
    note: axisNote(axis, words),
    low: short(nodes[0]),
    high: short(nodes[nodes.length - 1]),
  })
  return [text(plane.x, xs), text(plane.y, ys)]
}

function axisNote({ explained, eigenvalue }: PlaneAxis, words: LandscapeWords): string | undefined {
  if (explained !== null) return words.explained(formatPercent(explained))
  return eigenvalue === null ? undefined : words.eigenvalue(short(eigenvalue))
}

/** What a mark is called, and the loss where it is drawn. */
export function markerText(marker: PlaneMarker, plane: PlaneData, words: LandscapeWords): string {
  const name = (marker.kind === 'critical' && marker.name) || words.markers[marker.kind]
  const loss = Number.isFinite(marker.planeLoss) ? marker.planeLoss : valueAt(lossOf(plane), marker.x, marker.y)
  return Number.isFinite(loss) ? `${name} ${short(loss)}` : name
}

/** Name of a plane by its id, where it has one of its own; else the name that came with it. */
export function planeName(plane: PlaneData, words: LandscapeWords): string {
  return (
    words.planeNames[plane.id] ?? (plane.analytic ? (words.functionNames[plane.analytic] ?? plane.name) : plane.name)
  )
}
