import { availableParallelism } from 'node:os'
import type { Engine } from '@thalweg/engine'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError, TaskError, sizeOf } from '@thalweg/graph'
import {
  Loss,
  LossPoint,
  blockOperator,
  gramOperator,
  layerGroups,
  norm,
  sampleCount,
  spectrum,
} from '@thalweg/landscape'
import type { CurvatureKind, Eigenpair, LinearOperator, SpectralFloor, Spectrum } from '@thalweg/landscape'
import type { JobContext } from '../jobs/job-context.ts'
import { openSubject } from '../subject/subject.ts'
import type { Subject, SubjectArgument } from '../subject/subject.ts'
import { estimateCost } from './cost-estimate.ts'
import type { CostEstimate } from './cost-estimate.ts'
import { deadlineOf } from './deadline.ts'
import type { Deadline } from './deadline.ts'
import { sampledJson, sampledSubject } from './sampled-subject.ts'
import { stabilityAlong } from './stability-along.ts'
import type { StabilityArgument } from './stability-along.ts'

export const spectrumOperators = ['hessian', 'ggn', 'fisher', 'empirical-fisher', 'gram'] as const
export type SpectrumOperator = (typeof spectrumOperators)[number]

export interface SpectrumArgument extends StabilityArgument {
  readonly subject: SubjectArgument
  readonly operator: SpectrumOperator
  readonly top: number
  readonly bottom: number
  readonly exact?: boolean
  readonly trace: boolean
  readonly density: boolean
  /** log det(A + shift·I). */
  readonly logDet?: boolean
  readonly shift?: number
  readonly layers: boolean
  readonly dtype: 'float32' | 'float64'
  /** Arithmetic of the matrix-free search for both ends; what it finds is refined in `dtype`. Default: `dtype`. */
  readonly searchDtype?: 'float32' | 'float64'
  readonly maxProducts?: number
  readonly tolerance?: number
  readonly threads?: number
  /** Compute on so many samples, drawn by the seed, instead of all. */
  readonly samples?: number
  /** Stop with the best pairs so far. */
  readonly timeLimitMs?: number
}

/** The document that `thalweg spectrum --json` prints, without the common head. */
export type SpectrumDocument = Readonly<Record<string, unknown>>

const plain = (pairs: readonly Eigenpair[]): object[] =>
  pairs.map(({ value, residualNorm, converged }) => ({ value, residualNorm, converged }))

/** The smallest eigenvalues: found, or known by the form of the matrix. */
function bottomOf({ bottom, floor }: Spectrum, wanted: number): object[] {
  if (!floor) return plain(bottom)
  return Array.from({ length: wanted }, () => ({ value: floor.value, residualNorm: 0, converged: true }))
}

function spectrumJson(result: Spectrum, wantedBottom: number): object {
  const {
    method,
    all,
    morseIndex,
    trace,
    frobeniusNorm,
    effectiveRank,
    density,
    logDeterminant,
    status,
    multiplicityVerified,
    products,
    searchProducts,
    symmetryDefect,
    operatorNorm,
  } = result
  return {
    eigenvalues: {
      method,
      status,
      multiplicityVerified,
      products,
      searchProducts,
      operatorNorm,
      symmetryDefect,
      top: plain(result.top),
      bottom: bottomOf(result, wantedBottom),
      ...(result.floor && { floor: result.floor }),
      ...(all && { all: Array.from(all) }),
    },
    morseIndex,
    trace,
    frobeniusNorm,
    effectiveRank,
    ...(logDeterminant && { logDeterminant }),
    ...(density && {
      density: {
        grid: Array.from(density.grid),
        values: Array.from(density.values),
        standardErrors: Array.from(density.standardErrors),
        sigma: density.sigma,
        support: density.support,
        // From all eigenvalues: none.
        probes: result.all ? 0 : density.measures.length,
        complete: density.complete,
      },
    }),
  }
}

