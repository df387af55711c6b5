import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { RunArgument, RunOutcome } from '../../experiment/run-results.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { addQueueOptions, queueAddress } from '../queue-options.ts'
import type { QueueOptions } from '../queue-options.ts'
import { requireBrowser, writePdf } from './report.ts'

interface RunOptions extends CommonOptions, QueueOptions {
  readonly out?: string
  readonly seed?: number
  readonly threads?: number
  readonly timeLimit?: number
  readonly lang: 'en' | 'zh'
  readonly png?: boolean
  readonly pdf?: true | string
  readonly resume?: boolean
  readonly workers?: number
}

/** `thalweg run EXPERIMENT.yaml`: the main job; `thalweg schema`: what such a file may hold. */
export function addRunCommand(root: Command): void {
  const command = root
    .command('run')
    .description('train and analyze what an experiment file describes; writes a run directory and report.html')
    .argument('<experiment>', 'YAML file')
    .option('--out <dir>', 'run directory (default: runs/NAME)')
    .option('--seed <n>', 'instead of the seed in the file', wholeNumber('--seed', 0))
    .option('--threads <n>', 'threads of the engine', wholeNumber('--threads', 1))
    .option('--time-limit <t>', 'stop training after this long: 90s, 5m, 2h', durationMs('--time-limit'))
    .option('--lang <lang>', 'language of the report: en or zh', 'en')
    .option('--png', 'figures as PNG too')
    .option('--pdf [file]', 'print the report too, with a browser of this machine (default: beside it)')
    .option('--resume', 'go on with the last run of this experiment that was stopped, or with that of --out')
    .option('--workers <n>', 'processes for stages made of tasks, of one thread each', wholeNumber('--workers', 1))
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
  addQueueOptions(command).action(async (file: string, options: RunOptions) => {
    const { readExperiment } = await import('../../experiment/load-experiment.ts')
    const { name } = await readExperiment(file)
    // before hours of work, not after them
    if (options.pdf !== undefined) await requireBrowser()
    const argument: RunArgument = {
      file,
      runRoot: resolve('runs'),
      out: options.out,
      seed: options.seed,
      threads: options.threads,
      timeLimitMs: options.timeLimit,
      lang: options.lang,
      png: options.png,
      resume: options.resume,
      workers: options.workers,
      queue: queueAddress(options),
    }
    const outcome = await runWithProgress<RunOutcome>('run-experiment', argument, options)
    const pdf = options.pdf === undefined ? undefined : await pdfOf(outcome, options.pdf)
    await printRun(name, { ...outcome, ...(pdf !== undefined && { pdf }) }, options)
  })
  root
    .command('schema')
    .description('the JSON Schema of experiment files, for editors; --output: of what --json prints')
    .option('--output', 'the schema of the documents that --json prints')
    .action(async ({ output }: { output?: boolean }) => {
      if (output) printJson((await import('../output-schema.ts')).outputJsonSchema())
      else printJson((await import('../../experiment/schema.ts')).experimentJsonSchema())
    })
}

async function pdfOf({ report }: RunOutcome, wanted: true | string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return writePdf(await readFile(report, 'utf8'), report, wanted)
}

export async function printRun(
  name: string,
  outcome: RunOutcome & { readonly pdf?: string },
  options: CommonOptions,
): Promise<void> {
  if (options.json) {
    const { packageVersion } = await import('../../runs/manifest.ts')
    printJson({ command: 'run', version: packageVersion(), experiment: name, ...outcome })
    return
  }
  print(
    options,
    `${name}: loss ${outcome.loss.toPrecision(6)}, gradient norm ${outcome.gradientNorm.toExponential(2)}, ${duration(outcome.elapsedMs)}`,
    `verdict: ${outcome.verdict}. ${outcome.summary}`,
    ...outcome.warnings.map((warning) => `warning: ${warning}`),
    `report: ${outcome.report}`,
    ...(outcome.pdf === undefined ? [] : [`pdf: ${outcome.pdf}`]),
  )
}
