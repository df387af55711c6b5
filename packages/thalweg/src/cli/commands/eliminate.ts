import { Option } from 'commander'
import type { Command } from 'commander'
import type { EliminateArgument, EliminateDocument } from '../../analyses/eliminate/eliminate-job.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { addSubjectOptions, realNumber, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

type EliminateOptions = SubjectOptions &
  Omit<EliminateArgument, 'subject' | 'timeEnd' | 'timeLimitMs' | 'evenIfVacuous'> & {
    readonly time: number
    readonly timeLimit?: number
    readonly evenIfVacuous?: boolean
  }

interface Row {
  readonly way: string
  readonly attempts: number
  readonly best: number
  readonly median: number
  readonly escaped: number
  readonly solved: number
  readonly gradients: number
}

interface Document {
  readonly outcome: string
  readonly summary: string
  readonly lossBefore: number
  readonly lossAfter: number
  readonly modifiedLoss: number
  readonly functionOptimum: number | null
  readonly groupGradientMax: number | null
  readonly neuron: { readonly alpha: readonly number[]; readonly maxExponent: readonly number[] }
  readonly vacuity?: { readonly vacuous: boolean; readonly statement: string; readonly advice: readonly string[] }
  readonly certificate?: {
    readonly witness: { readonly kind: string; readonly decrease: number; readonly predicted: number | null } | null
  } | null
  readonly frozenInfimum?: { readonly value: number; readonly kind: string } | null
  readonly comparison?: { readonly target: number; readonly rows: readonly Row[] }
  readonly warnings: readonly string[]
}

/** `thalweg eliminate MODEL`: the neurons that remove bad local minima, with certificate or explained failure. */
export function addEliminateCommand(root: Command): void {
  addSubjectOptions(
    root
      .command('eliminate')
      .description('add the neurons that remove bad local minima; certify optimality or report how they fail'),
  )
    .addOption(
      new Option('--variant <name>', 'which neurons')
        .choices(['exponential', 'liang', 'monomial', 'per-layer', 'scaled-loss'])
        .default('exponential'),
    )
    .option('--lambda <l>', 'weight of the penalty λ‖a‖²', realNumber, 0.1)
    .addOption(
      new Option(
        '--method <name>',
        'how both are trained (default: flow where it is small, else quasi-newton)',
      ).choices(['flow', 'quasi-newton', 'gradient-descent']),
    )
    .option('--learning-rate <eta>', 'of gradient-descent', realNumber)
    .option('--time <t>', 'end of the flow', realNumber, 1e4)
    .option('--max-steps <n>', 'of the other methods', wholeNumber('--max-steps', 1), 2000)
    .option('--tolerance <e>', 'largest group gradient that is accepted', realNumber, 1e-8)
    .option('--minimize', 'first go down to where training without neurons is stuck', false)
    .option('--even-if-vacuous', 'train although no local minimum exists', false)
    .option('--compare', 'restarts, perturbed gradient descent and a wider net beside it', false)
    .option('--attempts <n>', 'of each way that is compared', wholeNumber('--attempts', 1), 8)
    .option('--save <file>', 'write θ at the end (.safetensors)')
    .option('--figure <file>', 'losses and neurons over time (.svg)')
    .option('--time-limit <t>', '90s, 5m, 2h', durationMs('--time-limit'))
    .addOption(new Option('--lang <lang>', 'language of the sentences').choices(['en', 'zh']).default('en'))
    .action(async (model: string, options: EliminateOptions) => {
      const { variant, lambda, method, learningRate, maxSteps, tolerance, minimize, compare, attempts } = options
      const argument: EliminateArgument = {
        subject: subjectArgument(model, options),
        ...{ variant, lambda, method, learningRate, maxSteps, tolerance, minimize, compare, attempts },
        timeEnd: options.time,
        evenIfVacuous: options.evenIfVacuous === true,
        timeLimitMs: options.timeLimit,
        threads: options.threads,
        save: options.save,
        figure: options.figure,
        lang: options.lang,
      }
      const started = performance.now()
      const document = await runWithProgress<EliminateDocument>('eliminate', argument, options)
      const elapsedMs = performance.now() - started
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'eliminate', version: packageVersion(), ...document, seed: options.seed, elapsedMs })
      } else print(options, ...eliminateLines(document as unknown as Document), `(${duration(elapsedMs)})`)
    })
}

function eliminateLines(d: Document): string[] {
  const witness = d.certificate?.witness
  return [
    ...(d.vacuity ? [d.vacuity.statement, ...d.vacuity.advice.map((a) => `  ${a}`)] : []),
    `${d.outcome}${d.summary === d.vacuity?.statement ? '' : `: ${d.summary}`}`,
    `loss          ${d.lossBefore} → ${d.lossAfter}`,
    `modified      ${d.modifiedLoss}`,
    ...(d.functionOptimum === null ? [] : [`any function  ${d.functionOptimum}`]),
    ...(d.groupGradientMax === null ? [] : [`max ‖G_j‖     ${d.groupGradientMax.toExponential(3)}`]),
    `neurons       α = ${list(d.neuron.alpha)}   M = ${list(d.neuron.maxExponent)}   (a = α e^−M)`,
    ...(witness
      ? [
          `witness       ${witness.kind}: lower by ${witness.decrease.toExponential(3)}${witness.predicted === null ? '' : ` (theory ${witness.predicted.toExponential(3)})`}`,
        ]
      : []),
    ...(d.frozenInfimum
      ? [
          `frozen θ      the neurons alone reach ${d.frozenInfimum.value}${d.frozenInfimum.kind === 'upper-bound' ? ' or lower' : ''}, for every λ`,
        ]
      : []),
    ...(d.comparison ? comparisonLines(d.comparison.rows) : []),
    ...d.warnings.filter((w) => w !== d.vacuity?.statement).map((w) => `warning: ${w}`),
  ]
}

function comparisonLines(rows: readonly Row[]): string[] {
  return [
    'way                          best        median      escaped  solved  gradients',
    ...rows.map(
      ({ way, attempts, best, median, escaped, solved, gradients }) =>
        `${way.padEnd(28)} ${best.toExponential(3).padEnd(11)} ${median.toExponential(3).padEnd(11)} ${`${escaped}/${attempts}`.padEnd(8)} ${`${solved}/${attempts}`.padEnd(7)} ${gradients}`,
    ),
  ]
}

function list(values: readonly number[]): string {
  const shown = values.slice(0, 4).map((v) => v.toPrecision(4))
  return `[${shown.join(', ')}${values.length > 4 ? ', …' : ''}]`
}
