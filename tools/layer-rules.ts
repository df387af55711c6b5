/** Who may import whom, as rules for dependency-cruiser. `check-layers.ts` runs them; its test breaks each one once. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Packages from the lowest to the highest; an import may only point to the left. */
const packageOrder: readonly string[] = ['graph', 'engine', 'landscape', 'thalweg']

/** Folders inside of a folder, lowest first, where they have an order. */
export const folderOrder: Readonly<Record<string, readonly string[]>> = {
  'landscape/src': [
    'random',
    'linalg',
    'data',
    'model',
    'loss',
    'train',
    'curvature',
    'critical',
    'surface',
    'symmetry',
    'theory',
    'claims',
  ],
  'landscape/src/critical': ['finders', 'evidence', 'verdict'],
  'thalweg/src/analyses': ['linear', 'diagnose', 'critical', 'spectrum', 'surface', 'gram', 'eliminate', 'reproduce'],
}

/** Packages whose code runs anywhere: no Node and no DOM. */
const purePackages: readonly string[] = ['graph', 'landscape']

/** The part of a dependency-cruiser rule that is used here. */
export interface LayerRule {
  readonly name: string
  readonly comment: string
  readonly severity: 'error'
  readonly from: { readonly path?: string; readonly pathNot?: string }
  readonly to: {
    readonly path?: string
    readonly pathNot?: string
    readonly circular?: boolean
    readonly couldNotResolve?: boolean
    readonly dependencyTypes?: readonly string[]
    readonly dependencyTypesNot?: readonly string[]
  }
}

const testCode = '\\.test\\.ts$|/testing/|^packages/[^/]+/test/|^test/|^bench/|^tools/'
const anyOf = (names: readonly string[]): string => `(?:${names.join('|')})`
const escapeRegExp = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

const rule = (name: string, comment: string, from: LayerRule['from'], to: LayerRule['to']): LayerRule => ({
  name,
  comment,
  severity: 'error',
  from,
  to,
})

/** The files that a package's `exports` names, relative to the root: what other packages may import. */
function publicEntries(root: string, packageName: string): string[] {
  const manifest = join(root, 'packages', packageName, 'package.json')
  if (!existsSync(manifest)) return []
  const exported = (JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: Record<string, string> }).exports ?? {}
  return Object.values(exported).map((target) => `packages/${packageName}/${target.replace(/^\.\//, '')}`)
}

function upwardRules(): LayerRule[] {
  return packageOrder
    .slice(0, -1)
    .map((name, position) =>
      rule(
        `${name}-imports-upward`,
        `packages/${name} may not import a package above it.`,
        { path: `^packages/${name}/` },
        { path: `^packages/${anyOf(packageOrder.slice(position + 1))}/` },
      ),
    )
}

function folderRules(): LayerRule[] {
  return Object.entries(folderOrder).flatMap(([parent, folders]) =>
    folders
      .slice(0, -1)
      .map((folder, position) =>
        rule(
          `${parent.replace('/src', '').replaceAll('/', '-')}-${folder}-imports-upward`,
          `Folders of packages/${parent}, lowest first: ${folders.join(' ')}.`,
          { path: `^packages/${parent}/${folder}/` },
          { path: `^packages/${parent}/${anyOf(folders.slice(position + 1))}/` },
        ),
      ),
  )
}

function engineRules(): LayerRule[] {
  const hosts = { node: 'onnxruntime-node', web: 'onnxruntime-web' }
  const perHost = Object.entries(hosts).map(([host, runtime]) =>
    rule(
      `${runtime}-outside-its-host`,
      `${runtime} is imported by packages/engine/src/${host} and nowhere else.`,
      { pathNot: `^packages/engine/(src/${host}|test)/` },
      { path: `(^|/)node_modules/${runtime}/|^${runtime}(/|$)` },
    ),
  )
  return [
    ...perHost,
    rule(
      'engine-root-imports-host',
      'The root of engine is pure: node/ and web/ import it, never the other way round.',
      { path: '^packages/engine/src/', pathNot: `^packages/engine/src/(node|web)/|${testCode}` },
      { path: '^packages/engine/src/(node|web)/' },
    ),
    rule(
      'engine-hosts-import-each-other',
      'node/ and web/ share code through the root of engine.',
      { path: '^packages/engine/src/(node|web)/', pathNot: testCode },
      { path: '^packages/engine/src/(node|web)/', pathNot: '^packages/engine/src/$1/' },
    ),
    rule(
      'landscape-imports-engine-host',
      'landscape sees the Engine interface of @thalweg/engine; an engine is passed in.',
      { path: '^packages/landscape/src/', pathNot: testCode },
      { path: '^packages/engine/src/(node|web)/' },
    ),
  ]
}

