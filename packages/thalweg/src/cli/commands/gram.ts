import { DomainError } from '@thalweg/graph'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { GramArgument, GramDocument } from '../../analyses/gram/gram-argument.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { addSubjectOptions, realNumber, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

type GramOptions = SubjectOptions &
  Omit<GramArgument, 'subject' | 'timeLimitMs' | 'labels'> & {
    readonly timeLimit?: number
    readonly labels?: number | true
  }

const labelSetsDefault = 3

/** `64,128,256`, each at least 1. */
function wholeNumbers(option: string): (text: string) => number[] {
  const one = wholeNumber(option, 1)
  return (text) => text.split(',').map(one)
}

/** `C,PIXELS` */
function imageShape(text: string): [number, number] {
  const parts = wholeNumbers('--image')(text)
  if (parts.length !== 2) throw new DomainError(`--image: must be CHANNELS,PIXELS, got ${text}.`)
  return [parts[0], parts[1]]
}

interface Point {
  readonly step: number
  readonly loss: number
  readonly bound: number | null
  readonly predictedLoss: number
  readonly flowLoss: number
  readonly movement: readonly { readonly absolute: number }[]
  readonly gramDrift: number
}

interface Document {
  readonly data: { readonly samples: number }
  readonly architecture?: string
  readonly depth?: number
  readonly activation?: string
  readonly kernels: { readonly gram: readonly (readonly number[])[] | null; readonly file?: string }
  readonly lambdaMin: { readonly value: number; readonly bound: number; readonly method: string }
  readonly constants?: { readonly cSigma: number; readonly cRes: number | null; readonly chi: number }
  readonly largestEigenvalue?: number
  readonly stabilityLimit?: number
  readonly convergence?: { readonly points: readonly Point[] }
  readonly sweep?: {
    readonly exponents: Readonly<Record<string, { readonly exponent: number; readonly standardError: number }>>
    readonly threshold: { readonly bound: number | null; readonly proof: number | null }
  }
  readonly depths?: {
    readonly points: readonly {
      readonly depth: number
      readonly lambdaMin: { readonly value: number }
      readonly theorem: { readonly width: { readonly value: number } } | null
      readonly runs: readonly {
        readonly stepsToTarget: number | null
        readonly finalLoss: number
        readonly initialLoss: number
        readonly violations: number
      }[]
    }[]
  }
  readonly twoLayer?: readonly {
    readonly width: number
    readonly squaredErrors: readonly number[]
    readonly violations: number
    readonly patternChange: number
    readonly largestMovement: number
    readonly gramDistance: number
  }[]
  readonly status?: string
  readonly checkpoints?: readonly {
    readonly checkpoint: string
    readonly loss: number
    readonly drift: number
    readonly relativeMovement: number
  }[]
  readonly advice: readonly string[]
  readonly warnings: readonly string[]
}

/** `thalweg gram [MODEL]`: Gram and tangent kernels of a network or of its limit. */
export function addGramCommand(root: Command): void {
  const command = addSubjectOptions(
    root
      .command('gram')
      .description(
        'Gram matrices and tangent kernels, of a network or of infinite width; predicted against measured convergence',
      ),
  )
  // with --infinite or --standard the data are enough
  command.registeredArguments[0].argOptional()
  command
    .option('--infinite', 'the limit of infinite width (inputs of norm 1)', false)
    .addOption(new Option('--architecture <kind>', 'of --infinite').choices(['fc', 'resnet', 'conv-resnet']))
    .option('--depth <h>', 'hidden layers, of --infinite and --standard', wholeNumber('--depth', 0))
    .option('--activation <name>', 'of --infinite and --standard (default softplus)')
    .option('--c-res <c>', 'factor of residual branches, between 0 and 1 (default 0.5)', realNumber)
    .option('--image <c,pixels>', 'of conv-resnet: channels and pixels of a sample', imageShape)
    .option('--patch <q>', 'of conv-resnet: pixels per patch (default 3)', wholeNumber('--patch', 1))
    .option('--normalize', 'divide every input by its norm', false)
    .addOption(new Option('--standard <kernel>', 'kernel of the usual parametrization').choices(['ntk', 'nngp']))
    .option('--weight-variance <v>', 'of --standard (default 1)', realNumber)
    .option('--bias-variance <v>', 'of --standard (default 0)', realNumber)
    .option('--samples <n>', 'use the first n samples', wholeNumber('--samples', 1))
    .option('--steps <k>', 'follow so many steps of gradient descent from MODEL', wholeNumber('--steps', 1))
    .option('--step-size <eta>', 'default: half of the stability limit', realNumber)
    .option('--widths <list>', 'sweep over these widths of a scaled network', wholeNumbers('--widths'))
    .option('--seeds <n>', 'networks per width (default 3)', wholeNumber('--seeds', 1))
    .option('--depths <list>', 'sweep over these depths of a scaled network', wholeNumbers('--depths'))
    .option('--labels [n]', 'train on the true and on n random sets of labels (default 3)', wholeNumber('--labels', 1))
    .option(
      '--two-layer <widths>',
      'two-layer ReLU networks with fixed signs on --data (no MODEL)',
      wholeNumbers('--two-layer'),
    )
    .option('--time-limit <t>', 'stop with what was found: 90s, 5m, 2h', durationMs('--time-limit'))
    .option('--checkpoints', 'the matrix at every checkpoint of a run', false)
    .option('--out <file>', 'write the matrices (.npz)')
    .action(async (model: string | undefined, options: GramOptions) => {
      const { infinite, architecture, depth, activation, cRes, image, patch, normalize, standard } = options
      const { weightVariance, biasVariance, samples, steps, stepSize, widths, seeds, checkpoints, out, threads } =
        options
      const { depths, twoLayer, timeLimit } = options
      const labels = options.labels === true ? labelSetsDefault : options.labels
      const argument: GramArgument = {
        subject: subjectArgument(model ?? '', options),
        ...{ infinite, architecture, depth, activation, cRes, image, patch, normalize, standard },
        ...{ weightVariance, biasVariance, samples, steps, stepSize, widths, seeds, checkpoints, out, threads },
        ...{ depths, labels, twoLayer, timeLimitMs: timeLimit },
      }
      const started = performance.now()
      const document = await runWithProgress<GramDocument>('gram', argument, options)
      const elapsedMs = performance.now() - started
      if (document['status'] === 'time-limit') process.exitCode = 3
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'gram', version: packageVersion(), ...document, seed: options.seed, elapsedMs })
      } else print(options, ...gramLines(document as unknown as Document, elapsedMs))
    })
}

