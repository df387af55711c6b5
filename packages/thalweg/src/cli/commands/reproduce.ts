import { DomainError } from '@thalweg/graph'
import { Option } from 'commander'
import type { Command } from 'commander'
import { resolve } from 'node:path'
import type { ReproduceArgument, ReproduceDocument } from '../../analyses/reproduce/reproduce-argument.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'

interface ReproduceOptions extends CommonOptions {
  readonly list?: boolean
  readonly all?: boolean
  readonly topic?: string
  readonly seed: number
  readonly workers?: number
  readonly timeLimit?: number
  readonly resume?: boolean
  readonly check?: boolean
  readonly out: string
  readonly lang: 'en' | 'zh'
}

interface Entry {
  readonly id: string
  readonly topic: string
  readonly expected: string
  readonly status: 'finished' | 'failed' | 'not-run'
  readonly outcome?: string
  readonly agrees?: boolean
  readonly summary?: string
  readonly problem?: string
  readonly elapsedMs?: number
}

interface Document {
  readonly status: 'finished' | 'time-limit' | 'interrupted'
  readonly counts: Readonly<Record<'claims' | 'agree' | 'differ' | 'failed' | 'notRun', number>>
  readonly claims: readonly Entry[]
  readonly files: { readonly page: string }
}

/** `thalweg reproduce [CLAIM…]`: the claims of the literature, run. */
export function addReproduceCommand(root: Command): void {
  root
    .command('reproduce')
    .description('run the claims of the literature and say which hold; writes a ledger')
    .argument('[claims...]', 'ids, see --list')
    .option('--list', 'the claims, without running them')
    .option('--all', 'every claim')
    .option('--topic <words>', 'only topics that contain these words')
    .option('--seed <n>', 'of all experiments', wholeNumber('--seed', 0), 0)
    .option('--workers <n>', 'experiments at a time (default: cores)', wholeNumber('--workers', 1))
    .option('--time-limit <t>', 'stop with what has finished: 90s, 5m, 2h', durationMs('--time-limit'))
    .option('--resume', 'keep what an earlier run with the same code, engine and seed has finished')
    .option('--check', 'exit with status 3 if an outcome is not the expected one')
    .option('--out <dir>', 'folder of the ledger', 'runs/ledger')
    .addOption(
      new Option('--lang <lang>', 'language of the page around the claims').choices(['en', 'zh']).default('en'),
    )
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .action(async (ids: string[], options: ReproduceOptions) => {
      if (options.list) return list(ids, options)
      if (ids.length > 0 && options.all)
        throw new DomainError(
          `reproduce: --all runs every claim, got ids too: ${ids.join(', ')}. Give one or the other.`,
        )
      if (ids.length === 0 && !options.all && options.topic === undefined)
        throw new DomainError('reproduce: name claims, or pass --all or --topic. --list names them.')
      await run(ids, options)
    })
}

async function list(ids: readonly string[], options: ReproduceOptions): Promise<void> {
  const { claimData, ledger, selectClaims } = await import('@thalweg/landscape/claims')
  const claims = selectClaims(ledger, { ids, topic: options.topic })
  if (options.json) {
    const { packageVersion } = await import('../../files/package-file.ts')
    const plain = claims.map(claimData)
    return printJson({ command: 'reproduce', version: packageVersion(), status: 'listed', claims: plain, warnings: [] })
  }
  const width = Math.max(...claims.map(({ id }) => id.length))
  const topics = [...new Set(claims.map(({ topic }) => topic))]
  const lines = topics.flatMap((topic) => [
    topic,
    ...claims
      .filter((claim) => claim.topic === topic)
      .map(
        ({ id, expected, estimateSeconds, statement }) =>
          `  ${id.padEnd(width)}  ${expected.padEnd(21)} ${String(Math.ceil(estimateSeconds)).padStart(4)} s  ${statement}`,
      ),
  ])
  const total = claims.reduce((sum, { estimateSeconds }) => sum + estimateSeconds, 0)
  print(options, ...lines, `${claims.length} claims, about ${duration(1000 * total)} of computation`)
}

async function run(ids: readonly string[], options: ReproduceOptions): Promise<void> {
  const { topic, seed, workers, timeLimit, resume = false, out, lang } = options
  const argument: ReproduceArgument = {
    ...{ ids, topic, seed, workers, timeLimitMs: timeLimit, resume, out: resolve(out), lang },
    command: commandOf(ids, options),
  }
  const started = performance.now()
  const result = await runWithProgress<ReproduceDocument>('reproduce', argument, options)
  const document = result as unknown as Document
  const elapsedMs = performance.now() - started
  const { counts, status } = document
  if (process.exitCode !== 130)
    if (status !== 'finished' || counts.failed > 0 || (options.check && counts.differ > 0)) process.exitCode = 3
  if (options.json) {
    const { packageVersion } = await import('../../files/package-file.ts')
    printJson({ command: 'reproduce', version: packageVersion(), ...result, elapsedMs })
  } else print(options, ...resultLines(document, elapsedMs))
}

/** What repeats the run, for the page. */
function commandOf(ids: readonly string[], { all, topic, seed }: ReproduceOptions): string {
  const words = [...ids, ...(all ? ['--all'] : []), ...(topic === undefined ? [] : [`--topic "${topic}"`])]
  return `thalweg reproduce ${[...words, `--seed ${seed}`].join(' ')}`
}

function resultLines({ counts, claims, status, files }: Document, elapsedMs: number): string[] {
  const width = Math.max(...claims.map(({ id }) => id.length))
  const lines = claims.map((entry) => {
    const time = entry.elapsedMs === undefined ? '' : ` (${duration(entry.elapsedMs)})`
    const sign = entry.status === 'finished' ? (entry.agrees ? ' ' : '!') : entry.status === 'failed' ? '!' : '-'
    const text = entry.summary ?? entry.problem ?? ''
    return `${sign} ${entry.id.padEnd(width)}  ${(entry.outcome ?? entry.status).padEnd(21)} ${text}${time}`
  })
  const odd = claims.filter(({ agrees, status: ended }) => agrees === false || ended === 'failed')
  return [
    ...lines,
    ...odd.map(({ id, outcome, expected }) => `DIFFERS: ${id} gave ${outcome ?? 'no result'}, expected ${expected}.`),
    `${counts.agree} of ${counts.claims} as expected, ${counts.differ} different, ${counts.failed} failed, ${counts.notRun} not run; ${duration(elapsedMs)}${status === 'finished' ? '' : `, ${status}`}`,
    `ledger: ${files.page}`,
  ]
}
