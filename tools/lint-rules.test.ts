import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** File, its one offence, and the rule that must see it (or none). */
const cases: readonly (readonly [file: string, text: string, rule: string | undefined])[] = [
  ['packages/graph/src/a.ts', 'export const x: number = Math.random()', 'no-restricted-properties'],
  ['packages/landscape/src/train/a.ts', 'export const x: number = Math.random()', 'no-restricted-properties'],
  ['packages/thalweg/src/cli/a.ts', 'export const x: number = Math.random()', 'no-restricted-properties'],
  ['packages/landscape/src/a.test.ts', 'export const x: number = Math.random()', 'no-restricted-properties'],
  ['packages/graph/src/b.ts', 'export const x: number = Date.now()', 'no-restricted-globals'],
  ['packages/landscape/src/b.ts', 'export const x: Date = new Date()', 'no-restricted-globals'],
  ['packages/landscape/src/c.ts', 'export const x: number = performance.now()', 'no-restricted-globals'],
  ['packages/engine/src/b.ts', 'export const x: number = Date.now()', 'no-restricted-globals'],
  ['packages/engine/src/c.ts', 'export const x: unknown = Buffer', 'no-restricted-globals'],
  ['packages/engine/src/node/b.ts', 'export const x: number = Date.now()', undefined],
  ['packages/thalweg/src/b.ts', 'export const x: number = Date.now()', undefined],
  ['packages/landscape/src/d.ts', `console.log('x')`, 'no-console'],
  ['packages/thalweg/src/runs/d.ts', `console.log('x')`, 'no-console'],
  ['packages/thalweg/src/cli/d.ts', `console.log('x')`, undefined],
  ['packages/engine/src/node/e.ts', 'process.exit(1)', 'no-restricted-properties'],
  ['packages/thalweg/src/runs/e.ts', 'export const x: unknown = process.env', 'no-restricted-properties'],
  ['packages/thalweg/src/runs/f.ts', 'export const x: unknown = process.argv', 'no-restricted-properties'],
  [
    'packages/thalweg/src/runs/g.ts',
    `import { env } from 'node:process'\nexport const x: unknown = env`,
    'no-restricted-imports',
  ],
  ['packages/thalweg/src/cli/e.ts', 'process.exit(1)', undefined],
  ['packages/thalweg/src/jobs/worker.ts', 'process.exit(1)', undefined],
  ['packages/graph/src/only.test.ts', `import { it } from 'vitest'\nit.only('x', () => {})`, 'no-focused-tests'],
  ['packages/graph/src/h.ts', 'export const x: any = 1', 'no-explicit-any'],
  ['packages/graph/src/i.ts', 'export default 1', 'no-default-export'],
  [
    'packages/graph/src/j.ts',
    Array.from({ length: 601 }, (_, line) => `export type X${line} = 1\n`).join(''),
    'max-lines',
  ],
  ['packages/graph/src/k.ts', `export function f(): void {\n${'  f()\n'.repeat(71)}}`, 'max-lines-per-function'],
  [
    'packages/graph/src/l.ts',
    'async function f(): Promise<void> {}\nexport function g(): void {\n  f()\n}',
    'no-floating-promises',
  ],
]

interface Diagnostic {
  readonly filename: string
  readonly code: string
}

let root: string
let diagnostics: readonly Diagnostic[]

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lint-'))
  copyFileSync('.oxlintrc.json', join(root, '.oxlintrc.json'))
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
  for (const [file, text] of cases) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const reply = spawnSync(process.execPath, [resolve('node_modules/oxlint/bin/oxlint'), '-f', 'json'], {
    cwd: root,
    encoding: 'utf8',
  })
  diagnostics = (JSON.parse(reply.stdout) as { diagnostics: Diagnostic[] }).diagnostics
})

afterAll(() => rmSync(root, { recursive: true }))

describe('lint', () => {
  it.each(cases)('%s: %s', (file, _text, rule) => {
    const codes = diagnostics.filter(({ filename }) => filename === file).map(({ code }) => code)
    expect(codes).toEqual(rule === undefined ? [] : expect.arrayContaining([expect.stringContaining(`(${rule})`)]))
  })
})
