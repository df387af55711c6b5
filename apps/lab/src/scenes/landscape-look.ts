import type { Palette } from './color-map.ts'
import { fieldOf, lossOf } from './plane-data.ts'
import type { FieldKind, PlaneData } from './plane-data.ts'
import type { Grid } from './contour-lines.ts'
import { splineFunction } from './plane-function.ts'
import type { SurfaceOptions } from './surface-scene.ts'
import { extentOf, valueScale } from './value-scale.ts'
import type { ScaleKind } from './value-scale.ts'

/** Choices of how a plane is drawn; `auto` is decided by the data. */
export interface Look {
  readonly color: FieldKind
  readonly scale: ScaleKind | 'auto'
  readonly palette: Palette | 'auto'
  readonly levels: number
}

/** Over more than this the small differences near the bottom cannot be seen on a linear scale. */
const logFrom = 40

export function automaticScale(plane: PlaneData): ScaleKind {
  const [low, high] = extentOf(lossOf(plane).values) ?? [0, 0]
  return low > 0 && high / low > logFrom ? 'log' : 'linear'
}

/** What a plane can be colored by: its own fields, and the gradient norm inside the plane where the whole one is not
 *  known. */
export function colorsOf(plane: PlaneData): FieldKind[] {
  const kinds = plane.fields.map((field) => field.kind)
  return kinds.includes('gradient-norm') ? kinds : [...kinds, 'gradient-norm']
}

/** The field of a color; the gradient norm in the plane is taken from the spline. */
function colorField(plane: PlaneData, kind: FieldKind): Grid {
  const field = fieldOf(plane, kind)
  if (field) return field
  return kind === 'gradient-norm' ? gradientNormInPlane(plane) : lossOf(plane)
}

function gradientNormInPlane(plane: PlaneData): Grid {
  const grid = lossOf(plane)
  const f = splineFunction(grid)
  const nx = grid.xs.length
  const values = Float64Array.from(grid.values, (_, k) => {
    const jet = f.at(grid.xs[k % nx], grid.ys[Math.floor(k / nx)])
    return jet ? Math.hypot(...jet.gradient) : Number.NaN
  })
  return { xs: grid.xs, ys: grid.ys, values }
}

/** Scales and colors of one plane, or of several that share them. The first decides what is automatic. */
export function surfaceOptions(planes: readonly PlaneData[], shown: PlaneData, look: Look): SurfaceOptions {
  const kind = look.scale === 'auto' ? automaticScale(planes[0]) : look.scale
  const heights = valueScale(
    planes.map((plane) => lossOf(plane).values),
    kind,
  )
  const color = colorsOf(shown).includes(look.color) ? look.color : 'loss'
  const palette = look.palette === 'auto' ? paletteOf(color) : look.palette
  const lists = planes.map((plane) => colorField(plane, color).values)
  const asLoss = color === 'loss' || color === 'held-out-loss'
  const scale =
    color === 'loss'
      ? heights
      : valueScale(lists, asLoss || color === 'gradient-norm' ? kind : 'linear', centerOf(color, palette))
  return { heights, color: { field: colorField(shown, color), scale, palette }, levels: look.levels }
}

function paletteOf(color: FieldKind): Palette {
  if (color === 'smallest-eigenvalue') return 'diverging'
  return color === 'loss' || color === 'held-out-loss' ? 'relief' : 'viridis'
}

function centerOf(color: FieldKind, palette: Palette): number | undefined {
  return palette === 'diverging' && color.endsWith('eigenvalue') ? 0 : undefined
}
