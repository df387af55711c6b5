import { linearOf, lineOn, paletteColor } from './color-map.ts'
import type { Palette, Rgb } from './color-map.ts'
import { contourLines } from './contour-lines.ts'
import type { Grid } from './contour-lines.ts'
import { lossOf, resampled, valueAt } from './plane-data.ts'
import type { MarkerKind, PlaneData, PlanePoint } from './plane-data.ts'
import { tubeMesh } from './tube.ts'
import type { Mesh } from './tube.ts'
import type { ValueScale } from './value-scale.ts'

/** Lines as pairs of points with a color (linear light) at each end. */
export interface LineSet {
  readonly positions: Float32Array
  readonly colors: Float32Array
}

export interface SceneMarker {
  readonly kind: MarkerKind
  readonly position: readonly [number, number, number]
  readonly label: string
}

/** A surface ready to be drawn. The box is [−a, a] × [−b, b] × [0, height], x to the right, y to the back, z up; a and b at
 *  most 1. */
export interface SurfaceScene {
  readonly halfWidth: number
  readonly halfDepth: number
  readonly height: number
  /** z of the map that lies below the surface. */
  readonly floor: number
  readonly surface: Mesh
  readonly contours: LineSet
  readonly floorContours: LineSet
  readonly trajectories: readonly { readonly name: string; readonly core: Mesh; readonly shell: Mesh }[]
  readonly markers: readonly SceneMarker[]
  readonly frame: Frame
  /** z of the surface over a place of the box; NaN beside it and in holes. */
  readonly surfaceHeight: (x: number, y: number) => number
}

/** Whether the surface stands between a point of the box and the eye. Looks along the ray at the heights under it. */
export function isHidden(
  {
    surfaceHeight,
    halfWidth,
    halfDepth,
    height,
  }: Pick<SurfaceScene, 'surfaceHeight' | 'halfWidth' | 'halfDepth' | 'height'>,
  point: readonly [number, number, number],
  eye: readonly [number, number, number],
): boolean {
  const steps = 60
  const reach = 2 * Math.hypot(halfWidth, halfDepth)
  const distance = Math.hypot(eye[0] - point[0], eye[1] - point[1], eye[2] - point[2])
  let below: boolean | undefined
  for (let k = 1; k <= steps; k++) {
    const share = ((k / steps) * reach) / distance
    const [x, y, z] = [0, 1, 2].map((axis) => point[axis] + share * (eye[axis] - point[axis]))
    if (z > height + 0.02) return false
    const ground = surfaceHeight(x, y)
    if (!Number.isFinite(ground)) continue
    const under = z < ground
    // Hidden from above or from below: on its way the ray goes through the surface.
    if (below !== undefined && under !== below) return true
    below = under
  }
  return false
}

/** From the coordinates of a plane to those of the box, and back. */
export interface Frame {
  place(x: number, y: number, loss: number): [number, number, number]
  /** Plane coordinates of a place in the box. */
  read(position: readonly [number, number, number]): { readonly x: number; readonly y: number }
}

export interface SurfaceOptions {
  /** Of the loss: the height, and the levels of the contour lines. */
  readonly heights: ValueScale
  readonly color: { readonly field: Grid; readonly scale: ValueScale; readonly palette: Palette }
  /** About how many contour lines. */
  readonly levels: number
}

const heightOfBox = 0.72
const gapBelow = 0.3

/** The box of a plane: equal units on both axes as long as neither gets shorter than half of the other. */
export function frameOf(plane: PlaneData, heights: ValueScale): Frame & { halfWidth: number; halfDepth: number } {
  const { xs, ys } = lossOf(plane)
  const [x0, x1, y0, y1] = [xs[0], xs[xs.length - 1], ys[0], ys[ys.length - 1]]
  const ratio = Math.min(1.6, Math.max(1 / 1.6, (y1 - y0) / (x1 - x0)))
  const [halfWidth, halfDepth] = ratio > 1 ? [1 / ratio, 1] : [1, ratio]
  return {
    halfWidth,
    halfDepth,
    place: (x, y, loss) => [
      ((2 * (x - x0)) / (x1 - x0) - 1) * halfWidth,
      ((2 * (y - y0)) / (y1 - y0) - 1) * halfDepth,
      Math.min(1.02, Math.max(0, heights.share(loss))) * heightOfBox,
    ],
    read: ([px, py]) => ({
      x: x0 + ((px / halfWidth + 1) / 2) * (x1 - x0),
      y: y0 + ((py / halfDepth + 1) / 2) * (y1 - y0),
    }),
  }
}

