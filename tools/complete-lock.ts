/** Adds to package-lock.json the native packages of other platforms that npm left out: `node tools/complete-lock.ts`.
 *
 * A registry mirror that serves only some platforms makes npm write a lock file without the others, and `npm ci` refuses such a file
 * wherever it is run. What is added has no integrity, as nothing was fetched; `npm install` on that platform adds it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** `packages` of a lock file: the place of a package (`node_modules/a/node_modules/b`) to what is there. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>

const systems = new Set([
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
])
const processors = new Set([
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
])

/** Where Node would find `name` from the package at `place`, if anywhere. */
function findPlace(packages: LockedPackages, place: string, name: string): string | undefined {
  for (let base = place; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const candidate = base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`
    if (candidate in packages) return candidate
    if (base === '') return undefined
  }
}

/** What the name of a native package says of its platform: `@swc/core-linux-arm64-musl`; undefined where it names none. */
export function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.split(/[-/]/)
  const os = words.filter((word) => systems.has(word))
  const cpu = words.filter((word) => processors.has(word))
  if (cpu.length !== 1 || (os.length !== 1 && cpu[0] !== 'wasm32')) return undefined
  const abi = words.at(-1) ?? ''
  const libc = abi.startsWith('musl') ? ['musl'] : abi.startsWith('gnu') ? ['glibc'] : undefined
  return { ...(os.length > 0 && { os }), cpu, ...(libc && { libc }) }
}

interface Missing {
  readonly place: string
  readonly entry: LockedPackage
}

/** What the package at `place` lists and cannot find in its version. It goes to the top where that is free, else into its dependent. */
function missingFor(packages: LockedPackages, place: string): Missing[] {
  const { dev, optionalDependencies = {} } = packages[place]
  return Object.entries(optionalDependencies).flatMap(([name, version]) => {
    const platform = platformOf(name)
    const found = findPlace(packages, place, name)
    const isExact = /^\d/.test(version)
    if (platform === undefined || !isExact || (found !== undefined && packages[found].version === version)) return []
    const target = `${found === undefined ? '' : `${place}/`}node_modules/${name}`
    return [{ place: target, entry: { version, ...(dev && { dev }), ...platform, optional: true } }]
  })
}

/** The packages with what is missing added in npm's order, and the places that were filled. */
export function completeLock(packages: LockedPackages): { packages: LockedPackages; added: readonly string[] } {
  const missing = Object.keys(packages).flatMap((place) => missingFor(packages, place))
  const entries = missing.map(({ place, entry }): [string, LockedPackage] => [place, entry])
  const compare = ([left]: [string, unknown], [right]: [string, unknown]): number => left.localeCompare(right, 'en')
  const all = [...Object.entries(packages), ...entries].toSorted(compare)
  return { packages: Object.fromEntries(all), added: missing.map(({ place }) => place) }
}

if (import.meta.main) {
  const file = resolve(import.meta.dirname, '../package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: LockedPackages }
  const { packages, added } = completeLock(lock.packages)
  if (added.length > 0) writeFileSync(file, `${JSON.stringify({ ...lock, packages }, undefined, 2)}\n`)
  console.log(`package-lock.json: ${added.length} packages of other platforms added`)
}
