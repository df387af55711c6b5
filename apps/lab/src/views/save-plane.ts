import type { PlaneData } from '../scenes/plane-data.ts'
import { solidStl } from '../scenes/stl.ts'
import { surfaceScene } from '../scenes/surface-scene.ts'
import type { SurfaceOptions } from '../scenes/surface-scene.ts'
import type { SurfaceStage } from './surface-stage.ts'

export type SaveFormat = 'PNG' | 'SVG' | 'glTF' | 'STL'

/** Writes what is shown into a file of the reader's downloads. */
export async function savePlane(
  format: SaveFormat,
  plane: PlaneData,
  options: SurfaceOptions,
  stage: SurfaceStage | undefined,
  svg: SVGSVGElement | null,
): Promise<void> {
  const name = plane.id.replaceAll(/[^\w.-]+/g, '-')
  if (format === 'STL')
    return download(`${name}.stl`, new Blob([solidStl(surfaceScene(plane, options))], { type: 'model/stl' }))
  if (format === 'SVG' && svg) return download(`${name}.svg`, new Blob([standaloneSvg(svg)], { type: 'image/svg+xml' }))
  if (format === 'PNG' && stage) return download(`${name}.png`, await stage.png(cssVariable('--paper')))
  if (format === 'glTF' && stage)
    return download(`${name}.glb`, new Blob([await stage.gltf()], { type: 'model/gltf-binary' }))
}

function cssVariable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** A copy of a picture that needs no style sheet: every variable replaced by its color. */
function standaloneSvg(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  for (const attribute of ['class', 'tabindex', 'role']) copy.removeAttribute(attribute)
  const { width, height } = svg.viewBox.baseVal
  copy.setAttribute('width', String(Math.round(width)))
  copy.setAttribute('height', String(Math.round(height)))
  for (const text of copy.querySelectorAll('.map-label')) {
    text.removeAttribute('class')
    text.setAttribute(
      'style',
      `font:13px system-ui,sans-serif;fill:var(--ink);stroke:var(--paper);stroke-width:4px;paint-order:stroke`,
    )
  }
  return new XMLSerializer()
    .serializeToString(copy)
    .replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => cssVariable(name))
}

function download(name: string, content: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