export function surfaceScene(plane: PlaneData, options: SurfaceOptions): SurfaceScene {
  const { heights, color, levels } = options
  const grid = lossOf(plane)
  const frame = frameOf(plane, heights)
  const ticks = heights.ticks(levels)
  const height = heights.share(heights.domain[1]) * heightOfBox
  return {
    ...frame,
    height,
    floor: -gapBelow,
    surface: surfaceMesh(grid, frame, resampled(color.field, grid), color.scale, color.palette),
    contours: contourSet(grid, frame, ticks, colorUnder(grid, options), (place) => place[2]),
    floorContours: contourSet(
      grid,
      frame,
      ticks,
      (_x, _y, level) => levelColor(options, level),
      () => -gapBelow,
    ),
    trajectories: plane.trajectories.map(({ name, points }) => trajectoryTubes(name, points, plane, frame)),
    markers: plane.markers.map((marker) => ({
      kind: marker.kind,
      position: frame.place(marker.x, marker.y, heightAt(grid, marker)),
      label: marker.name,
    })),
    frame,
    surfaceHeight: (px, py) => {
      const { x, y } = frame.read([px, py, 0])
      return frame.place(x, y, valueAt(grid, x, y))[2]
    },
  }
}

/** Where a point is drawn: on the plotted surface; its own measured loss there where the surface has a hole. */
function heightAt(grid: Grid, point: PlanePoint): number {
  const plotted = valueAt(grid, point.x, point.y)
  return Number.isFinite(plotted) ? plotted : Number.isFinite(point.planeLoss) ? point.planeLoss : point.loss
}

/** Triangles between the nodes; cells with a corner that cannot be shown are left out. */
function surfaceMesh(grid: Grid, frame: Frame, shades: Float64Array, scale: ValueScale, palette: Palette): Mesh {
  const { xs, ys, values } = grid
  const [nx, ny] = [xs.length, ys.length]
  const positions = new Float32Array(3 * nx * ny)
  const colors = new Float32Array(3 * nx * ny)
  for (let k = 0; k < nx * ny; k++) {
    positions.set(frame.place(xs[k % nx], ys[Math.floor(k / nx)], values[k]), 3 * k)
    const share = scale.share(shades[k])
    const rgb: Rgb = Number.isFinite(share) ? paletteColor(palette, share) : [0.7, 0.7, 0.7]
    colors.set(rgb.map(linearOf), 3 * k)
  }
  const indices: number[] = []
  const shown = (k: number): boolean => Number.isFinite(positions[3 * k + 2])
  for (let j = 0; j + 1 < ny; j++)
    for (let i = 0; i + 1 < nx; i++) {
      const a = j * nx + i
      const [b, c, d] = [a + 1, a + nx + 1, a + nx]
      if (![a, b, c, d].every(shown)) continue
      // The diagonal along which the surface is flatter keeps ridges straight.
      const z = (k: number): number => positions[3 * k + 2]
      if (Math.abs(z(a) - z(c)) <= Math.abs(z(b) - z(d))) indices.push(a, b, c, a, c, d)
      else indices.push(a, b, d, b, c, d)
    }
  for (let k = 2; k < positions.length; k += 3) if (!Number.isFinite(positions[k])) positions[k] = 0
  return { positions, normals: normalsOf(positions, indices), colors, indices: Uint32Array.from(indices) }
}