function purityRules(): LayerRule[] {
  return [
    rule(
      'node-in-pure-code',
      'graph, landscape and engine outside node/ use no Node module: files, clocks and processes are passed in.',
      {
        path: `^packages/(${anyOf(purePackages)}/src|engine/src/(?!node/))`,
        pathNot: testCode,
      },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'tests-in-production',
      'Only tests import tests, testing/, tools, bench, vitest and fast-check.',
      { path: '^packages/[^/]+/src/', pathNot: testCode },
      { path: `${testCode}|(^|/)node_modules/(vitest|fast-check)/` },
    ),
  ]
}

/** Folders of apps/lab/src: who may not import whom. Scenes are data; views draw; only `app` knows all rooms. */
const labUpward: Readonly<Record<string, readonly string[]>> = {
  scenes: ['state', 'words', 'views', 'rooms', 'app'],
  state: ['words', 'views', 'rooms', 'app'],
  words: ['views', 'rooms', 'app'],
  views: ['rooms', 'app'],
  rooms: ['app'],
}

function labRules(): LayerRule[] {
  const drawing = '(^|/)node_modules/(react|react-dom|react-aria-components|three|@observablehq/plot|uplot|katex)/'
  return [
    ...Object.entries(labUpward).map(([folder, above]) =>
      rule(
        `lab-${folder}-imports-upward`,
        `Folders of apps/lab/src, lowest first: ${[...Object.keys(labUpward), 'app'].join(' ')}.`,
        { path: `^apps/lab/src/${folder}/` },
        { path: `^apps/lab/src/${anyOf(above)}/` },
      ),
    ),
    rule(
      'lab-data-draws',
      'scenes and state of apps/lab are plain data and its sources: views draw them.',
      { path: '^apps/lab/src/(scenes|state)/' },
      { path: drawing },
    ),
    rule(
      'three-outside-its-class',
      'three.js is used by one class of apps/lab, which draws scenes.',
      { path: '^apps/lab/src/', pathNot: '^apps/lab/src/views/surface-stage\\.ts$' },
      { path: '(^|/)node_modules/three/' },
    ),
    rule(
      'lab-imports-thalweg-code',
      'apps/lab knows thalweg by the types of its protocol only.',
      { path: '^apps/lab/src/' },
      { path: '^packages/thalweg/', dependencyTypesNot: ['type-only'] },
    ),
  ]
}

/** Every rule, for the repository at `root` (its `exports` fields decide what a deep import is). */
export function layerRules(root: string): LayerRule[] {
  const entries = packageOrder.flatMap((name) => publicEntries(root, name)).map(escapeRegExp)
  return [
    rule('circular', 'No import cycles, types included.', {}, { circular: true }),
    rule(
      'unresolvable',
      'Every import resolves; a path that `exports` hides does not. `?url` is for vite.',
      {},
      { couldNotResolve: true, pathNot: '\\?url$' },
    ),
    rule(
      'deep-import',
      'Other packages are imported by name, through the entries of their `exports`. Benchmarks read files with the ' +
        'readers of thalweg, which is a program and exports nothing.',
      { path: '^(?:packages/([^/]+)|[^/]+)/', pathNot: '^bench/' },
      { path: '^packages/[^/]+/', pathNot: `^packages/$1/|^${anyOf(entries)}$` },
    ),
    ...upwardRules(),
    ...folderRules(),
    ...engineRules(),
    ...purityRules(),
    ...labRules(),
  ]
}