/** Products that a search takes at most by default; trace and density come on top. */
const productsDefault = 1000
const traceProducts = 120
const densityProducts = 10 * 80
/** Probes × steps; the logarithm needs more steps than a picture. */
const logDetQuadrature = { probes: 20, steps: 100 }
/** Up to this size the whole matrix is formed by default. */
const denseLimit = 2000

/** Eigenvalues, index, trace and density of a curvature matrix at a point, with what each number proves. */
export async function spectrumJob(argument: SpectrumArgument, context: JobContext): Promise<SpectrumDocument> {
  requireMeaning(argument)
  const subject = await openSubject(argument.subject)
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    return await spectrumDocument(subject, argument, engine, context)
  } finally {
    await engine.dispose()
  }
}

/** Refuses options that nothing would read.
 * @throws {DomainError} naming what they belong to. */
function requireMeaning(argument: SpectrumArgument): void {
  const { shift, logDet, trajectory, learningRate, momentum, nesterov } = argument
  if (shift !== undefined && !logDet) throw new DomainError('--shift: it belongs to --log-det. Add that.')
  const stability = learningRate !== undefined || momentum !== undefined || nesterov === true
  if (trajectory === undefined && stability)
    throw new DomainError('--learning-rate, --momentum, --nesterov: they belong to --trajectory DIR. Add that.')
  if (nesterov === true && momentum === undefined)
    throw new DomainError('--nesterov: it needs the momentum of the training. Pass --momentum.')
}

/** The same of a subject that is open. */
export async function spectrumDocument(
  whole: Subject,
  argument: SpectrumArgument,
  engine: Engine,
  context: JobContext,
): Promise<SpectrumDocument> {
  const sampled = sampledSubject(whole, argument.samples, argument.subject.seed)
  const { subject } = sampled
  const { model, dataset, spec, weightDecay, theta } = subject
  const deadline = deadlineOf(context, argument.timeLimitMs)
  const loss = new Loss({ engine, model, dataset, spec, weightDecay, dtype: argument.dtype })
  const { value, gradient } = await loss.valueAndGradient(theta)
  if (!Number.isFinite(value) || !gradient.every(Number.isFinite))
    throw new DomainError(
      `${argument.subject.model}: loss and gradient must be finite at this point, got loss ${value}. Check weights and data.`,
    )
  const point = new LossPoint(loss, theta)
  const matrix =
    argument.operator === 'gram' ? gramOperator(point) : point.operator(argument.operator satisfies CurvatureKind)
  const cheap = searchOperator(argument, subject, engine)
  const plan = await planOf(argument, matrix, cheap, context)
  const analyze = (operator: LinearOperator, stage: string): Promise<Spectrum> =>
    spectrum(operator, {
      top: argument.top,
      bottom: argument.bottom,
      exact:
        stage === ''
          ? plan.exact
          : wantsDense(plan.refused ? { ...argument, exact: undefined } : argument, operator.size),
      tolerance: argument.tolerance,
      maxProducts: argument.maxProducts,
      search: stage === '' ? cheap : undefined,
      floor: floorOf(argument.operator, loss),
      traceProducts: argument.trace ? traceProducts : undefined,
      density: argument.density ? {} : undefined,
      logDeterminant: argument.logDet ? { shift: argument.shift ?? 0, ...logDetQuadrature } : undefined,
      seed: argument.subject.seed,
      signal: deadline.signal,
      onProgress: (part, done, total) => context.onProgress({ stage: stage || part, done, total }),
    })
  const result = await analyze(matrix, '').catch((error: unknown) => unlessExpired(error, deadline, matrix.size))
  const layers = await layerSpectra(argument, matrix, layerGroups(model), analyze, deadline)
  const along = await stabilityAlong(argument, loss, model, argument.subject.seed, context, deadline)
  const stopped = deadline.expired()
  return {
    ...sampledJson(sampled, value, argument.dtype),
    status: stopped || plan.refused ? 'time-limit' : result.status === 'aborted' ? 'interrupted' : 'finished',
    ...(cheap && { searchDtype: argument.searchDtype }),
    operator: argument.operator,
    size: matrix.size,
    gradientNorm: norm(gradient),
    ...spectrumJson(result, argument.bottom),
    ...(layers && { layers }),
    ...(along && { edgeOfStability: along }),
    estimate: plan.estimate,
    warnings: [
      ...subject.warnings,
      ...plan.warnings,
      ...(argument.dtype === 'float32'
        ? ['Computed in float32: small eigenvalues and their signs are not reliable.']
        : []),
      ...searchWarnings(argument, result),
      ...zeroWarnings(argument.operator, spec),
      ...logDeterminantWarnings(result),
      ...(stopped ? stopWarnings(argument, result) : unconvergedWarnings(argument, result)),
    ],
    samples: sampleCount(dataset),
  }
}

