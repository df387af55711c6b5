import { availableParallelism } from 'node:os'
import type { Engine } from '@thalweg/engine'
import { nativeEngine } from '@thalweg/engine/node'
import {
  Loss,
  ModifiedLoss,
  compareEscapes,
  eliminate,
  eliminateByScaling,
  frozenInfimum,
  neuronsOfVariant,
  quasiNewton,
  tangentModel,
  unflattenParameters,
} from '@thalweg/landscape'
import type { Elimination, EliminationMethod, EliminationPoint, ScalingResult, VariantName } from '@thalweg/landscape'
import { writeFileAtomic } from '../../files/write-atomic.ts'
import { encodeSafetensors } from '../../formats/safetensors.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import { openSubject, subjectJson } from '../../subject/subject.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'
import { deadlineOf } from '../deadline.ts'
import type { Language } from '../../report/scene.ts'
import { eliminationFigures } from './elimination-section.ts'
import { eliminationWords } from './elimination-words.ts'
import type { EliminationWords } from './elimination-words.ts'

export type EliminateVariant = VariantName | 'scaled-loss'

export interface EliminateArgument {
  readonly subject: SubjectArgument
  readonly variant: EliminateVariant
  readonly lambda: number
  readonly method?: EliminationMethod
  readonly learningRate?: number
  readonly timeEnd: number
  readonly maxSteps: number
  readonly tolerance: number
  /** Goes down to a stationary point without neurons first. */
  readonly minimize: boolean
  readonly evenIfVacuous: boolean
  /** Other ways out beside elimination. */
  readonly compare: boolean
  readonly attempts: number
  readonly timeLimitMs?: number
  readonly threads?: number
  /** Files: θ at the end (.safetensors), the figure (.svg). */
  readonly save?: string
  readonly figure?: string
  /** Of the sentences. */
  readonly lang: Language
}

/** The document that `thalweg eliminate --json` prints, without the common head. */
export type EliminateDocument = Readonly<Record<string, unknown>>

/** Adds the neurons that remove bad local minima to a model that is stuck, trains both, certifies or explains the failure. */
export async function eliminateJob(argument: EliminateArgument, context: JobContext): Promise<EliminateDocument> {
  const subject = await openSubject(argument.subject)
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    return (await eliminationOf(subject, argument, engine, context)).document
  } finally {
    await engine.dispose()
  }
}

export interface EliminationOutput {
  readonly document: EliminateDocument
  /** Its sentences in every language; null for the scaled loss, which has one. */
  readonly words: Readonly<Record<Language, EliminationWords>> | null
}

/** The same of a subject that is open. */
export async function eliminationOf(
  subject: Subject,
  argument: EliminateArgument,
  engine: Engine,
  context: JobContext,
): Promise<EliminationOutput> {
  const { signal, expired } = deadlineOf(context, argument.timeLimitMs)
  const { model, dataset, spec, weightDecay } = subject
  const loss = new Loss({ engine, model, dataset, spec, weightDecay })
  const theta = await startOf(argument, loss, subject.theta, signal)
  const run = { loss, theta, argument, subject, signal, context }
  const body = argument.variant === 'scaled-loss' ? await scaled(run) : await withNeurons(run, argument.variant)
  const head = subjectJson(subject, body.lossBefore, 'float64')
  const warnings = [...subject.warnings, ...body.warnings, ...(expired() ? ['The time limit was reached.'] : [])]
  return { document: { ...head, ...body.document, warnings }, words: body.words }
}

interface Run {
  readonly loss: Loss
  readonly theta: Float64Array
  readonly argument: EliminateArgument
  readonly subject: Subject
  readonly signal: { readonly aborted: boolean }
  readonly context: JobContext
}

interface Body {
  readonly lossBefore: number
  readonly document: object
  readonly words: EliminationOutput['words']
  readonly warnings: readonly string[]
}

async function startOf(
  argument: EliminateArgument,
  loss: Loss,
  theta: Float64Array,
  signal: { aborted: boolean },
): Promise<Float64Array> {
  if (!argument.minimize) return theta
  const options = { maxSteps: argument.maxSteps, gradientTolerance: 1e-9, signal }
  return (await quasiNewton((at) => loss.valueAndGradient(at), theta, options)).x
}

