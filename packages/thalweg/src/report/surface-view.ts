/** Surfaces that a reader can turn; `assets/surface-view.js` draws them in the page. */
import { readFileSync } from 'node:fs'
import { packageFile } from '../files/package-file.ts'
import { surfaceParts } from './figures/surface-still.ts'
import type { SurfaceStill } from './scene.ts'

/** The script of a page, one for all surfaces on it. */
export function surfaceViewScript(): string {
  return readFileSync(packageFile('assets', 'surface-view.js'), 'utf8')
}

export interface SurfaceViewWords {
  /** Name of the picture for those who do not see it. */
  readonly label: string
  readonly help: string
}

/** What the script reads. */
export function surfaceViewData(figure: SurfaceStill, words: SurfaceViewWords): object {
  return { ...surfaceParts(figure), words: { ...words, label: `${figure.title}. ${words.label}` } }
}
