import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLayers, type LayerReport } from './check-layers.ts'
import { layerRules } from './layer-rules.ts'

/** A small repository that keeps every rule. */
const clean: Record<string, string> = {
  'packages/graph/package.json': '{ "name": "@thalweg/graph", "exports": { ".": "./src/index.ts" } }',
  'packages/graph/src/index.ts': `export { shape } from './core/shape.ts'`,
  'packages/graph/src/core/shape.ts': 'export const shape: number = 1',
  'packages/engine/package.json':
    '{ "name": "@thalweg/engine", "exports": { ".": "./src/index.ts", "./node": "./src/node/index.ts" } }',
  'packages/engine/src/index.ts': `export { shape as engine } from '@thalweg/graph'`,
  'packages/engine/src/node/index.ts': `import 'node:fs'\nimport 'onnxruntime-node'\nexport { engine } from '../index.ts'`,
  'packages/engine/src/web/index.ts': `import 'onnxruntime-web'\nexport { engine } from '../index.ts'`,
  'packages/landscape/package.json': '{ "name": "@thalweg/landscape", "exports": { ".": "./src/index.ts" } }',
  'packages/landscape/src/index.ts': `export { lanczos } from './linalg/lanczos.ts'`,
  'packages/landscape/src/random/stream.ts': 'export const stream: number = 1',
  'packages/landscape/src/linalg/lanczos.ts': `import { stream } from '../random/stream.ts'\nimport type { engine } from '@thalweg/engine'\nexport const lanczos: typeof engine = stream`,
  'packages/landscape/src/linalg/lanczos.test.ts': `import 'node:fs'\nimport 'vitest'\nimport '@thalweg/engine/node'`,
  'packages/thalweg/package.json': '{ "name": "thalweg", "dependencies": { "onnxruntime-node": "1" } }',
  'packages/thalweg/src/cli/main.ts': `import 'node:fs'\nimport '@thalweg/engine/node'\nimport '@thalweg/landscape'`,
}

/** One offence each: rule, file, and the import that breaks it. */
const offences: readonly (readonly [rule: string, file: string, text: string])[] = [
  [
    'circular',
    'packages/graph/src/core/other-ring.ts',
    `import type { Ring } from './ring.ts'\nexport type Other = Ring`,
  ],
  ['unresolvable', 'packages/graph/src/core/lost.ts', `import './nowhere.ts'`],
  ['unresolvable', 'packages/landscape/src/linalg/hidden.ts', `import '@thalweg/graph/src/core/shape.ts'`],
  ['deep-import', 'packages/landscape/src/linalg/deep.ts', `import '../../../graph/src/core/shape.ts'`],
  ['deep-import', 'tools/deep.ts', `import '../packages/graph/src/core/shape.ts'`],
  ['graph-imports-upward', 'packages/graph/src/core/up.ts', `import '@thalweg/landscape'`],
  ['engine-imports-upward', 'packages/engine/src/up.ts', `import type { lanczos } from '@thalweg/landscape'`],
  ['landscape-imports-upward', 'packages/landscape/src/linalg/up.ts', `import '../../../thalweg/src/cli/main.ts'`],
  ['landscape-random-imports-upward', 'packages/landscape/src/random/up.ts', `import '../linalg/lanczos.ts'`],
  ['landscape-linalg-imports-upward', 'packages/landscape/src/linalg/later.ts', `export * from '../critical/point.ts'`],
  [
    'landscape-critical-finders-imports-upward',
    'packages/landscape/src/critical/finders/up.ts',
    `import '../verdict/verdict.ts'`,
  ],
  [
    'thalweg-analyses-gram-imports-upward',
    'packages/thalweg/src/analyses/gram/up.ts',
    `import '../reproduce/claim.ts'`,
  ],
  ['landscape-theory-imports-upward', 'packages/landscape/src/theory/up.ts', `await import('../claims/claim.ts')`],
  ['onnxruntime-node-outside-its-host', 'packages/engine/src/session.ts', `import 'onnxruntime-node'`],
  ['onnxruntime-node-outside-its-host', 'packages/thalweg/src/run.ts', `import type { x } from 'onnxruntime-node'`],
  ['onnxruntime-web-outside-its-host', 'packages/engine/src/node/both.ts', `import 'onnxruntime-web'`],
  ['engine-root-imports-host', 'packages/engine/src/open.ts', `await import('./node/index.ts')`],
  ['engine-hosts-import-each-other', 'packages/engine/src/web/borrow.ts', `import '../node/index.ts'`],
  ['landscape-imports-engine-host', 'packages/landscape/src/train/host.ts', `import '@thalweg/engine/node'`],
  ['node-in-pure-code', 'packages/graph/src/core/read.ts', `import { readFileSync } from 'node:fs'`],
  ['node-in-pure-code', 'packages/landscape/src/data/read.ts', `import type { Stats } from 'fs'`],
  ['node-in-pure-code', 'packages/engine/src/read.ts', `import 'node:path'`],
  ['node-in-pure-code', 'packages/engine/src/web/read.ts', `import 'node:path'`],
  ['tests-in-production', 'packages/landscape/src/train/tested.ts', `import '../linalg/lanczos.test.ts'`],
  ['tests-in-production', 'packages/graph/src/core/expects.ts', `import 'vitest'`],
  ['lab-scenes-imports-upward', 'apps/lab/src/scenes/up.ts', `import '../state/store.ts'`],
  ['lab-state-imports-upward', 'apps/lab/src/state/up.ts', `import type { view } from '../views/view.tsx'`],
  ['lab-words-imports-upward', 'apps/lab/src/words/up.ts', `import '../views/view.tsx'`],
  ['lab-views-imports-upward', 'apps/lab/src/views/up.tsx', `await import('../app/app.tsx')`],
  ['lab-rooms-imports-upward', 'apps/lab/src/rooms/up.tsx', `import '../app/app.tsx'`],
  ['lab-data-draws', 'apps/lab/src/scenes/draws.ts', `import 'react'`],
  ['three-outside-its-class', 'apps/lab/src/views/other.tsx', `import 'three'`],
  ['lab-imports-thalweg-code', 'apps/lab/src/state/code.ts', `import '../../../../packages/thalweg/src/cli/main.ts'`],
]