/** Gauss-Newton and Fisher matrices are sums over outputs (the empirical one over samples) of positive semidefinite ones
 * of rank 1: every loss is convex in the outputs. */
function floorOf(operator: SpectrumOperator, loss: Loss): SpectralFloor | undefined {
  const outputs = loss.samples * sizeOf(loss.model.outputShape)
  switch (operator) {
    case 'hessian':
      return undefined
    case 'ggn':
      return { value: loss.weightDecay, rank: outputs }
    case 'fisher':
      return { value: loss.spec.name === 'negative-log-likelihood' ? 0 : loss.weightDecay, rank: outputs }
    case 'empirical-fisher':
      return { value: 0, rank: loss.samples }
    case 'gram':
      return { value: 0, rank: loss.size }
  }
}

interface Plan {
  readonly exact: boolean
  readonly estimate: CostEstimate
  readonly warnings: readonly string[]
  /** All eigenvalues were asked for, and time does not allow it. */
  readonly refused: boolean
}

/** Pairs asked for, of those that there are. */
function wantedPairs({ top, bottom }: SpectrumArgument, size: number): number {
  return Math.min(size, top) + Math.min(size, bottom)
}

/** Whether all eigenvalues are computed: as asked for, else where the matrix is small and the products, those for the
 * residuals included, are allowed. */
function wantsDense(argument: SpectrumArgument, size: number): boolean {
  const { exact, maxProducts = Number.POSITIVE_INFINITY } = argument
  return exact ?? (size <= denseLimit && size + wantedPairs(argument, size) <= maxProducts)
}

/** @throws {DomainError} if the products allowed are too few for what is asked. */
function requireProducts(argument: SpectrumArgument, { size }: LinearOperator): void {
  const { exact, maxProducts, top, bottom } = argument
  const wanted = wantedPairs(argument, size)
  if (maxProducts === undefined) return
  if (exact && maxProducts < size + wanted)
    throw new DomainError(
      `--exact: it takes ${size + wanted} products, got --max-products ${maxProducts}. Leave one of them out.`,
    )
  if (maxProducts <= wanted)
    throw new DomainError(
      `--max-products: ${top} largest and ${bottom} smallest eigenvalues take at least ${wanted + 1}, got ${maxProducts}. Raise it, or ask for fewer by --top and --bottom.`,
    )
}

/** Dense or not, with what it costs: the dense matrix only where it fits the time limit: its decomposition
 * cannot be interrupted. */
