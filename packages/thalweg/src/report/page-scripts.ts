import { createHash } from 'node:crypto'
import { InvariantError } from '@thalweg/graph'
import { plainNumbers } from '../files/plain-numbers.ts'
import { escapeMarkup } from './escape-markup.ts'
import type { Interactive } from './report.ts'

/** The end of a page's body, and what its policy allows for it. */
export interface PageScripts {
  readonly markup: string
  /** A directive of a content security policy, to be added to others; empty where there is no script. */
  readonly directive: string
}

/** Scripts of ours as elements of a page, with the digests that admit exactly them: any other script, inline or from
 * anywhere, stays refused.
 * @throws {InvariantError} for a script that a page would cut short. */
export function pageScripts({ scripts, data }: Interactive): PageScripts {
  const codes = scripts.map(inlineCode)
  const carried = Object.entries(data).map(
    ([id, value]) => `<script type="application/json" id="${escapeMarkup(id)}">${inlineJson(value)}</script>`,
  )
  const hashes = codes.map((code) => `'sha256-${createHash('sha256').update(code, 'utf8').digest('base64')}'`)
  return {
    markup: [...carried, ...codes.map((code) => `<script>${code}</script>`)].map((line) => `${line}\n`).join(''),
    directive: hashes.length === 0 ? '' : `; script-src ${[...new Set(hashes)].join(' ')}`,
  }
}

/** As a browser reads it back: the digest is of that text. */
function inlineCode(code: string): string {
  const text = code.replaceAll(/\r\n?/g, '\n')
  if (/<\/script|<script|<!--|\u0000/i.test(text))
    throw new InvariantError('report: a script may not hold the marks that end or hide one. Write them with escapes.')
  return text
}

/** JSON that cannot leave its element. */
function inlineJson(value: unknown): string {
  return JSON.stringify(value, plainNumbers).replaceAll('<', '\\u003c')
}
