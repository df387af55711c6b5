/** House rules that no linter knows: `node tools/check-source.ts [ROOT]`. Sizes, console, clocks and randomness are oxlint's. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

/** Names that say nothing about what a file holds. */
const emptyNames = new Set(['util', 'utils', 'helper', 'helpers', 'manager', 'misc', 'common'])

/** Built-in errors without a code; the classes of graph/core/errors.ts say what the caller can do. */
const bareError = /\bnew (Error|TypeError|RangeError|SyntaxError|EvalError)\b/
const comment = /^\s*(\/\/|\/?\*)/

const isTest = (path: string): boolean => /\.test\.ts$|\/test\/|\/testing\//.test(path)
const isPackageSource = (path: string): boolean => /^packages\/[^/]+\/src\//.test(path)

function nameProblems(path: string): string[] {
  const words = basename(path).replace(/\..*$/, '').split('-')
  const empty = words.filter((word) => emptyNames.has(word))
  const spelling = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.ts$/.test(basename(path))
    ? []
    : [`${path}: file names are kebab-case.`]
  return [...spelling, ...empty.map((word) => `${path}: "${word}" names nothing. Name the file after its main export.`)]
}

/** Numbers of the lines that make one, comments left out. */
function bareErrorLines(text: string): number[] {
  const lines = text.split('\n').map((line, index) => ({ line, number: index + 1 }))
  return lines.filter(({ line }) => bareError.test(line) && !comment.test(line)).map(({ number }) => number)
}

/** What is wrong with one TypeScript file, given its path from the root and its text. */
export function sourceProblems(path: string, text: string): string[] {
  const problems = nameProblems(path)
  if (isPackageSource(path) && !isTest(path)) {
    for (const line of bareErrorLines(text)) {
      problems.push(`${path}:${line}: a bare error. Throw one of the classes of packages/graph/src/core/errors.ts.`)
    }
  }
  if (/^packages\/[^/]+\/src\/index\.ts$/.test(path) && !text.startsWith('/**')) {
    problems.push(`${path}:1: the index of a package starts with a docstring that says what the package is.`)
  }
  return problems
}

/** Folders of code under `packages`, as docs/architecture.md names them: `packages/graph/src/core`. */
export function codeFolders(paths: readonly string[]): string[] {
  const folders = paths
    .map((path) => /^packages\/[^/]+\/src\/[^/]+(?=\/)/.exec(path)?.[0])
    .filter((it) => it !== undefined)
  return [...new Set(folders)].toSorted()
}

/** Folders that docs/architecture.md leaves out, and folders it tells of that are gone. */
export function architectureProblems(text: string, folders: readonly string[]): string[] {
  const told = new Set([...text.matchAll(/`(packages\/[^`]*?)\/?`/g)].map((match) => match[1]))
  const toldCode = [...told].filter((folder) => /^packages\/[^/]+\/src\/[^/]+$/.test(folder))
  return [
    ...folders
      .filter((folder) => !told.has(folder))
      .map((folder) => `docs/architecture.md: says nothing of ${folder}.`),
    ...toldCode
      .filter((folder) => !folders.includes(folder))
      .map((folder) => `docs/architecture.md: ${folder} is gone.`),
  ]
}

/** Every problem of the repository at `root`. */
export function checkSource(root: string): { readonly files: number; readonly problems: readonly string[] } {
  const paths = globSync(['packages/**/*.ts', 'tools/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts'], {
    cwd: root,
    exclude: ['**/node_modules/**', '**/dist/**', '**/generated/**'],
  }).toSorted()
  const architecture = join(root, 'docs/architecture.md')
  const text = existsSync(architecture) ? readFileSync(architecture, 'utf8') : ''
  const problems = [
    ...(paths.length === 0 ? ['0 files read.'] : []),
    ...paths.flatMap((path) => sourceProblems(path, readFileSync(join(root, path), 'utf8'))),
    ...architectureProblems(text, codeFolders(paths)),
  ]
  return { files: paths.length, problems }
}

if (import.meta.main) {
  const { files, problems } = checkSource(resolve(process.argv[2] ?? '.'))
  for (const problem of problems) console.error(problem)
  console.log(`${files} files, ${problems.length} problems`)
  process.exitCode = problems.length > 0 ? 1 : 0
}