async function planOf(
  argument: SpectrumArgument,
  operator: LinearOperator,
  search: LinearOperator | undefined,
  context: JobContext,
): Promise<Plan> {
  const { exact, maxProducts = productsDefault, trace, density, logDet, timeLimitMs, dtype } = argument
  requireProducts(argument, operator)
  const what = argument.operator
  const extra =
    (trace ? 2 * traceProducts : 0) +
    (density ? densityProducts : 0) +
    (logDet ? logDetQuadrature.probes * logDetQuadrature.steps : 0)
  const advice =
    search === undefined && dtype === 'float64'
      ? 'Five pairs from either end often take 100 to 200; --search-dtype float32 about halves the time of each.'
      : undefined
  const sparse = (): Promise<CostEstimate> =>
    estimateCost(search ?? operator, { what, products: { single: maxProducts + extra }, advice }, context)
  if (!wantsDense(argument, operator.size))
    return { exact: false, estimate: await sparse(), warnings: [], refused: false }
  const quiet = { now: context.now, onProgress: timeLimitMs === undefined ? context.onProgress : () => {} }
  const estimate = await estimateCost(operator, { what, products: { dense: 1 } }, quiet)
  if (timeLimitMs === undefined || estimate.elapsedMsMax <= timeLimitMs)
    return { exact: true, estimate, warnings: [], refused: false }
  return {
    exact: false,
    estimate: await sparse(),
    warnings: [
      `All eigenvalues would take up to ${Math.ceil(estimate.elapsedMsMax / 1000)} s and not fit the time limit: both ends were searched for instead, and the index is a lower bound.`,
    ],
    refused: exact === true,
  }
}

/** The same matrix in the arithmetic of the search, where that is another one. */
function searchOperator(
  { operator, searchDtype, dtype }: SpectrumArgument,
  { model, dataset, spec, weightDecay, theta }: Subject,
  engine: Engine,
): LinearOperator | undefined {
  if (searchDtype === undefined || searchDtype === dtype) return undefined
  const point = new LossPoint(new Loss({ engine, model, dataset, spec, weightDecay, dtype: searchDtype }), theta)
  return operator === 'gram' ? gramOperator(point) : point.operator(operator)
}

function searchWarnings({ searchDtype, dtype }: SpectrumArgument, { method, products }: Spectrum): string[] {
  if (searchDtype === undefined || searchDtype === dtype || products === 0) return []
  return method === 'dense'
    ? [`--search-dtype ${searchDtype} had nothing to do: all eigenvalues were computed, in ${dtype}.`]
    : [`The search for both ends ran in ${searchDtype}; values and residuals are those of ${dtype}.`]
}

/** What there is of a matrix that the clock gave up: nothing but its size. Other errors are passed on. */
function unlessExpired(error: unknown, deadline: Deadline, size: number): Spectrum {
  if (!(error instanceof TaskError && deadline.expired())) throw error
  return {
    ...{ size, method: 'dense', status: 'aborted', top: [], bottom: [], all: null, operatorNorm: 0 },
    ...{ products: 0, searchProducts: 0 },
    morseIndex: { value: 0, threshold: 0, exact: false },
    ...{ trace: null, frobeniusNorm: null, effectiveRank: null, density: null, logDeterminant: null },
    symmetryDefect: null,
    multiplicityVerified: false,
    floor: null,
  }
}

/** Curvature matrices that vanish by definition. */
function zeroWarnings(operator: SpectrumOperator, { name, power }: Subject['spec']): string[] {
  const linear = name === 'negative-log-likelihood' || name === 'l1' || (name === 'hinge' && (power ?? 1) === 1)
  if (operator !== 'ggn' || !linear) return []
  const instead = name === 'negative-log-likelihood' ? '--operator fisher or hessian' : '--operator hessian'
  return [
    `The generalized Gauss-Newton matrix of ${name} is zero by definition (weight decay apart): the loss is linear in the outputs of the model. Use ${instead}.`,
  ]
}

function logDeterminantWarnings({ logDeterminant }: Spectrum): string[] {
  if (!logDeterminant) return []
  const { shift, obstacle, standardError, quadratureError } = logDeterminant
  const name = shift === 0 ? 'log det A' : `log det(A + ${shift} I)`
  if (obstacle !== null)
    return [
      `${name} does not exist: the spectrum of A reaches down to ${obstacle.toPrecision(4)}. Use --shift above ${Math.max(0, -obstacle).toPrecision(4)}, or --operator ggn with a positive --shift.`,
    ]
  // More than one half of the variance.
  if (standardError === null || quadratureError === null || quadratureError <= Math.SQRT1_2 * standardError) return []
  return [
    `${name}: Lanczos quadrature had not settled; its error of about ${quadratureError.toPrecision(2)} is extrapolated and most likely of one sign, too large a value. A larger --shift converges faster; --exact is exact.`,
  ]
}

