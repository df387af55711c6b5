import { availableParallelism } from 'node:os'
import type { Engine } from '@thalweg/engine'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError, TaskError, sizeOf } from '@thalweg/graph'
import {
  Loss,
  LossPoint,
  blockOperator,
  floorNear,
  gramOperator,
  interiorSubspaceSize,
  layerGroups,
  norm,
  sampleCount,
  spectrum,
} from '@thalweg/landscape'
import type {
  CurvatureKind,
  Eigenpair,
  LinearOperator,
  NearEigenvalues,
  SpectralFloor,
  Spectrum,
} from '@thalweg/landscape'
import type { JobContext } from '../../jobs/job-context.ts'
import { openSubject } from '../../subject/subject.ts'
import type { Subject } from '../../subject/subject.ts'
import { estimateCost } from '../cost-estimate.ts'
import type { CostEstimate } from '../cost-estimate.ts'
import { deadlineOf } from '../deadline.ts'
import type { Deadline } from '../deadline.ts'
import { sampledJson, sampledSubject } from '../sampled-subject.ts'
import { nearRequest, requireMeaning, requireProducts, wantedPairs, wantsDense } from './spectrum-argument.ts'
import type { SpectrumArgument, SpectrumOperator } from './spectrum-argument.ts'
import { spectrumWarnings } from './spectrum-warnings.ts'
import { stabilityAlong } from './stability-along.ts'

/** The document that `thalweg spectrum --json` prints, without the common head. */
export type SpectrumDocument = Readonly<Record<string, unknown>>

const plain = (pairs: readonly Eigenpair[]): object[] =>
  pairs.map(({ value, residualNorm, converged }) => ({ value, residualNorm, converged }))

/** The smallest eigenvalues: found, or known by the form of the matrix. */
function bottomOf({ bottom, floor }: Spectrum, wanted: number): object[] {
  if (!floor) return plain(bottom)
  return Array.from({ length: wanted }, () => ({ value: floor.value, residualNorm: 0, converged: true }))
}

/** The eigenvalues near a target: found, or known by the form of the matrix. */
function nearJson(
  { target, method, status, multiplicityVerified, products, pairs, floor, equal }: NearEigenvalues,
  count: number,
): object {
  const known = floor && { value: floor.value, residualNorm: 0, converged: true }
  return {
    ...{ target, method, status, multiplicityVerified, products },
    ...(floor && { floor }),
    ...(equal !== null && { equal }),
    pairs: known ? Array.from({ length: count }, () => known) : plain(pairs),
  }
}

