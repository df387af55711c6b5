import { DomainError } from '@thalweg/graph'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { LinearArgument, LinearDocument } from '../../analyses/linear/linear-job.ts'
import { print, printJson, runWithProgress } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { wholeNumber } from '../parse-number.ts'

type LinearOptions = CommonOptions & LinearArgument

function widthList(text: string): number[] {
  const widths = text.split(',').map(Number)
  if (widths.length < 2 || widths.some((w) => !Number.isInteger(w) || w < 1))
    throw new DomainError(`--widths: must list all widths, input and output included, such as 3,2,2,3, got ${text}.`)
  return widths
}

/** `thalweg linear --data D --widths …`: all critical points of a deep linear network. */
export function addLinearCommand(root: Command): void {
  root
    .command('linear')
    .description('all critical points of a deep linear network, in closed form')
    .requiredOption('--data <source...>', 'file(s) or built-in name; rows are samples')
    .requiredOption('--widths <list>', 'all widths, input and output included: 3,2,2,3', widthList)
    .option('--input <name=key...>', 'which array is x')
    .option('--target <key>', 'array or column of y')
    .option('--limit <n>', 'classes listed at most', wholeNumber('--limit', 1))
    .option('--figure <file>', 'the ladder of critical values as SVG')
    .addOption(new Option('--lang <lang>', 'language of the figure').choices(['en', 'zh']).default('en'))
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .action(async (options: LinearOptions) => {
      const { data, widths, input, target, limit, figure, lang } = options
      const started = performance.now()
      const document = await runWithProgress<LinearDocument>(
        'linear',
        { data, widths, input, target, limit, figure, lang },
        options,
      )
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        const head = { command: 'linear', version: packageVersion() }
        printJson({ ...head, ...document, seed: 0, elapsedMs: performance.now() - started })
      } else print(options, ...linearLines(document))
    })
}

function linearLines(d: LinearDocument): string[] {
  const rows = d.classes.slice(0, 50).flatMap((each) =>
    each.representatives.map((r) => {
      const inertia = r.inertia ? `(${r.inertia.negative}, ${r.inertia.zero}, ${r.inertia.positive})` : ''
      const lowest = r.minEigenvalue === null ? '' : r.minEigenvalue.toExponential(6)
      const set = `{${each.subset.join(',')}}`
      return `${set.padEnd(14)} ${each.loss.toPrecision(12).padStart(18)}  ${r.kind.padEnd(18)} ${inertia.padEnd(16)} ${lowest}`
    }),
  )
  return [
    `widths ${d.widths.join('-')}, loss ½ Σ‖ŷ − y‖², global minimum ${d.globalMinimum}`,
    `eigenvalues of Σ: ${d.sigmaEigenvalues.map((v) => Number(v.toPrecision(8))).join(', ')}`,
    `${'class'.padEnd(14)} ${'loss'.padStart(18)}  ${'kind'.padEnd(18)} ${'(−, 0, +)'.padEnd(16)} smallest eigenvalue`,
    ...rows,
    ...(d.complete && rows.length <= 50 ? [] : [`${d.classCount} classes in all`]),
    ...d.warnings.map((w) => `warning: ${w}`),
  ]
}
