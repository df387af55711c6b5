import { Option } from 'commander'
import type { Command } from 'commander'
import type { SpectrumArgument } from '../../analyses/spectrum/spectrum-argument.ts'
import type { SpectrumDocument } from '../../analyses/spectrum/spectrum-job.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { addSubjectOptions, realNumber, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

type SpectrumOptions = SubjectOptions &
  Omit<SpectrumArgument, 'subject' | 'timeLimitMs'> & { readonly timeLimit?: number }

interface Pair {
  readonly value: number
  readonly residualNorm: number
  readonly converged: boolean
}

interface Document {
  readonly size: number
  readonly gradientNorm: number
  readonly loss: { readonly value: number }
  readonly eigenvalues: {
    readonly method: string
    readonly products: number
    readonly top: readonly Pair[]
    readonly bottom: readonly Pair[]
    readonly near?: {
      readonly target: number
      readonly status: string
      readonly products: number
      readonly equal?: number
      readonly pairs: readonly Pair[]
      readonly floor?: { readonly value: number; readonly count: number }
    }
  }
  readonly morseIndex: { readonly value: number; readonly threshold: number; readonly exact: boolean }
  readonly trace: { readonly value: number; readonly standardError: number; readonly method: string } | null
  readonly frobeniusNorm: { readonly value: number; readonly standardError: number } | null
  readonly effectiveRank: number | null
  readonly logDeterminant?: {
    readonly shift: number
    readonly value: number | null
    readonly standardError: number | null
    readonly method: string
  }
  readonly density?: {
    readonly support: readonly [number, number]
    readonly probes: number
    readonly sigma: number
    readonly grid: readonly number[]
    readonly values: readonly number[]
    readonly standardErrors: readonly number[]
  }
  readonly layers?: readonly (Pick<Document, 'size' | 'eigenvalues' | 'morseIndex' | 'trace'> & {
    readonly name: string
  })[]
  readonly edgeOfStability?: {
    readonly limit: number
    readonly points: readonly {
      readonly checkpoint: string
      readonly topEigenvalue: number
      readonly residualNorm: number
      readonly edge: number
    }[]
  }
  readonly warnings: readonly string[]
}

/** `thalweg spectrum MODEL`: eigenvalues, density and trace of a curvature matrix. */
export function addSpectrumCommand(root: Command): void {
  addSubjectOptions(
    root.command('spectrum').description('eigenvalues, density, trace of Hessian, GGN or Fisher, with residuals'),
  )
    .addOption(
      new Option('--operator <matrix>', 'which matrix')
        .choices(['hessian', 'ggn', 'fisher', 'empirical-fisher', 'gram'])
        .default('hessian'),
    )
    .option('--top <k>', 'largest eigenvalues', wholeNumber('--top', 0), 5)
    .option('--bottom <k>', 'smallest eigenvalues', wholeNumber('--bottom', 0), 5)
    .option('--near <sigma>', 'eigenvalues closest to this number, too; 0: those of smallest magnitude', realNumber)
    .option('--near-count <k>', 'how many of them (default 5)', wholeNumber('--near-count', 1))
    .option('--exact', 'all eigenvalues from the dense matrix (default up to 2000 parameters)')
    .option('--trace', 'trace and Frobenius norm by Hutch++ (exact where the matrix is dense)', false)
    .option('--trace-accuracy <r>', 'as many products as a standard error of r · |trace| takes', realNumber)
    .option('--density', 'spectral density (exact where the matrix is dense, else by Lanczos quadrature)', false)
    .option('--log-det', 'log-determinant, exact where the matrix is dense, else by Lanczos quadrature', false)
    .option('--shift <s>', 'of the log-determinant: log det(A + s·I) (default 0)', realNumber)
    .option('--layers', 'the diagonal block of each layer too', false)
    .option('--trajectory <dir>', 'edge of stability at each checkpoint of a folder or run; needs --learning-rate')
    .option('--learning-rate <eta>', 'step size of the training', realNumber)
    .option('--momentum <beta>', 'of the training by SGD, for its edge of stability', realNumber)
    .option('--nesterov', 'with Nesterov momentum', false)
    .option(
      '--max-products <n>',
      'limit of matrix-vector products, for both ends and for --near each',
      wholeNumber('--max-products', 1),
    )
    .option('--samples <n>', 'on so many samples, drawn by the seed, instead of all', wholeNumber('--samples', 1))
    .option('--time-limit <t>', 'stop with the best so far: 90s, 5m, 2h', durationMs('--time-limit'))
    .addOption(new Option('--dtype <dtype>', 'arithmetic').choices(['float64', 'float32']).default('float64'))
    .addOption(
      new Option('--search-dtype <dtype>', 'of the search for eigenvalues; the pairs are refined in --dtype').choices([
        'float64',
        'float32',
      ]),
    )
    .action(async (model: string, options: SpectrumOptions) => {
      const argument = spectrumArgument(model, options)
      const started = performance.now()
      const document = await runWithProgress<SpectrumDocument>('spectrum', argument, options)
      const elapsedMs = performance.now() - started
      if (document['status'] === 'time-limit') process.exitCode = 3
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'spectrum', version: packageVersion(), ...document, seed: options.seed, elapsedMs })
      } else print(options, ...spectrumLines(options.operator, document as unknown as Document, elapsedMs))
    })
}

