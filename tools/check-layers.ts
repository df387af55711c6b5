/** Refuses imports against the layers of `layer-rules.ts`: `node tools/check-layers.ts [ROOT]`. */
import { existsSync, globSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { folderOrder, layerRules } from './layer-rules.ts'

export interface LayerReport {
  /** Modules read and imports followed; none means the tool is blind, not that the code is clean. */
  readonly modules: number
  readonly dependencies: number
  readonly problems: readonly string[]
}

const roots = ['packages', 'apps', 'tools', 'bench', 'test']

/** Folders beside ordered ones that have no place in the declared order, so that no rule would guard them. */
function unorderedFolders(root: string): string[] {
  return Object.entries(folderOrder).flatMap(([parent, folders]) => {
    const source = join(root, 'packages', parent)
    const found = existsSync(source) ? readdirSync(source, { withFileTypes: true }) : []
    return found
      .filter((entry) => entry.isDirectory() && entry.name !== 'testing' && !folders.includes(entry.name))
      .map((entry) => `packages/${parent}/${entry.name}: folder has no place in the order. Add it to layer-rules.ts.`)
  })
}

async function cruiseRoot(root: string): Promise<ICruiseResult> {
  const present = roots.filter((folder) => existsSync(join(root, folder)))
  const reply = await cruise(
    present,
    {
      baseDir: root,
      parser: 'swc',
      tsPreCompilationDeps: true,
      validate: true,
      ruleSet: { forbidden: layerRules(root) as never },
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '^(packages|apps)/[^/]+/dist(-site)?/' },
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.d.ts', '.js', '.mjs', '.json'],
    },
  )
  return reply.output as ICruiseResult
}

/** Cruises the repository at `root`. Blindness (no modules, no imports, a source file not read) is a problem too. */
export async function checkLayers(root: string): Promise<LayerReport> {
  const { modules, summary } = await cruiseRoot(root)
  const read = new Set(modules.map((module) => module.source))
  const sources = globSync(['packages/*/src/**/*.ts', 'apps/*/src/**/*.{ts,tsx}'], { cwd: root }).map((path) =>
    path.replaceAll('\\', '/'),
  )
  const unread = sources.filter((path) => !read.has(path))
  const blind = [
    ...(read.size === 0 ? ['0 modules cruised: dependency-cruiser read nothing.'] : []),
    ...(summary.totalDependenciesCruised ? [] : ['0 imports followed: the parser saw none.']),
    ...unread.map((path) => `${path}: not cruised.`),
  ]
  const violations = summary.violations.map(({ rule, from, to, cycle }) => {
    const target = cycle ? cycle.map((step) => step.name).join(' → ') : to
    return `${from}: ${rule.name} → ${target}`
  })
  return {
    modules: read.size,
    dependencies: summary.totalDependenciesCruised ?? 0,
    problems: [...blind, ...unorderedFolders(root), ...violations],
  }
}

if (import.meta.main) {
  const { modules, dependencies, problems } = await checkLayers(resolve(process.argv[2] ?? '.'))
  for (const problem of problems) console.error(problem)
  console.log(`${modules} modules, ${dependencies} imports, ${problems.length} against the layers`)
  process.exitCode = problems.length > 0 ? 1 : 0
}
