/** Bundles packages/thalweg into packages/thalweg/dist: the other packages go in, npm dependencies stay outside, and the
 * page of `thalweg lab` lies in dist/lab. */
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { type OutputChunk, rolldown } from 'rolldown'
import { buildLab } from './build-lab.ts'

const root = resolve(import.meta.dirname, '..')

/** Files that are started by path: each becomes `dist/NAME.js`. */
const entries: Readonly<Record<string, string>> = {
  main: 'src/cli/main.ts',
  worker: 'src/jobs/worker.ts',
  'task-worker': 'src/tasks/task-worker.ts',
  'lease-beat-thread': 'src/queue/lease-beat-thread.ts',
  'hdf5-thread': 'src/formats/hdf5-thread.ts',
}

/** Texts of the repository that every published copy carries. */
const carriedTexts = ['LICENSE', 'LICENSES', 'NOTICE', 'README.md']

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** True for what the installed package finds in its own node_modules, or in Node. */
export function isExternal(specifier: string): boolean {
  if (specifier.startsWith('.') || isAbsolute(specifier)) return false
  return !specifier.startsWith('@thalweg/')
}

/** `@scope/name/path` → `@scope/name`; `name/path` → `name`. */
export function packageNameOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Where the imports of the bundle and the dependencies that its users will install disagree.
 *
 * @param imported   specifiers left in the bundle.
 * @param published  `dependencies` of the published package.
 * @param bundled    `dependencies` of each package inside the bundle, whose versions must be the published ones. */
export function dependencyProblems(
  imported: readonly string[],
  published: Readonly<Record<string, string>>,
  bundled: readonly Manifest[],
): string[] {
  const used = new Set(imported.filter((specifier) => !isBuiltin(specifier)).map(packageNameOf))
  const missing = [...used].filter((name) => !(name in published))
  const unused = Object.keys(published).filter((name) => !used.has(name))
  const versions = bundled.flatMap(({ name, dependencies = {} }) =>
    Object.entries(dependencies)
      .filter(([dependency, version]) => dependency in published && published[dependency] !== version)
      .map(([dependency, version]) => `${dependency}: ${published[dependency]} published, ${version} in ${name}.`),
  )
  return [
    ...missing.map((name) => `${name}: imported by the bundle, not in dependencies of packages/thalweg.`),
    ...unused.map((name) => `${name}: in dependencies of packages/thalweg, not imported by the bundle.`),
    ...versions,
  ]
}

async function bundle(folder: string): Promise<OutputChunk[]> {
  const build = await rolldown({
    cwd: folder,
    input: entries,
    platform: 'node',
    external: isExternal,
    treeshake: true,
  })
  try {
    const { output } = await build.write({
      dir: join(folder, 'dist'),
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    })
    removeOthers(join(folder, 'dist'), [...output.map((file) => file.fileName), 'lab'])
    return output.filter((file) => file.type === 'chunk')
  } finally {
    await build.close()
  }
}

/** Files of earlier builds. The page is left alone: a lab may be serving it. */
function removeOthers(folder: string, kept: readonly string[]): void {
  for (const name of readdirSync(folder)) {
    if (!kept.includes(name)) rmSync(join(folder, name), { recursive: true })
  }
}

/** Builds; answers what stands in the way of publishing. */
async function buildThalweg(): Promise<string[]> {
  const folder = join(root, 'packages/thalweg')
  const absent = Object.values(entries).filter((file) => !existsSync(join(folder, file)))
  if (absent.length > 0) return absent.map((file) => `packages/thalweg/${file} does not exist.`)
  const chunks = await bundle(folder)
  const bytes = chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.code), 0)
  buildLab()
  console.log(`packages/thalweg/dist: ${chunks.length} files, ${(bytes / 1024).toFixed(0)} KiB`)
  const texts = carriedTexts.filter((name) => existsSync(join(root, name)))
  for (const name of texts) cpSync(join(root, name), join(folder, name), { recursive: true })
  const imported = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])
  const outside = imported.filter((specifier) => !chunks.some((chunk) => chunk.fileName === specifier))
  const bundled = ['graph', 'engine', 'landscape'].map((name) => readManifest(join(root, 'packages', name)))
  const { dependencies, optionalDependencies } = readManifest(folder)
  return dependencyProblems(outside, { ...dependencies, ...optionalDependencies }, bundled)
}

if (import.meta.main) {
  const problems = await buildThalweg()
  for (const problem of problems) console.error(`build: ${problem}`)
  process.exitCode = problems.length > 0 ? 1 : 0
}
