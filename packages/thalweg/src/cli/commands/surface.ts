import { Option } from 'commander'
import type { Command } from 'commander'
import type { SurfaceDocument } from '../../analyses/surface/surface-job.ts'
import type { Sharpness } from '../../analyses/surface/surface-sharpness.ts'
import type { SurfaceArgument } from '../../analyses/surface/surface-results.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { addQueueOptions, queueAddress } from '../queue-options.ts'
import type { QueueOptions } from '../queue-options.ts'
import { addBatchNormOption, addSubjectOptions, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

type Request = SurfaceArgument['request']

interface SurfaceOptions extends SubjectOptions, QueueOptions {
  readonly directions?: Request['kind']
  readonly dimensions?: '1' | '2' | '3'
  readonly normalization?: Request['normalization']
  readonly moveVectors?: boolean
  readonly orthogonalize?: boolean
  readonly eigenvectors: Request['eigenvectors']
  readonly directionFile?: string
  readonly x?: string
  readonly y?: string
  readonly z?: string
  readonly points?: number
  readonly to?: readonly string[]
  readonly trajectory?: readonly string[]
  readonly heldOut?: readonly string[]
  readonly perClass?: boolean
  readonly sharpness?: boolean
  readonly dtype: SurfaceArgument['dtype']
  readonly evaluation?: SurfaceArgument['evaluation']
  readonly refine: number
  readonly curvatureGrid?: number
  readonly curvatureSamples?: number
  readonly trajectoryCurvature?: boolean
  readonly scale: SurfaceArgument['scale']
  readonly out?: string
  readonly lang: 'en' | 'zh'
  readonly resume?: boolean
  readonly png?: boolean
  readonly workers?: number
  readonly timeLimit?: number
}

/** Of lines, planes and volumes. */
const nodesPerAxis = [101, 25, 11]
/** Products that a node of the curvature grid may take. */
const productsPerNode = 200

/** `thalweg surface MODEL`: loss on lines, planes and volumes through parameter space. */
export function addSurfaceCommand(root: Command): void {
  const command = root
    .command('surface')
    .description('1-D, 2-D, 3-D loss surfaces; trajectories; convexity map; figures, NPZ and VTP files')
  addQueueOptions(addGridOptions(addDirectionOptions(addBatchNormOption(addSubjectOptions(command))))).action(
    async (model: string, options: SurfaceOptions) => {
      const argument = surfaceArgument(model, options)
      if (argument.curvature > 0 && !options.json && !options.quiet)
        process.stderr.write(
          `curvature: ${argument.curvature ** 2} nodes, at most ${argument.curvature ** 2 * productsPerNode} Hessian-vector products\n`,
        )
      const started = performance.now()
      const document = await runWithProgress<SurfaceDocument>('surface', argument, options)
      await printSurface(document, options.seed, performance.now() - started, options)
    },
  )
}

export async function printSurface(
  document: SurfaceDocument,
  seed: number,
  elapsedMs: number,
  options: CommonOptions,
): Promise<void> {
  if (options.json) {
    const { packageVersion } = await import('../../runs/manifest.ts')
    printJson({ command: 'surface', version: packageVersion(), ...document, seed, elapsedMs })
  } else print(options, ...surfaceLines(document as unknown as Document, elapsedMs))
}

function addDirectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--directions <kind>',
        'default: interpolation with --to, trajectory with --trajectory, else random',
      ).choices(['random', 'eigenvectors', 'gradient', 'trajectory', 'interpolation', 'file']),
    )
    .addOption(new Option('--dimensions <n>', 'line, plane or volume (default: 2)').choices(['1', '2', '3']))
    .addOption(
      new Option('--normalization <how>', 'of random directions, against θ (default: filter)').choices([
        'filter',
        'layer',
        'weight',
        'none',
      ]),
    )
    .option('--move-vectors', 'move biases, scales and shifts too')
    .option('--orthogonalize', 'Gram–Schmidt on the directions')
    .addOption(
      new Option('--eigenvectors <which>', 'top: largest eigenvalues; ends: largest and smallest')
        .choices(['top', 'ends'])
        .default('top'),
    )
    .option(
      '--direction-file <file>',
      '.npz: arrays x, y, z [parameters], or x.NAME for each parameter; .h5: of the reference tool',
    )
}

