import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { CriticalArgument, CriticalDocument } from '../../analyses/critical/critical-job.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { addQueueOptions, queueAddress } from '../queue-options.ts'
import type { QueueOptions } from '../queue-options.ts'
import { addSubjectOptions, realNumber, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

type CriticalOptions = SubjectOptions &
  Omit<CriticalArgument, 'subject' | 'timeLimitMs' | 'queue'> &
  QueueOptions & { readonly timeLimit?: number }

interface Row {
  readonly loss: number
  readonly verdict: string
  readonly negative: number
  readonly zero: number
  readonly positive: number
  readonly indexFraction: number
  readonly found: number
}

interface Document {
  readonly method: string
  readonly starts: { readonly count: number; readonly source: string }
  readonly outcomes: Readonly<Record<string, number>>
  readonly table: readonly Row[]
  readonly products: number
  readonly files?: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

/** The finders of the landscape package, written out so that `--help` need not load it. */
const methods = [
  'polish',
  'trust-region-newton',
  'damped-newton',
  'saddle-free-newton',
  'krylov-saddle-free-newton',
  'newton-mr',
  'gradient-norm',
]

function amplitudes(text: string): number[] {
  const list = text.split(',').map(Number)
  if (text.trim() === '' || list.some((value) => !(value >= 0 && Number.isFinite(value))))
    throw new InvalidArgumentError(`must list amplitudes ≥ 0, such as 0,0.1,1, got ${text}.`)
  return list
}

/** `thalweg critical MODEL|EXPERIMENT`: many critical points, classified; index against loss. */
export function addCriticalCommand(root: Command): void {
  const command = root.command('critical').description('find and classify many critical points; index against loss')
  addQueueOptions(addSubjectOptions(command))
    .addOption(new Option('--method <finder>', 'how to search').choices(methods).default('polish'))
    .option('--starts <n>', 'searches', wholeNumber('--starts', 1), 20)
    .option(
      '--noise <list>',
      'amplitudes of the noise on the starts, relative to the size of the parameters',
      amplitudes,
      [0, 0.1, 0.5],
    )
    .option('--trajectory <dir>', 'folder of checkpoints to start from (default: those of the run)')
    .option('--random', 'start from fresh initializations, not from checkpoints')
    .option('--max-iterations <n>', 'steps per search', wholeNumber('--max-iterations', 1))
    .option(
      '--gradient-tolerance <g>',
      'gradient norm that counts as zero (default: ten times its noise floor)',
      realNumber,
    )
    .option(
      '--dense-limit <p>',
      'count all eigenvalues up to this many parameters (default 3000)',
      wholeNumber('--dense-limit', 0),
    )
    .option('--samples <n>', 'on so many samples, drawn by the seed, instead of all', wholeNumber('--samples', 1))
    .option('--out <dir>', 'write the points (.safetensors)')
    .option('--workers <n>', 'processes that search, of one thread each', wholeNumber('--workers', 1))
    .option('--figure <file>', 'write index against loss (.svg)')
    .option('--time-limit <t>', 'stop with what was found: 90s, 5m, 2h', durationMs('--time-limit'))
    .addOption(new Option('--lang <lang>', 'language of the sentences').choices(['en', 'zh']).default('en'))
    .action(async (model: string, options: CriticalOptions) => {
      const { method, starts, noise, trajectory, random, maxIterations, gradientTolerance } = options
      const { denseLimit, samples, threads, lang, out, figure, workers } = options
      const argument: CriticalArgument = {
        subject: subjectArgument(model, options),
        ...{ method, starts, noise, trajectory, random, maxIterations, gradientTolerance },
        ...{ denseLimit, samples, threads, lang, out, figure, timeLimitMs: options.timeLimit },
        ...{ workers, queue: queueAddress(options) },
      }
      const started = performance.now()
      const document = await runWithProgress<CriticalDocument>('critical', argument, options)
      const elapsedMs = performance.now() - started
      if (document['status'] === 'time-limit') process.exitCode = 3
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'critical', version: packageVersion(), ...document, seed: options.seed, elapsedMs })
      } else print(options, ...criticalLines(document as unknown as Document, elapsedMs))
    })
}

function criticalLines(d: Document, elapsedMs: number): string[] {
  const outcomes = Object.entries(d.outcomes).map(([status, count]) => `${count} ${status}`)
  const row = (loss: string, index: string, inertia: string, found: string, verdict: string): string =>
    `${loss.padStart(18)}  ${index.padStart(6)}  ${inertia.padEnd(16)} ${found.padStart(5)}  ${verdict}`
  return [
    `${d.starts.count} starts (${d.starts.source}), ${d.method}: ${outcomes.join(', ')}; ${d.products} products, ${duration(elapsedMs)}`,
    ...(d.table.length > 0 ? [row('loss', 'index', '(−, 0, +)', 'found', 'verdict')] : ['no critical point was found']),
    ...d.table.map((r) =>
      row(
        r.loss.toPrecision(12),
        r.indexFraction.toFixed(3),
        `(${r.negative}, ${r.zero}, ${r.positive})`,
        String(r.found),
        r.verdict,
      ),
    ),
    ...Object.entries(d.files ?? {}).map(([name, path]) => `${name}: ${path}`),
    ...d.warnings.map((w) => `warning: ${w}`),
  ]
}