function gramLines(d: Document, elapsedMs: number): string[] {
  const { value, bound, method } = d.lambdaMin
  const what = d.architecture ? `limit of ${d.architecture}, depth ${d.depth}, ${d.activation}` : 'network'
  return [
    `Gram matrix, ${what}, ${d.data.samples} samples, ${duration(elapsedMs)}`,
    `λ_min     ${value.toExponential(10)}   ± ${bound.toExponential(1)} (${method})`,
    ...(d.largestEigenvalue === undefined ? [] : [`λ_max     ${d.largestEigenvalue.toExponential(10)}`]),
    ...(d.stabilityLimit === undefined
      ? []
      : [`stable    step sizes below ${d.stabilityLimit.toPrecision(4)} for ½ Σ ‖f − y‖²`]),
    ...(d.constants
      ? [
          `constants c_σ = ${d.constants.cSigma}, χ = ${d.constants.chi}${d.constants.cRes === null ? '' : `, c_res = ${d.constants.cRes}`}`,
        ]
      : []),
    ...(d.kernels.file ? [`matrices  ${d.kernels.file}`] : []),
    ...(d.convergence ? convergenceLines(d.convergence.points) : []),
    ...(d.sweep ? sweepLines(d.sweep) : []),
    ...(d.depths ? depthLines(d.depths.points) : []),
    ...(d.twoLayer ? twoLayerLines(d.twoLayer) : []),
    ...(d.checkpoints ?? []).map(
      ({ checkpoint, loss, drift, relativeMovement }) =>
        `${checkpoint.padEnd(26)} loss ${loss.toExponential(3)}  ‖G − G₀‖/‖G₀‖ ${drift.toExponential(2)}  ‖θ − θ₀‖/‖θ₀‖ ${relativeMovement.toExponential(2)}`,
    ),
    ...d.advice,
    ...d.warnings.map((w) => `warning: ${w}`),
  ]
}

function convergenceLines(points: readonly Point[]): string[] {
  const cell = (value: number | null): string => (value === null ? '–' : value.toExponential(3)).padStart(12)
  return [
    `${'step'.padStart(8)}${['loss', 'bound', 'predicted', 'flow', 'movement', 'drift'].map((s) => s.padStart(12)).join('')}`,
    ...points.map(({ step, loss, bound, predictedLoss, flowLoss, movement, gramDrift }) => {
      const moved = Math.max(...movement.map(({ absolute }) => absolute))
      return `${String(step).padStart(8)}${[loss, bound, predictedLoss, flowLoss, moved, gramDrift].map(cell).join('')}`
    }),
  ]
}

function depthLines(points: NonNullable<Document['depths']>['points']): string[] {
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]
  return [
    `${'depth'.padStart(8)}${['λ_min(K)', 'width asked', 'steps to 1 %', 'loss left'].map((s) => s.padStart(14)).join('')}`,
    ...points.map(({ depth, lambdaMin, theorem, runs }) => {
      const steps = runs.map(({ stepsToTarget }) => stepsToTarget ?? Number.POSITIVE_INFINITY)
      const taken = Number.isFinite(median(steps)) ? String(median(steps)) : 'more'
      const left = median(runs.map(({ finalLoss, initialLoss }) => finalLoss / initialLoss))
      const cells = [lambdaMin.value.toExponential(3), theorem?.width.value.toExponential(1) ?? '–', taken]
      return `${String(depth).padStart(8)}${[...cells, left.toExponential(2)].map((s) => s.padStart(14)).join('')}`
    }),
  ]
}

function twoLayerLines(runs: NonNullable<Document['twoLayer']>): string[] {
  const head = ['‖u − y‖²', 'above bound', 'patterns', 'movement', '‖H − H^∞‖']
  return [
    `${'width'.padStart(8)}${head.map((s) => s.padStart(14)).join('')}`,
    ...runs.map((run) => {
      const cells = [
        run.squaredErrors[run.squaredErrors.length - 1].toExponential(2),
        String(run.violations),
        `${(100 * run.patternChange).toFixed(2)} %`,
        run.largestMovement.toPrecision(3),
        run.gramDistance.toPrecision(3),
      ]
      return `${String(run.width).padStart(8)}${cells.map((s) => s.padStart(14)).join('')}`
    }),
  ]
}

function sweepLines({ exponents, threshold }: NonNullable<Document['sweep']>): string[] {
  return [
    ...Object.entries(exponents).map(
      ([name, { exponent, standardError }]) =>
        `${name.padEnd(18)} ∝ m^${exponent.toFixed(2)} ± ${standardError.toFixed(2)}`,
    ),
    `the bound holds from width ${threshold.bound ?? 'none swept'} on, the conditions of the proof from ${threshold.proof ?? 'none swept'} on`,
  ]
}