function spectrumJson(result: Spectrum, wantedBottom: number, wantedNear: number): object {
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
      ...(result.near && { near: nearJson(result.near, wantedNear) }),
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

/** Products of the trace and the Frobenius norm. */
function traceProductsMax({ trace, traceAccuracy }: SpectrumArgument, maxProducts: number): number {
  if (!trace) return 0
  return traceProducts + (traceAccuracy === undefined ? traceProducts : maxProducts)
}

/** Products that a search takes at most by default; trace and density come on top. */
const productsDefault = 1000
const traceProducts = 120
const densityProducts = 10 * 80
/** Probes × steps; the logarithm needs more steps than a picture. */
const logDetQuadrature = { probes: 20, steps: 100 }
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
  const cacheBytes = cacheBudget()
  const loss = new Loss({ engine, model, dataset, spec, weightDecay, dtype: argument.dtype, cacheBytes })
  const { value, gradient } = await loss.valueAndGradient(theta)
  if (!Number.isFinite(value) || !gradient.every(Number.isFinite))
    throw new DomainError(
      `${argument.subject.model}: loss and gradient must be finite at this point, got loss ${value}. Check weights and data.`,
    )
  const point = new LossPoint(loss, theta)
  const matrix =
    argument.operator === 'gram' ? gramOperator(point) : point.operator(argument.operator satisfies CurvatureKind)
  const cheap = searchOperator(argument, subject, engine)
  const floor = floorOf(argument.operator, loss)
  const near = nearRequest(argument)
  const plan = await planOf(argument, matrix, cheap, floor, context)
  if (!plan.exact) deadline.reserve(residualMs(argument, matrix.size, plan.estimate, cheap !== undefined))
  const analyze = (operator: LinearOperator, stage: string): Promise<Spectrum> =>
    spectrum(operator, {
      top: argument.top,
      bottom: argument.bottom,
      near: stage === '' ? near : undefined,
      exact:
        stage === ''
          ? plan.exact
          : wantsDense(plan.refused ? { ...argument, exact: undefined } : argument, operator.size),
      tolerance: argument.tolerance,
      maxProducts: argument.maxProducts,
      search: stage === '' ? cheap : undefined,
      floor,
      traceProducts: argument.trace ? traceProducts : undefined,
      traceAccuracy: argument.traceAccuracy,
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
    ...spectrumJson(result, argument.bottom, Math.min(matrix.size, near?.count ?? 0)),
    ...(layers && { layers }),
    ...(along && { edgeOfStability: along }),
    estimate: plan.estimate,
    warnings: [...subject.warnings, ...plan.warnings, ...spectrumWarnings(argument, spec, result, stopped)],
    samples: sampleCount(dataset),
  }
}

/** A search in float32 is followed by products in float64, each several times as dear (measured: three to four). */
const refinementFactor = 4

/** What the residuals take that follow a search: one product for each pair. */
function residualMs(argument: SpectrumArgument, size: number, { productMs }: CostEstimate, cheap: boolean): number {
  const pairs = wantedPairs(argument, size) + Math.min(size, nearRequest(argument)?.count ?? 0)
  return pairs * productMs * (cheap ? refinementFactor : 1)
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

/** Dense or not, with what it costs: the dense matrix only where it fits the time limit: its decomposition
 * cannot be interrupted. */
async function planOf(
  argument: SpectrumArgument,
  operator: LinearOperator,
  search: LinearOperator | undefined,
  floor: SpectralFloor | undefined,
  context: JobContext,
): Promise<Plan> {
  const { exact, maxProducts = productsDefault, density, logDet, timeLimitMs, dtype } = argument
  const { size } = operator
  requireProducts(argument, size, floor)
  const what = argument.operator
  const near = nearRequest(argument)
  const interior = near !== undefined && floorNear(size, near, floor) === null
  const searches = Math.sign(wantedPairs(argument, size)) + (interior ? 1 : 0)
  const extra =
    traceProductsMax(argument, maxProducts) +
    (density ? densityProducts : 0) +
    (logDet ? logDetQuadrature.probes * logDetQuadrature.steps : 0)
  const advice =
    search === undefined && dtype === 'float64'
      ? `${wantedPairs(argument, size) > 0 ? 'Five pairs from either end often take 100 to 200; ' : ''}--search-dtype float32 about halves the time of each.`
      : undefined
  const sparse = (): Promise<CostEstimate> =>
    estimateCost(
      search ?? operator,
      {
        ...{ what, advice },
        products: { single: searches * maxProducts + extra },
        ...(interior && { basisRows: interiorSubspaceSize(size, near.count) }),
      },
      context,
    )
  if (!wantsDense(argument, size)) return { exact: false, estimate: await sparse(), warnings: [], refused: false }
  const quiet = { now: context.now, onProgress: timeLimitMs === undefined ? context.onProgress : () => {} }
  const estimate = await estimateCost(operator, { what, products: { dense: 1 } }, quiet)
  if (timeLimitMs === undefined || estimate.elapsedMsMax <= timeLimitMs)
    return { exact: true, estimate, warnings: [], refused: false }
  return {
    exact: false,
    estimate: await sparse(),
    warnings: [
      `All eigenvalues would take up to ${Math.ceil(estimate.elapsedMsMax / 1000)} s and not fit the time limit: eigenvalues were searched for instead, and the index is a lower bound.`,
    ],
    refused: exact === true,
  }
}

/** Hundreds of products at one point: a third of the memory that is free may keep what they share. */
function cacheBudget(): number {
  return Math.max(2 ** 30, Math.floor(process.availableMemory() / 3))
}

/** The same matrix in the arithmetic of the search, where that is another one. */
function searchOperator(
  { operator, searchDtype, dtype }: SpectrumArgument,
  { model, dataset, spec, weightDecay, theta }: Subject,
  engine: Engine,
): LinearOperator | undefined {
  if (searchDtype === undefined || searchDtype === dtype) return undefined
  const cacheBytes = cacheBudget()
  const loss = new Loss({ engine, model, dataset, spec, weightDecay, dtype: searchDtype, cacheBytes })
  const point = new LossPoint(loss, theta)
  const { size, apply, applyBatch } = operator === 'gram' ? gramOperator(point) : point.operator(operator)
  const finite = (products: Float64Array): Float64Array => {
    if (products.every(Number.isFinite)) return products
    throw new DomainError(
      `--search-dtype ${searchDtype}: products with the matrix overflow at this point. Leave it out, to search in ${dtype}.`,
    )
  }
  return {
    size,
    apply: async (v) => finite(await apply(v)),
    ...(applyBatch && {
      applyBatch: async (vectors: Float64Array, count: number) => finite(await applyBatch(vectors, count)),
    }),
  }
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
    ...{ floor: null, near: null },
  }
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
    out.push({ name: group.name, size: block.size, ...spectrumJson(await analyze(block, group.name), bottom, 0) })
  }
  return out
}