const unverifiedWarning =
  'All pairs have converged, but the search for further copies of multiple eigenvalues did not come to its end: a listed eigenvalue may stand where a copy of one before it belongs. Raise --max-products, or form the matrix by --exact.'

/** A search that used up its products before it had all pairs, or before it had looked for further copies of them. */
function unconvergedWarnings(argument: SpectrumArgument, result: Spectrum): string[] {
  const { top, bottom, status, multiplicityVerified, products } = result
  const open = [...top, ...bottom].filter((pair) => !pair.converged).length
  if (open === 0) return multiplicityVerified ? [] : [unverifiedWarning]
  if (status !== 'max-products' && status !== 'stagnated') return []
  const why = status === 'stagnated' ? 'rounding keeps their residuals up' : `after ${products} products`
  const cure = status === 'stagnated' ? '' : ' Raise --max-products, or form the matrix by --exact.'
  return [
    `${open} of ${wantedPairs(argument, result.size)} eigenvalues have not converged, ${why}: within its residual of each lies some eigenvalue, but it need not be the extreme one.${cure}`,
  ]
}

function stopWarnings(argument: SpectrumArgument, result: Spectrum): string[] {
  const { top, bottom, floor, products, trace, density, logDeterminant, method, status } = result
  if (method === 'dense' && status === 'aborted')
    return [
      'Stopped by the time limit while the dense matrix was formed: there are no eigenvalues yet. Leave out --exact to search for both ends, or allow more time.',
    ]
  const wanted = wantedPairs(argument, result.size)
  const known = floor ? argument.bottom : bottom.filter((pair) => pair.converged).length
  const open = wanted - known - top.filter((pair) => pair.converged).length
  const done =
    (!argument.trace || trace) &&
    (!argument.density || density?.complete) &&
    (!argument.logDet || logDeterminant?.complete)
  if (open === 0 && done && !result.multiplicityVerified) return [unverifiedWarning]
  if (open === 0 && done)
    return [`The time limit passed after ${products} products, when all that was asked for was done.`]
  const parts = [
    ...(argument.trace && !trace ? ['the trace was not reached'] : []),
    ...(argument.density && !density ? ['the density was not reached'] : []),
    ...(density && !density.complete
      ? [`the density rests on ${density.measures.length} probes, some of fewer steps`]
      : []),
    ...(argument.logDet && !logDeterminant ? ['the log-determinant was not reached'] : []),
    ...(logDeterminant && !logDeterminant.complete ? ['the log-determinant rests on fewer probes and steps'] : []),
  ]
  return [
    `Stopped by the time limit after ${products} products: ${open} of ${wanted} pairs had not converged${parts.map((part) => `; ${part}`).join('')}. The pairs are the best so far; a residual r proves that some eigenvalue lies within r, not that it is the extreme one.`,
  ]
}

async function layerSpectra(
  { layers, operator, bottom }: SpectrumArgument,
  whole: LinearOperator,
  groups: ReturnType<typeof layerGroups>,
  analyze: (operator: LinearOperator, stage: string) => Promise<Spectrum>,
  deadline: Deadline,
): Promise<object[] | undefined> {
  if (!layers) return undefined
  if (operator === 'gram')
    throw new DomainError('--layers: the Gram matrix has no blocks per layer. Choose another --operator.')
  const out: object[] = []
  for (const group of groups) {
    if (deadline.signal.aborted) break
    const block = blockOperator(whole, group)
    out.push({ name: group.name, size: block.size, ...spectrumJson(await analyze(block, group.name), bottom) })
  }
  return out
}
