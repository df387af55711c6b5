import { contoursAt, type Point } from './contour-bands.ts'
import { linearTicks } from './axis-scale.ts'

const WIDTH = 1200
const HEIGHT = 240
const STEP = 10
/** Quarter pixels: whole numbers keep the path short. */
const UNITS = 4

/** The mark of the page: contour lines of a winding valley and its thalweg, as inline SVG for decoration. */
export function contourMotif(): string {
  const xs = Array.from({ length: WIDTH / STEP + 1 }, (_, i) => i * STEP)
  const ys = Array.from({ length: HEIGHT / STEP + 1 }, (_, i) => i * STEP)
  const heights = ys.flatMap((y) => xs.map((x) => terrain(x, y)))
  const levels = linearTicks(Math.min(...heights), Math.max(...heights), 18).values
  const lines = levels.flatMap((level) => contoursAt(xs, ys, heights, level).lines)
  const river = xs.map((x): Point => [x, valleyFloor(x)])
  const box = `viewBox="0 0 ${WIDTH * UNITS} ${HEIGHT * UNITS}" preserveAspectRatio="xMaxYMid slice"`
  const contours = `<path class="motif-contours" d="${lines.map(relativePath).join('')}"/>`
  const thalweg = `<path class="motif-river" d="${relativePath(river)}"/>`
  return `<svg class="motif" ${box} aria-hidden="true" focusable="false">${contours}${thalweg}</svg>`
}

/** The mark alone, for the small sign beside the name and for the icon of the page. */
export const THALWEG_SIGN: string =
  '<path d="M2 5C7 5 7 10 12 10S17 5 22 5" opacity=".45"/>' +
  '<path d="M2 10C7 10 7 15 12 15S17 10 22 10" opacity=".7"/>' +
  '<path d="M2 15C7 15 7 20 12 20S17 15 22 15"/>'

function valleyFloor(x: number): number {
  return 128 + 42 * Math.sin(x / 115 + 0.6) + 18 * Math.sin(x / 47)
}

function terrain(x: number, y: number): number {
  const aside = (y - valleyFloor(x)) / 60
  const valley = 1.6 * Math.sqrt(0.14 + aside * aside)
  const hills = 0.35 * Math.sin(x / 71 + y / 57) * Math.min(1, aside * aside)
  return valley + hills - x / 330
}

function relativePath(points: readonly Point[]): string {
  let [lastX, lastY] = [0, 0]
  return points
    .map(([x, y], i) => {
      const [toX, toY] = [Math.round(x * UNITS), Math.round(y * UNITS)]
      const [dx, dy] = [toX - lastX, toY - lastY]
      ;[lastX, lastY] = [toX, toY]
      if (i === 0) return `M${toX} ${toY}`
      return dx === 0 && dy === 0 ? '' : `l${dx}${dy < 0 ? '' : ' '}${dy}`
    })
    .join('')
}
