/** Builds the page of `thalweg lab` from apps/lab into packages/thalweg/dist/lab, where it is not up to date already. The
 * tests of the lab, `npm run build` and, in a checkout, `thalweg lab` itself ask for it, each whenever it begins. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const target = join(root, 'packages/thalweg/dist/lab')

/** Beside the page: the digest of what it was built from. */
const stampName = 'sources.sha256'

/** What the page is made of: files, and folders with all that lies in them. */
const sources: readonly string[] = [
  'package-lock.json',
  'apps/lab/index.html',
  'apps/lab/package.json',
  'apps/lab/public',
  'apps/lab/site/no-webgpu.ts',
  'apps/lab/src',
  'apps/lab/vite.config.ts',
  'packages/engine/src',
  'packages/graph/src',
  'packages/landscape/src',
]

const isSource = (path: string): boolean => !/\.test\.tsx?$/.test(path)

function filesUnder(path: string): string[] {
  const full = join(root, path)
  if (statSync(full).isFile()) return [path]
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter(isSource)
    .sort()
}

/** Over names and contents, so that neither a fresh clone nor a touched file asks for a new page. */
function digestOfSources(): string {
  const hash = createHash('sha256')
  for (const path of sources.flatMap(filesUnder)) {
    const bytes = readFileSync(join(root, path))
    hash.update(`${path.replaceAll('\\', '/')}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

function isUpToDate(digest: string): boolean {
  const stamp = join(target, stampName)
  return existsSync(join(target, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === digest
}

/** React and its like choose their production builds by NODE_ENV, which test runners set to something else. */
function runVite(outDir: string): SpawnSyncReturns<string> {
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  if (!existsSync(vite)) throw new Error('build-lab: vite is not installed. Install what the checkout needs: npm ci')
  const args = [vite, 'build', 'apps/lab', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn']
  return spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production' },
  })
}

/** Puts the new page in the place of the old one; whoever builds at the same time puts the same one there. */
function replacePage(built: string): void {
  const old = `${built}-old`
  mkdirSync(join(target, '..'), { recursive: true })
  if (existsSync(target)) renameSync(target, old)
  renameSync(built, target)
  rmSync(old, { recursive: true, force: true })
}

/** For vitest, which calls it once before the first of the test files that look at pages. */
export const setup: () => void = buildLab

/** Builds the page unless it is there and up to date, which takes a tenth of a second to see. No network is needed. */
export function buildLab(): void {
  const digest = digestOfSources()
  if (isUpToDate(digest)) return
  const start = performance.now()
  console.error('lab: building the page (npm run build:lab) …')
  const built = join(root, '.cache', `lab-${process.pid}`)
  try {
    const { status, stdout, stderr, error } = runVite(built)
    if (status !== 0) throw new Error(`build-lab: vite failed.\n${stdout}${stderr}`, { cause: error })
    writeFileSync(join(built, stampName), `${digest}\n`)
    replacePage(built)
  } finally {
    rmSync(built, { recursive: true, force: true })
  }
  console.error(`lab: built in ${((performance.now() - start) / 1000).toFixed(1)} s.`)
}

if (import.meta.main) {
  try {
    buildLab()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
