import { paletteColor } from './color-map.ts'
import type { Grid } from './contour-lines.ts'
import { lossOf, resampled, valueAt } from './plane-data.ts'
import type { PlaneData } from './plane-data.ts'
import type { SurfaceOptions } from './surface-scene.ts'

/** A picture as red, green, blue, alpha; the first row is the top. */
export interface Raster {
  readonly width: number
  readonly height: number
  readonly data: Uint8ClampedArray<ArrayBuffer>
}

/** The map of a plane: its colors, shaded by the slope of the heights as if lit from the north-west. Holes are clear. */
export function mapRaster(plane: PlaneData, options: SurfaceOptions, width: number, height: number): Raster {
  const loss = lossOf(plane)
  const { xs, ys } = loss
  const colorGrid: Grid = { xs, ys, values: resampled(options.color.field, loss) }
  const data = new Uint8ClampedArray(4 * width * height)
  const [x0, y1] = [xs[0], ys[ys.length - 1]]
  const [dx, dy] = [(xs[xs.length - 1] - x0) / width, (y1 - ys[0]) / height]
  const heightAt = (i: number, j: number): number => {
    const [x, y] = [x0 + Math.min(width, Math.max(0, i)) * dx, y1 - Math.min(height, Math.max(0, j)) * dy]
    return options.heights.share(valueAt(loss, inside(x, xs), inside(y, ys)))
  }
  for (let j = 0; j < height; j++)
    for (let i = 0; i < width; i++) {
      const value = valueAt(colorGrid, inside(x0 + (i + 0.5) * dx, xs), inside(y1 - (j + 0.5) * dy, ys))
      const share = options.color.scale.share(value)
      const shade = shadeOf(
        heightAt(i + 1.5, j + 0.5) - heightAt(i - 0.5, j + 0.5),
        heightAt(i + 0.5, j + 1.5) - heightAt(i + 0.5, j - 0.5),
        width,
      )
      if (!Number.isFinite(share) || !Number.isFinite(shade)) continue
      const rgb = paletteColor(options.color.palette, share)
      data.set([...rgb.map((c) => 255 * Math.min(1, c * shade)), 255], 4 * (j * width + i))
    }
  return { width, height, data }
}

function inside(x: number, nodes: ArrayLike<number>): number {
  return Math.min(nodes[nodes.length - 1], Math.max(nodes[0], x))
}

/** Lambert shading of a slope, softened: 1 on level ground. */
function shadeOf(right: number, down: number, width: number): number {
  const [a, b] = [(right * width) / 5, (down * width) / 5]
  const lit = (1 + 0.55 * a + 0.55 * b) / Math.sqrt(1 + a * a + b * b)
  return Math.min(1.18, Math.max(0.66, 0.55 + 0.45 * lit))
}