function spectrumArgument(model: string, options: SpectrumOptions): SpectrumArgument {
  const { operator, top, bottom, near, nearCount, exact, trace, traceAccuracy } = options
  const { density, logDet, shift, layers } = options
  const { dtype, searchDtype, maxProducts, samples, threads, timeLimit } = options
  const { trajectory, learningRate, momentum, nesterov } = options
  return {
    subject: subjectArgument(model, options),
    ...{ operator, top, bottom, near, nearCount, exact, trace, traceAccuracy, density, logDet, shift, layers },
    ...{ dtype, searchDtype, maxProducts, samples, threads, timeLimitMs: timeLimit },
    ...{ trajectory, learningRate, momentum, nesterov },
  }
}

function pairLines(name: string, list: readonly Pair[]): string[] {
  // Mantissas below each other: exponents differ in length.
  const number = (value: number): string => `${value < 0 ? '' : ' '}${value.toExponential(10)}`.padEnd(18)
  return list.map(
    ({ value, residualNorm, converged }, i) =>
      `${`${name} ${i + 1}`.padEnd(10)} ${number(value)} ± ${residualNorm.toExponential(1)}${converged ? '' : '  not converged'}`,
  )
}

/** As many digits as the error leaves, and one more; all of them, and no error, where the value is exact. */
function estimate({ value, standardError }: { readonly value: number; readonly standardError: number }): string {
  if (!(standardError > 0)) return String(value)
  const magnitude = (x: number): number => (x === 0 ? 0 : Math.floor(Math.log10(Math.abs(x))))
  const digits = magnitude(value) - magnitude(standardError) + 2
  return `${value.toPrecision(Math.min(17, Math.max(1, digits)))} ± ${standardError.toExponential(1)}`
}

/** With what the errors of trace and norm do to their quotient. */
function effectiveRankLine({ effectiveRank, trace, frobeniusNorm }: Document): string[] {
  if (effectiveRank === null || !trace || !frobeniusNorm) return []
  const slope = (2 * Math.abs(trace.value)) / frobeniusNorm.value ** 2
  const error = Math.hypot(
    slope * trace.standardError,
    (slope * Math.abs(trace.value) * frobeniusNorm.standardError) / frobeniusNorm.value,
  )
  const value = error > 0 ? effectiveRank : Number(effectiveRank.toPrecision(4))
  return [`effective rank ${estimate({ value, standardError: error })}`]
}

function nearLines({ eigenvalues: { near } }: Document): string[] {
  if (!near) return []
  const { target, status, products, pairs, floor, equal = 0 } = near
  if (floor)
    return [
      `closest to ${target}: ${floor.value}, at least ${floor.count} times, by the form of the matrix; none is below`,
    ]
  const proof =
    status === 'exact'
      ? `of all eigenvalues${equal > 0 ? `; ${equal} equal it up to rounding` : ''}`
      : `found with ${products} products: an eigenvalue lies within ± of each; that none is closer is not proved`
  return [`closest to ${target}, ${proof}`, ...pairLines('near', pairs)]
}

