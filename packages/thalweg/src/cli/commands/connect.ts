import { Option } from 'commander'
import type { Command } from 'commander'
import type { ConnectArgument, ConnectDocument } from '../../analyses/surface/connect-job.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import { wholeNumber } from '../parse-number.ts'
import { addBatchNormOption, addSubjectOptions, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

interface ConnectOptions extends SubjectOptions {
  readonly match: ConnectArgument['match']
  readonly points: number
  readonly curve: ConnectArgument['curve']
  readonly bends: number
  readonly steps: number
  readonly dtype: ConnectArgument['dtype']
  readonly out?: string
  readonly png?: boolean
}

/** `thalweg connect MODEL MODEL`: barriers, permutation alignment and low-loss paths between two models. */
export function addConnectCommand(root: Command): void {
  const command = root
    .command('connect')
    .description('barrier, permutation alignment, low-loss paths between two models')
  addBatchNormOption(addSubjectOptions(command))
    .argument('<other>', 'second model, of the same architecture')
    .addOption(
      new Option('--match <how...>', 'bring the units of the second into the order of the first')
        .choices(['weights', 'activations', 'none'])
        .default(['weights']),
    )
    .option('--points <n>', 'on each path, both ends included', wholeNumber('--points', 3), 25)
    .addOption(
      new Option('--curve <kind>', 'search a path of low loss')
        .choices(['bezier', 'polygon', 'band', 'none'])
        .default('none'),
    )
    .option('--bends <n>', 'points between the ends that the search moves', wholeNumber('--bends', 1), 1)
    .option('--steps <n>', 'of the search', wholeNumber('--steps', 1), 200)
    .addOption(new Option('--dtype <dtype>', 'arithmetic').choices(['float64', 'float32']).default('float32'))
    .option('--out <dir>', 'folder (default: connect-NAME)')
    .option('--png', 'figures as PNG too')
    .action(async (model: string, other: string, options: ConnectOptions) => {
      const { match, points, curve, bends, steps, dtype, out, png = false, threads } = options
      const subject = subjectArgument(model, options)
      const argument: ConnectArgument = { subject, other, match, points, curve, bends, steps, dtype, out, png, threads }
      const started = performance.now()
      const document = await runWithProgress<ConnectDocument>('connect', argument, options)
      const elapsedMs = performance.now() - started
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'connect', version: packageVersion(), ...document, seed: options.seed, elapsedMs })
      } else print(options, ...connectLines(document as unknown as Document, elapsedMs))
    })
}

interface Document {
  readonly loss: { readonly value: number }
  readonly other: { readonly loss: number }
  readonly distance: number
  readonly symmetry: { readonly groups: readonly { readonly size: number }[]; readonly copies: string }
  readonly matchings: readonly {
    readonly name: string
    readonly distance: { readonly after: number }
    readonly sweeps: number
  }[]
  readonly paths: readonly {
    readonly label: string
    readonly barrier: { readonly overMean: number; readonly overInterpolation: number; readonly at: number }
  }[]
  readonly directory: string
  readonly warnings: readonly string[]
}

function connectLines(d: Document, elapsedMs: number): string[] {
  const { groups, copies } = d.symmetry
  const width = Math.max(...d.paths.map((p) => p.label.length))
  const shown = copies.length > 15 ? `about 10^${copies.length - 1}` : copies
  return [
    `loss ${d.loss.value.toPrecision(6)} and ${d.other.loss.toPrecision(6)}, distance ${d.distance.toPrecision(5)}`,
    `${groups.length} groups of hidden units whose order is free (${groups.map((g) => g.size).join(', ') || 'none'}): ${shown} equal copies`,
    ...d.matchings.map((m) => `matching ${m.name}: distance ${m.distance.after.toPrecision(5)}, ${m.sweeps} sweeps`),
    ...d.paths.map(
      (p) =>
        `${p.label.padEnd(width)}  barrier ${p.barrier.overMean.toPrecision(4)} over the mean, ${p.barrier.overInterpolation.toPrecision(4)} over the interpolation`,
    ),
    `files: ${d.directory} (${duration(elapsedMs)})`,
    ...d.warnings.map((w) => `warning: ${w}`),
  ]
}
