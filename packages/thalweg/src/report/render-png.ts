import { UnsupportedError } from '@thalweg/graph'
import { Resvg } from '@resvg/resvg-js'
import { renderSvg, type SvgOptions } from './render-svg.ts'
import type { Figure } from './scene.ts'

const FONTS = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' }
let fontsFound: boolean | undefined

/** A figure as PNG. Text uses the fonts of this machine, so bytes agree between machines only where the fonts do.
 *  @param scale pixels per unit of the SVG; 2 for screens, 4 for print.
 *  @throws {UnsupportedError} where no font is installed: the labels would be missing without a word. */
export function renderPng(figure: Figure, scale: number = 2, options: SvgOptions = {}): Uint8Array {
  requireFont()
  const image = new Resvg(renderSvg(figure, options), { font: FONTS, fitTo: { mode: 'zoom', value: scale } })
  return new Uint8Array(image.render().asPng())
}

function requireFont(): void {
  fontsFound ??=
    new Resvg('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15">x</text></svg>', {
      font: FONTS,
    }).getBBox() !== undefined
  if (fontsFound) return
  throw new UnsupportedError(
    'renderPng: needs a font, this machine has none. Install one (Debian: fonts-dejavu-core) or use the SVG.',
  )
}
