import { availableParallelism } from 'node:os'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError } from '@thalweg/graph'
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
import type { CurvatureKind, Eigenpair, LinearOperator, Spectrum } from '@thalweg/landscape'
import type { JobContext } from '../jobs/job-context.ts'
import { openSubject, subjectJson } from '../subject/subject.ts'
import type { SubjectArgument } from '../subject/subject.ts'

export const spectrumOperators = ['hessian', 'ggn', 'fisher', 'empirical-fisher', 'gram'] as const
export type SpectrumOperator = (typeof spectrumOperators)[number]

export interface SpectrumArgument {
  readonly subject: SubjectArgument
  readonly operator: SpectrumOperator
  readonly top: number
  readonly bottom: number
  readonly exact?: boolean
  readonly trace: boolean
  readonly density: boolean
  readonly layers: boolean
  readonly dtype: 'float32' | 'float64'
  readonly maxProducts?: number
  readonly tolerance?: number
  readonly threads?: number
}

/** The document that `thalweg spectrum --json` prints, without the common head. */
export type SpectrumDocument = Readonly<Record<string, unknown>>

const plain = (pairs: readonly Eigenpair[]): object[] =>
  pairs.map(({ value, residualNorm, converged }) => ({ value, residualNorm, converged }))

function spectrumJson(result: Spectrum): object {
  const {
    method,
    all,
    morseIndex,
    trace,
    frobeniusNorm,
    effectiveRank,
    density,
    status,
    products,
    symmetryDefect,
    operatorNorm,
  } = result
  return {
    eigenvalues: {
      method,
      status,
      products,
      operatorNorm,
      symmetryDefect,
      top: plain(result.top),
      bottom: plain(result.bottom),
      ...(all && { all: Array.from(all) }),
    },
    morseIndex,
    trace,
    frobeniusNorm,
    effectiveRank,
    ...(density && {
      density: {
        grid: Array.from(density.grid),
        values: Array.from(density.values),
        standardErrors: Array.from(density.standardErrors),
        sigma: density.sigma,
        support: density.support,
      },
    }),
  }
}

/** Eigenvalues, index, trace and density of a curvature matrix at a point, with what each number proves. */
export async function spectrumJob(
  argument: SpectrumArgument,
  { onProgress, signal }: JobContext,
): Promise<SpectrumDocument> {
  const subject = await openSubject(argument.subject)
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    const { model, dataset, spec, weightDecay, theta } = subject
    const loss = new Loss({ engine, model, dataset, spec, weightDecay, dtype: argument.dtype })
    const { value, gradient } = await loss.valueAndGradient(theta)
    const point = new LossPoint(loss, theta)
    const analyze = (operator: LinearOperator, stage: string): Promise<Spectrum> =>
      spectrum(operator, {
        top: argument.top,
        bottom: argument.bottom,
        exact: argument.exact,
        tolerance: argument.tolerance,
        maxProducts: argument.maxProducts,
        traceProducts: argument.trace ? 120 : undefined,
        density: argument.density ? {} : undefined,
        seed: argument.subject.seed,
        signal,
        onProgress: (part, done, total) => onProgress({ stage: stage || part, done, total }),
      })
    const whole =
      argument.operator === 'gram' ? gramOperator(point) : point.operator(argument.operator satisfies CurvatureKind)
    const layers = await layerSpectra(argument, whole, layerGroups(model), analyze)
    return {
      ...subjectJson(subject, value, argument.dtype),
      operator: argument.operator,
      size: whole.size,
      gradientNorm: norm(gradient),
      ...spectrumJson(await analyze(whole, '')),
      ...(layers && { layers }),
      warnings: [
        ...subject.warnings,
        ...(argument.dtype === 'float32'
          ? ['Computed in float32: small eigenvalues and their signs are not reliable.']
          : []),
      ],
      samples: sampleCount(dataset),
    }
  } finally {
    await engine.dispose()
  }
}

async function layerSpectra(
  { layers, operator }: SpectrumArgument,
  whole: LinearOperator,
  groups: ReturnType<typeof layerGroups>,
  analyze: (operator: LinearOperator, stage: string) => Promise<Spectrum>,
): Promise<object[] | undefined> {
  if (!layers) return undefined
  if (operator === 'gram')
    throw new DomainError('--layers: the Gram matrix has no blocks per layer. Choose another --operator.')
  const out: object[] = []
  for (const group of groups) {
    const block = blockOperator(whole, group)
    out.push({ name: group.name, size: block.size, ...spectrumJson(await analyze(block, group.name)) })
  }
  return out
}