/** What the offences import and the clean repository lacks. */
const bystanders: Record<string, string> = {
  'packages/graph/src/core/ring.ts': `import './other-ring.ts'\nexport type Ring = 1`,
  'packages/landscape/src/critical/point.ts': 'export const point: number = 1',
  'packages/landscape/src/critical/verdict/verdict.ts': 'export const verdict: number = 1',
  'packages/thalweg/src/analyses/reproduce/claim.ts': 'export const claim: number = 1',
  'packages/landscape/src/claims/claim.ts': 'export const claim: number = 1',
  'apps/lab/src/state/store.ts': 'export const store: number = 1',
  'apps/lab/src/views/view.tsx': 'export const view: number = 1',
  'apps/lab/src/app/app.tsx': 'export const app: number = 1',
}

const folders: string[] = []

function repository(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  folders.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  mkdirSync(join(root, 'node_modules/@thalweg'), { recursive: true })
  for (const name of ['graph', 'engine', 'landscape']) {
    symlinkSync(join(root, 'packages', name), join(root, 'node_modules/@thalweg', name))
  }
  for (const name of ['onnxruntime-node', 'onnxruntime-web', 'react', 'three', 'vitest']) {
    symlinkSync(resolve('node_modules', name), join(root, 'node_modules', name))
  }
  return root
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

describe('layers', () => {
  let broken: LayerReport

  beforeAll(async () => {
    broken = await checkLayers(
      repository({
        ...clean,
        ...bystanders,
        ...Object.fromEntries(offences.map(([, file, text]) => [file, text])),
        'packages/landscape/src/odds/end.ts': '',
      }),
    )
  })

  it('accepts a repository that keeps them', async () => {
    const { problems, modules } = await checkLayers(repository(clean))
    expect(problems).toEqual([])
    expect(modules).toBeGreaterThanOrEqual(9)
  })

  it.each(offences)('%s refuses %s', (rule, file) => {
    expect(broken.problems.filter((problem) => problem.startsWith(`${file}: ${rule} →`))).not.toEqual([])
  })

  it('names no file that is innocent', () => {
    const guilty = new Set(offences.map(([, file]) => file))
    const accused = broken.problems.map((problem) => problem.split(':')[0])
    expect(accused.filter((file) => !guilty.has(file))).toEqual(['packages/landscape/src/odds'])
  })

  it('asks for the place of a new folder', () => {
    expect(broken.problems).toContainEqual(expect.stringMatching(/src\/odds: folder has no place/))
  })

  it('has an offence for every kind of rule', () => {
    const kindOf = (rule: string): string =>
      rule.replace(/^(landscape|landscape-critical|thalweg-analyses)-\w+-imports-upward$/, '$1-folders')
    const kinds = layerRules('.').map(({ name }) => kindOf(name))
    const tried = offences.map(([rule]) => kindOf(rule))
    expect(new Set(tried)).toEqual(new Set(kinds))
  })

  it('fails when nothing was read', async () => {
    const root = repository({ 'packages/graph/README.md': '' })
    expect((await checkLayers(root)).problems).toContain('0 modules cruised: dependency-cruiser read nothing.')
  })
})