function addGridOptions(command: Command): Command {
  return command
    .option('--x <start:end:count>', 'first axis, such as -1:1:51 (or only the count)')
    .option('--y <start:end:count>', 'second axis')
    .option('--z <start:end:count>', 'third axis')
    .option('--points <n>', 'nodes per axis where none are given (default: 101, 25 or 11)', wholeNumber('--points', 2))
    .option('--to <model...>', 'one model (line) or two (plane) to interpolate to')
    .option('--trajectory <folder...>', 'checkpoints to draw; several are drawn on one plane')
    .option('--held-out <source...>', 'data of a second surface')
    .option('--sharpness', 'λ_max, trace, Keskar, SAM and filter-normalized sharpness at the center (float64)')
    .option('--per-class', 'a surface for the samples of each class too')
    .addOption(new Option('--dtype <dtype>', 'arithmetic').choices(['float64', 'float32']).default('float32'))
    .addOption(
      new Option('--evaluation <how>', 'default: by the amount of arithmetic').choices(['batched', 'inputs', 'baked']),
    )
    .option(
      '--refine <rounds>',
      'halve the steps around the lowest node and along trajectories',
      wholeNumber('--refine', 0),
      0,
    )
    .option(
      '--curvature-grid <n>',
      'extreme Hessian eigenvalues and convexity on n × n nodes (float64)',
      wholeNumber('--curvature-grid', 2),
    )
    .option(
      '--curvature-samples <n>',
      'curvature and eigenvectors on the first n samples only',
      wholeNumber('--curvature-samples', 1),
    )
    .option('--trajectory-curvature', 'extreme Hessian eigenvalues along the trajectories')
    .addOption(
      new Option('--scale <how>', 'of the figures; relative: over the lowest loss')
        .choices(['auto', 'log', 'linear', 'relative'])
        .default('auto'),
    )
    .option('--out <dir>', 'folder (default: surface-NAME)')
    .addOption(new Option('--lang <lang>', 'language of the figures').choices(['en', 'zh']).default('en'))
    .option('--resume', 'go on with what --out holds')
    .option(
      '--workers <n>',
      'processes that compute, of one thread each unless --threads says more',
      wholeNumber('--workers', 1),
    )
    .option(
      '--time-limit <t>',
      'stop after this long, what was reached is saved: 90s, 5m, 2h',
      durationMs('--time-limit'),
    )
    .option('--png', 'figures as PNG too')
}

function surfaceArgument(model: string, options: SurfaceOptions): SurfaceArgument {
  const { to = [], trajectory = [], seed } = options
  const kind = options.directions ?? (to.length > 0 ? 'interpolation' : trajectory.length > 0 ? 'trajectory' : 'random')
  const made = kind === 'random' || kind === 'gradient'
  const dimensions = Number(options.dimensions ?? (kind === 'interpolation' ? to.length : 2))
  return {
    subject: subjectArgument(model, options),
    request: {
      kind,
      dimensions,
      normalization: options.normalization ?? (made ? 'filter' : 'none'),
      moveVectors: options.moveVectors ?? false,
      orthogonalize: options.orthogonalize ?? false,
      eigenvectors: options.eigenvectors,
      file: options.directionFile,
      seed,
    },
    axes: [options.x, options.y, options.z],
    count: options.points ?? nodesPerAxis[dimensions - 1],
    to,
    trajectory,
    heldOut: options.heldOut,
    perClass: options.perClass ?? false,
    sharpness: options.sharpness ?? false,
    dtype: options.dtype,
    evaluation: options.evaluation,
    refine: options.refine,
    curvature: options.curvatureGrid ?? 0,
    curvatureSamples: options.curvatureSamples,
    trajectoryCurvature: options.trajectoryCurvature ?? false,
    scale: options.scale,
    out: options.out,
    lang: options.lang,
    resume: options.resume ?? false,
    png: options.png ?? false,
    workers: options.workers,
    queue: queueAddress(options),
    threads: options.threads,
    timeLimitMs: options.timeLimit,
  }
}

