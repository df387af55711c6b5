import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { RunArgument, RunOutcome } from '../../experiment/run-results.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'

interface RunOptions extends CommonOptions {
  readonly out?: string
  readonly seed?: number
  readonly threads?: number
  readonly timeLimit?: number
  readonly lang: 'en' | 'zh'
  readonly png?: boolean
}

/** `thalweg run EXPERIMENT.yaml`: the main job; `thalweg schema`: what such a file may hold. */
export function addRunCommand(root: Command): void {
  root
    .command('run')
    .description('train and analyze what an experiment file describes; writes a run directory and report.html')
    .argument('<experiment>', 'YAML file')
    .option('--out <dir>', 'run directory (default: runs/NAME)')
    .option('--seed <n>', 'instead of the seed in the file', wholeNumber('--seed', 0))
    .option('--threads <n>', 'threads of the engine', wholeNumber('--threads', 1))
    .option('--time-limit <t>', 'stop training after this long: 90s, 5m, 2h', durationMs('--time-limit'))
    .option('--lang <lang>', 'language of the report: en or zh', 'en')
    .option('--png', 'figures as PNG too')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .action(async (file: string, options: RunOptions) => {
      const { readExperiment } = await import('../../experiment/load-experiment.ts')
      const experiment = await readExperiment(file)
      const argument: RunArgument = {
        file,
        runRoot: resolve('runs'),
        out: options.out,
        seed: options.seed,
        threads: options.threads,
        timeLimitMs: options.timeLimit,
        lang: options.lang,
        png: options.png,
      }
      const outcome = await runWithProgress<RunOutcome>('run-experiment', argument, options)
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'run', version: packageVersion(), experiment: experiment.name, ...outcome, warnings: [] })
        return
      }
      print(
        options,
        `${experiment.name}: loss ${outcome.loss.toPrecision(6)}, gradient norm ${outcome.gradientNorm.toExponential(2)}, ${duration(outcome.elapsedMs)}`,
        `verdict: ${outcome.verdict}. ${outcome.summary}`,
        `report: ${outcome.report}`,
      )
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
