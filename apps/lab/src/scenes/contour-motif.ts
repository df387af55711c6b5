import { contourLines, roundLevels } from './contour-lines.ts'

const width = 1200
const height = 240
const step = 10

/** The mark of the page, the same as in the report: contour lines of a winding valley and its thalweg, as paths in a box of
 *  1200 × 240. */
export function contourMotif(): { readonly contours: string; readonly river: string } {
  const xs = Array.from({ length: width / step + 1 }, (_, i) => i * step)
  const ys = Array.from({ length: height / step + 1 }, (_, i) => i * step)
  const values = ys.flatMap((y) => xs.map((x) => terrain(x, y)))
  const levels = roundLevels(Math.min(...values), Math.max(...values), 18)
  const contours = levels.flatMap((level) => contourLines({ xs, ys, values }, level)).map(pathOf)
  return { contours: contours.join(''), river: pathOf(xs.flatMap((x) => [x, valleyFloor(x)])) }
}

function valleyFloor(x: number): number {
  return 128 + 42 * Math.sin(x / 115 + 0.6) + 18 * Math.sin(x / 47)
}

function terrain(x: number, y: number): number {
  const aside = (y - valleyFloor(x)) / 60
  const hills = 0.35 * Math.sin(x / 71 + y / 57) * Math.min(1, aside * aside)
  return 1.6 * Math.sqrt(0.14 + aside * aside) + hills - x / 330
}

function pathOf(line: readonly number[]): string {
  let path = ''
  for (let i = 0; i < line.length; i += 2)
    path += `${i === 0 ? 'M' : 'L'}${Math.round(line[i] * 4) / 4} ${Math.round(line[i + 1] * 4) / 4}`
  return path
}
