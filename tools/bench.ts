/** Runs benchmarks side by side: `npm run bench [NAME…]`. Writes bench/results/NAME.json with commit, Node and CPU. */
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type Benchmark,
  type ContestantTimes,
  disagreement,
  ratioTo,
  referenceOf,
  summarize,
  timeContestants,
  wrongOnes,
} from './side-by-side.ts'

const root = resolve(import.meta.dirname, '..')

interface Machine {
  readonly commit: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
}

function commitOfRoot(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+changes')
  } catch {
    return 'unknown'
  }
}

function describeMachine(): Machine {
  const processors = cpus()
  return {
    commit: commitOfRoot(),
    node: process.version,
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  }
}

const milliseconds = (value: number): string => value.toPrecision(4).padStart(10)

/** The error of a result and the facts about it that are one number, where the truth is known. */
function findings(benchmark: Benchmark, entry: ContestantTimes, reference: ContestantTimes): string {
  if (benchmark.truth === undefined || 'skipped' in entry) return ''
  const error = disagreement(entry, reference)
  const { residuals, products } = entry.facts ?? {}
  return [
    `  error ${error.toExponential(1)}${error <= benchmark.tolerance ? '' : ' (wrong)'}`,
    ...(Array.isArray(residuals) ? [`residual ${Math.max(...(residuals as number[])).toExponential(1)}`] : []),
    ...(typeof products === 'number' ? [`${products} products`] : []),
  ].join(', ')
}

/** One line per contestant: min, median, spread, and the ratio of its median to ours. */
function report(benchmark: Benchmark, times: readonly ContestantTimes[]): string[] {
  const ours = times[0]
  const reference = referenceOf(benchmark, times)
  return times.map((entry) => {
    if ('skipped' in entry) return `  ${entry.name.padEnd(32)} skipped: ${entry.skipped}`
    const { min, median, spread } = summarize(entry.elapsedMs)
    const ratio = entry === ours ? '' : `${ratioTo(entry, ours).toFixed(2)}×`
    const target = benchmark.targetRatios?.[entry.name]
    const aim = target === undefined ? '' : `  (aim ≥ ${target}×)`
    const memory = entry.memoryMiB === undefined ? '' : `  ${Math.round(entry.memoryMiB)} MiB`
    return `  ${entry.name.padEnd(32)}${milliseconds(min)}${milliseconds(median)}  ±${(spread * 100).toFixed(0)} %  ${ratio}${aim}${memory}${findings(benchmark, entry, reference)}`
  })
}

function toJson(benchmark: Benchmark, times: readonly ContestantTimes[], machine: Machine): object {
  const reference = referenceOf(benchmark, times)
  const contestants = times.map((entry) =>
    'skipped' in entry
      ? entry
      : {
          name: entry.name,
          ...summarize(entry.elapsedMs),
          ratio: ratioTo(entry, times[0]),
          disagreement: disagreement(entry, reference),
          ...(entry.memoryMiB !== undefined && { memoryMiB: entry.memoryMiB }),
          ...(entry.facts && { facts: entry.facts }),
          ...(benchmark.truth !== undefined && { result: Array.from(entry.result) }),
          elapsedMs: entry.elapsedMs,
        },
  )
  const { name, work, truth, tolerance } = benchmark
  return {
    ...{ benchmark: name, work, unit: 'ms', tolerance },
    ...(truth !== undefined && { truth }),
    ...{ machine, contestants },
  }
}

/** Runs one benchmark; answers the contestants whose numbers differ from ours by more than the tolerance. */
async function runBenchmark(benchmark: Benchmark, machine: Machine): Promise<string[]> {
  console.log(`${benchmark.name}: ${benchmark.work}`)
  console.log(`  ${'ms'.padEnd(32)}${'min'.padStart(10)}${'median'.padStart(10)}  spread  theirs / ours`)
  const times = await timeContestants(benchmark)
  console.log(report(benchmark, times).join('\n'))
  const folder = join(root, 'bench/results')
  mkdirSync(folder, { recursive: true })
  const text = JSON.stringify(toJson(benchmark, times, machine), undefined, 2)
  writeFileSync(join(folder, `${benchmark.name}.json`), `${text}\n`)
  const reference = referenceOf(benchmark, times)
  return wrongOnes(benchmark, times).map(
    (entry) =>
      `${benchmark.name}: ${entry.name} computes something else (${disagreement(entry, reference).toExponential(1)})`,
  )
}

async function main(names: readonly string[]): Promise<number> {
  const files = globSync('bench/*.bench.ts', { cwd: root }).toSorted()
  const nameOf = (file: string): string => basename(file, '.bench.ts')
  const unknown = names.filter((name) => !files.some((file) => nameOf(file) === name))
  if (files.length === 0 || unknown.length > 0) {
    console.error(
      `bench: no benchmark ${unknown.join(', ')}. There are ${files.length}: ${files.map(nameOf).join(', ')}.`,
    )
    return 2
  }
  const machine = describeMachine()
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.commit}\n`)
  const problems: string[] = []
  for (const file of files.filter((it) => names.length === 0 || names.includes(nameOf(it)))) {
    const { benchmark } = (await import(pathToFileURL(join(root, file)).href)) as { benchmark: Benchmark }
    problems.push(...(await runBenchmark(benchmark, machine)))
  }
  for (const problem of problems) console.error(problem)
  return problems.length > 0 ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