async function withNeurons(run: Run, variant: VariantName): Promise<Body> {
  const { loss, theta, argument, subject, signal, context } = run
  const { lambda, method, learningRate, timeEnd, maxSteps, tolerance, evenIfVacuous } = argument
  const training = { lambda, method, learningRate, timeEnd, maxSteps, tolerance, seed: argument.subject.seed, signal }
  const result = await eliminate(loss, theta, {
    ...training,
    neurons: neuronsOfVariant(variant, loss),
    evenIfVacuous,
    onProgress: (stage, done, total) => context.onProgress({ stage, done, total }),
  })
  const comparison = argument.compare
    ? await compareEscapes(loss, theta, {
        attempts: argument.attempts,
        elimination: training,
        seed: argument.subject.seed,
        signal,
        onProgress: (stage, done, total) => context.onProgress({ stage, done, total }),
      })
    : undefined
  const all = { en: eliminationWords(result, 'en'), zh: eliminationWords(result, 'zh') }
  const words = all[argument.lang]
  const files = await writeFiles(argument, subject, result.theta, { ...result, summary: words.summary })
  return {
    lossBefore: result.lossBefore,
    document: {
      ...eliminationJson(result, words),
      variant,
      frozenInfimum: await infimumJson(loss, result, lambda, variant),
      tangentModel: await tangentModel(loss, theta),
      ...(comparison && { comparison }),
      ...(Object.keys(files).length > 0 && { files }),
    },
    words: all,
    warnings: [
      ...(result.vacuity.applies && result.vacuity.reason === 'fewer-parameters' ? [words.vacuity] : []),
      ...(variant === 'per-layer'
        ? ['The wiring of the neurons per layer is our reading of the source; the certificate does not depend on it.']
        : []),
    ],
  }
}

/** The keys of DESIGN first; numbers as plain arrays. */
function eliminationJson(result: Elimination, words: EliminationWords): object {
  const { certificate, neuron, divergence, vacuity } = result
  const outputs = neuron.alpha.length
  const width = neuron.w.length / Math.max(1, outputs)
  const rows = Array.from({ length: outputs }, (_, k) => Array.from(neuron.w.subarray(k * width, (k + 1) * width)))
  return {
    outcome: result.outcome,
    summary: words.summary,
    lossBefore: result.lossBefore,
    lossAfter: result.lossAfter,
    modifiedLoss: result.modifiedLoss,
    functionOptimum: vacuity.optimum.value,
    groupGradientMax: certificate?.groupGradientMax ?? null,
    neuron: {
      alpha: Array.from(neuron.alpha),
      maxExponent: Array.from(neuron.maxExponent),
      w: rows,
      b: Array.from(neuron.b),
    },
    divergence: { ...divergence, statement: words.divergence },
    vacuity: {
      vacuous: vacuity.vacuous,
      applies: vacuity.applies,
      reason: vacuity.reason,
      statement: words.vacuity,
      advice: words.advice,
    },
    certificate: certificate && certificateJson(certificate),
    method: result.method,
    lambda: result.lambda,
    status: result.status,
    steps: result.steps,
    gradients: result.evaluations,
    history: result.history,
  }
}

function certificateJson({ witness, ...rest }: NonNullable<Elimination['certificate']>): object {
  if (!witness) return { ...rest, witness: null }
  const { kind, moved, output, decrease, predicted } = witness
  return { ...rest, witness: { kind, moved, output, decrease, predicted } }
}

/** How low the neurons alone can bring the loss at the θ reached; the explanation of a failure. */
async function infimumJson(
  loss: Loss,
  result: Elimination,
  lambda: number,
  variant: VariantName,
): Promise<object | null> {
  if (result.outcome !== 'failure-mode' || variant !== 'exponential') return null
  const modified = new ModifiedLoss(loss, { lambda })
  try {
    return await frozenInfimum(modified, result.theta)
  } finally {
    await modified.dispose()
  }
}

async function scaled({ loss, theta, argument, subject, signal }: Run): Promise<Body> {
  const { lambda, timeEnd, tolerance } = argument
  const result: ScalingResult = await eliminateByScaling(loss, theta, { lambda, timeEnd, tolerance, signal })
  const files = await writeFiles(argument, subject, result.theta, undefined)
  const { outcome, summary, lossBefore, lossAfter, modifiedLoss, a, b, gradientNorm, time } = result
  return {
    lossBefore,
    document: {
      ...{ outcome, summary, lossBefore, lossAfter, modifiedLoss },
      functionOptimum: null,
      groupGradientMax: null,
      neuron: { alpha: [a * Math.exp(b)], maxExponent: [b], w: [], b: [b] },
      divergence: { type: null, scaled: outcome === 'failure-mode' },
      variant: 'scaled-loss',
      lambda,
      gradientNorm,
      time,
      ...(Object.keys(files).length > 0 && { files }),
    },
    words: null,
    warnings: [],
  }
}

async function writeFiles(
  { save, figure, lang }: EliminateArgument,
  { model }: Subject,
  theta: Float64Array,
  result:
    | {
        readonly history: readonly EliminationPoint[]
        readonly method: EliminationMethod | null
        readonly summary: string
      }
    | undefined,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  if (save !== undefined) {
    await writeFileAtomic(save, encodeSafetensors(unflattenParameters(model, theta), { point: 'elimination' }))
    files['save'] = save
  }
  if (figure !== undefined && result && result.history.length > 1) {
    const { renderSvg } = await import('../../report/render-svg.ts')
    await writeFileAtomic(figure, renderSvg(eliminationFigures(result, lang)[0]))
    files['figure'] = figure
  }
  return files
}