function spectrumLines(operator: string, d: Document, elapsedMs: number): string[] {
  const index = d.morseIndex
  // Where no end was searched, a bound of none says nothing.
  const looked = index.exact || index.value > 0 || d.eigenvalues.bottom.length > 0
  return [
    `${operator}, ${d.size} × ${d.size}, ${d.eigenvalues.method}, ${d.eigenvalues.products} products, ${duration(elapsedMs)}`,
    `loss ${d.loss.value}, gradient norm ${d.gradientNorm.toExponential(3)}`,
    ...pairLines('top', d.eigenvalues.top),
    ...pairLines('bottom', d.eigenvalues.bottom),
    ...nearLines(d),
    ...(looked
      ? [`negative   ${index.exact ? '' : 'at least '}${index.value} (|λ| > ${index.threshold.toExponential(1)})`]
      : []),
    ...(d.trace ? [`trace      ${estimate(d.trace)} (${d.trace.method})`] : []),
    ...(d.frobeniusNorm ? [`Frobenius  ${estimate(d.frobeniusNorm)}`] : []),
    ...effectiveRankLine(d),
    ...logDeterminantLines(d),
    ...densityLines(d),
    ...layerLines(d),
    ...stabilityLines(d),
    ...d.warnings.map((w) => `warning: ${w}`),
  ]
}

function logDeterminantLines({ logDeterminant }: Document): string[] {
  if (!logDeterminant) return []
  const { shift, value, standardError, method } = logDeterminant
  const found = value === null ? 'does not exist' : `${estimate({ value, standardError: standardError! })} (${method})`
  return [`log det ${shift === 0 ? 'A' : `(A + ${shift} I)`}  ${found}`]
}

/** The density in ten bins, each with the share of all eigenvalues in it; the curve itself is in the document. */
function densityLines({ density }: Document): string[] {
  if (!density) return []
  const { support, probes, sigma, grid, values } = density
  const bins = 10
  const width = (grid[grid.length - 1] - grid[0]) / bins
  const shares = new Float64Array(bins)
  for (let i = 1; i < grid.length; i++) {
    const middle = (grid[i] + grid[i - 1]) / 2
    const bin = Math.min(bins - 1, Math.floor((middle - grid[0]) / width))
    shares[bin] += ((values[i] + values[i - 1]) / 2) * (grid[i] - grid[i - 1])
  }
  const number = (x: number): string => x.toExponential(3).padStart(11)
  return [
    `density    within [${support.map((x) => x.toPrecision(6)).join(', ')}], ${probes === 0 ? 'exact' : `${probes} probes`}, σ ${sigma.toPrecision(3)}; share of the eigenvalues from … to:`,
    ...Array.from(
      shares,
      (share, bin) =>
        `  ${number(grid[0] + bin * width)} … ${number(grid[0] + (bin + 1) * width)}  ${`${(100 * share).toFixed(2)} %`.padStart(8)}  ${'▇'.repeat(Math.round(30 * share))}`,
    ).map((line) => line.trimEnd()),
  ]
}

function layerLines({ layers }: Document): string[] {
  return (layers ?? []).map(({ name, size, eigenvalues: { top, bottom }, morseIndex, trace }) => {
    const end = (which: string, pair: Pair | undefined): string =>
      pair === undefined
        ? ''
        : `, ${which} ${pair.value.toPrecision(8)} ± ${pair.residualNorm.toExponential(1)}${pair.converged ? '' : ' not converged'}`
    const count = `${morseIndex.exact ? '' : 'at least '}${morseIndex.value} negative`
    const sum = trace
      ? `, trace ${estimate(trace.standardError > 0 ? trace : { ...trace, value: Number(trace.value.toPrecision(8)) })}`
      : ''
    return `layer ${name}  ${size} × ${size}${end('top', top[0])}${end('bottom', bottom[0])}, ${count}${sum}`
  })
}

function stabilityLines({ edgeOfStability }: Document): string[] {
  if (!edgeOfStability) return []
  const { limit, points } = edgeOfStability
  return [
    `edge of stability: λ·η / ${limit.toPrecision(4)}, unstable above 1`,
    ...points.map(
      (p) =>
        `  ${p.checkpoint.padEnd(20)} λ ${p.topEigenvalue.toPrecision(8)} ± ${p.residualNorm.toExponential(1)}   ${p.edge.toPrecision(4)}`,
    ),
  ]
}