function normalsOf(positions: Float32Array, indices: readonly number[]): Float32Array {
  const normals = new Float32Array(positions.length)
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [3 * indices[t], 3 * indices[t + 1], 3 * indices[t + 2]]
    const u = [0, 1, 2].map((axis) => positions[b + axis] - positions[a + axis])
    const v = [0, 1, 2].map((axis) => positions[c + axis] - positions[a + axis])
    const cross = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    for (const corner of [a, b, c]) for (let axis = 0; axis < 3; axis++) normals[corner + axis] += cross[axis]
  }
  for (let k = 0; k < normals.length; k += 3) {
    const length = Math.hypot(normals[k], normals[k + 1], normals[k + 2]) || 1
    for (let axis = 0; axis < 3; axis++) normals[k + axis] /= length
  }
  return normals
}

type ColorAt = (x: number, y: number, level: number) => Rgb

/** The surface's own color at a place, for lines that lie on it. */
function colorUnder(grid: Grid, { color }: SurfaceOptions): ColorAt {
  const onNodes = { xs: grid.xs, ys: grid.ys, values: resampled(color.field, grid) }
  return (x, y) => lineOn(paletteColor(color.palette, color.scale.share(valueAt(onNodes, x, y)) || 0))
}

/** A level in the color that the loss has by the palette, whatever colors the surface. */
function levelColor({ heights, color }: SurfaceOptions, level: number): Rgb {
  const palette = color.palette === 'diverging' ? 'relief' : color.palette
  return paletteColor(palette, 0.08 + 0.72 * heights.share(level))
}

function contourSet(
  grid: Grid,
  frame: Frame,
  levels: readonly number[],
  colorAt: ColorAt,
  heightOf: (place: readonly [number, number, number]) => number,
): LineSet {
  const positions: number[] = []
  const colors: number[] = []
  const add = (x: number, y: number, level: number): void => {
    const place = frame.place(x, y, level)
    positions.push(place[0], place[1], heightOf(place))
    colors.push(...colorAt(x, y, level).map(linearOf))
  }
  for (const level of levels)
    for (const line of contourLines(grid, level))
      for (let k = 0; k + 3 < line.length; k += 2) {
        add(line[k], line[k + 1], level)
        add(line[k + 2], line[k + 3], level)
      }
  return { positions: Float32Array.from(positions), colors: Float32Array.from(colors) }
}

const coreRadius = 0.0085

/** The path as a thin tube on the surface, and around it a pale one whose radius is the distance from the plane in the
 *  units of the axes: what the picture leaves out, to scale. */
function trajectoryTubes(
  name: string,
  points: readonly PlanePoint[],
  plane: PlaneData,
  frame: Frame & { readonly halfWidth: number },
): SurfaceScene['trajectories'][number] {
  const grid = lossOf(plane)
  const unit = (2 * frame.halfWidth) / (grid.xs[grid.xs.length - 1] - grid.xs[0])
  const path: number[] = []
  const radii: number[] = []
  for (const point of densified(points, grid)) {
    const place = frame.place(point.x, point.y, point.loss)
    if (!place.every(Number.isFinite)) continue
    path.push(place[0], place[1], place[2] + coreRadius)
    radii.push(Math.max(coreRadius, point.offPlaneDistance * unit))
  }
  return {
    name,
    core: tubeMesh(
      path,
      radii.map(() => coreRadius),
    ),
    shell: tubeMesh(path, radii),
  }
}

/** The path with more points between, each on the plotted surface, so that the tube follows the ground. */
function densified(
  points: readonly PlanePoint[],
  grid: Grid,
): { x: number; y: number; loss: number; offPlaneDistance: number }[] {
  const step = (grid.xs[grid.xs.length - 1] - grid.xs[0]) / 160
  const dense: { x: number; y: number; loss: number; offPlaneDistance: number }[] = []
  points.forEach((to, k) => {
    const from = points[Math.max(0, k - 1)]
    const count = k === 0 ? 1 : Math.min(40, Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / step)))
    for (let part = 1; part <= count; part++) {
      const share = part / count
      const mix = (a: number, b: number): number => a + share * (b - a)
      const [x, y] = [mix(from.x, to.x), mix(from.y, to.y)]
      const plotted = valueAt(grid, x, y)
      const loss = Number.isFinite(plotted) ? plotted : mix(from.planeLoss, to.planeLoss)
      dense.push({ x, y, loss, offPlaneDistance: mix(from.offPlaneDistance, to.offPlaneDistance) })
    }
  })
  return dense
}