interface Document {
  readonly axes: readonly {
    readonly name: string
    readonly label: string
    readonly start: number
    readonly end: number
    readonly count: number
    readonly eigenvalue?: number
  }[]
  readonly normalization: string
  readonly loss: { readonly value: number }
  readonly orthogonality: { readonly cosines: readonly number[] }
  readonly notFinite: number
  readonly minima: readonly { readonly at: readonly number[]; readonly value: number; readonly persistence: number }[]
  readonly offPlaneDistance?: readonly number[]
  readonly pca?: { readonly explained: readonly number[]; readonly randomWalk: readonly number[] }
  readonly sharpness?: Sharpness
  readonly curvature?: { readonly nonConvexShare: number; readonly products: number }
  readonly evaluation: { readonly method: string; readonly points: number; readonly msPerPoint: number }
  readonly directory: string
  readonly warnings: readonly string[]
}

/** At most four digits. */
function short(value: number): number {
  return Number(value.toPrecision(4))
}

function sharpnessLine({ lambdaMax, trace, keskar, sam, filterNormalized }: Sharpness): string {
  const { value, standardError, alpha } = filterNormalized
  return (
    `sharpness: λ_max ${short(lambdaMax.value)}, trace ${short(trace.value)}, Keskar ≥ ${short(keskar.value)} (ε ${keskar.epsilon}), ` +
    `SAM ≥ ${short(sam.value)} (ρ ${sam.rho}), filter-normalized ${short(value)} ± ${short(standardError)} (α ${alpha})`
  )
}

function surfaceLines(d: Document, elapsedMs: number): string[] {
  const percent = (share: number): string => `${(100 * share).toPrecision(3)} %`
  const [lowest] = d.minima
  return [
    ...d.axes.map(
      (a) =>
        `${a.name}: ${a.label}${a.eigenvalue === undefined ? '' : ` (λ = ${a.eigenvalue.toPrecision(6)})`}, ${short(a.start)} … ${short(a.end)}, ${a.count} nodes`,
    ),
    `normalization ${d.normalization}${d.orthogonality.cosines.length > 0 ? `, cosines ${d.orthogonality.cosines.map((c) => c.toPrecision(2)).join(', ')}` : ''}`,
    `loss ${d.loss.value.toPrecision(6)} at the center${lowest ? `, lowest ${lowest.value.toPrecision(6)} at (${lowest.at.map(short).join(', ')})` : ''}`,
    ...(d.notFinite > 0 ? [`${d.notFinite} values are not finite`] : []),
    ...(d.pca
      ? [
          `variance in the plane ${percent(d.pca.explained[0] + (d.pca.explained[1] ?? 0))}; a random walk gives ${percent(d.pca.randomWalk[0] + (d.pca.randomWalk[1] ?? 0))}`,
        ]
      : []),
    ...(d.offPlaneDistance ? [`trajectory up to ${Math.max(...d.offPlaneDistance).toPrecision(4)} off the plane`] : []),
    ...(d.sharpness ? [sharpnessLine(d.sharpness)] : []),
    ...(d.curvature ? [`negative curvature above 10 % on ${percent(d.curvature.nonConvexShare)} of the nodes`] : []),
    `${d.evaluation.points} points, ${d.evaluation.method}, ${d.evaluation.msPerPoint.toPrecision(3)} ms each, ${duration(elapsedMs)} in all`,
    `files: ${d.directory}`,
    ...d.warnings.map((w) => `warning: ${w}`),
  ]
}
