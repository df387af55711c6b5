import { availableParallelism } from 'node:os'
import { nativeEngine } from '@thalweg/engine/node'
import { Loss, LossPoint, diagnose, invariantFields, kernelSearchFactor, unflattenParameters } from '@thalweg/landscape'
import type { Diagnosis, LinearOperator, Model } from '@thalweg/landscape'
import { writeFileAtomic } from '../../files/write-atomic.ts'
import { encodeSafetensors } from '../../formats/safetensors.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import { openSubject } from '../../subject/subject.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'
import { estimateCost } from '../cost-estimate.ts'
import type { CostEstimate } from '../cost-estimate.ts'
import { allWarnings, diagnosisJson, verdictCard } from './diagnosis-document.ts'
import type { Language } from '../../report/scene.ts'
import { linearTheory, linearTheoryJson, optimumOf } from '../linear/linear-theory.ts'
import { optimizerFacts } from './optimizer-facts.ts'
import { sampledJson, sampledSubject } from '../sampled-subject.ts'
import { tangentEvidence } from './tangent-evidence.ts'

export interface DiagnoseArgument {
  readonly subject: SubjectArgument
  readonly lang: Language
  readonly top: number
  readonly bottom: number
  readonly denseLimit?: number
  readonly polish?: boolean
  readonly maxProducts?: number
  readonly learningRate?: number
  readonly batchSize?: number
  readonly timeLimitMs?: number
  readonly threads?: number
  /** Compute on so many samples, drawn by the seed, instead of all. */
  readonly samples?: number
  /** Files to write: the escaped point, the polished point, a report. */
  readonly saveEscape?: string
  readonly savePolished?: string
  readonly report?: string
}

export type DiagnoseDocument = Readonly<Record<string, unknown>>

/** Where did training stop? The verdict with its evidence, in float64 over the full data. */
export async function diagnoseJob(argument: DiagnoseArgument, context: JobContext): Promise<DiagnoseDocument> {
  const sampled = sampledSubject(await openSubject(argument.subject), argument.samples, argument.subject.seed)
  const { subject } = sampled
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    const { model, dataset, spec, weightDecay, theta } = subject
    const loss = new Loss({ engine, model, dataset, spec, weightDecay })
    const theory = await linearTheory(subject, loss)
    const estimate = await diagnosisCost(argument, new LossPoint(loss, theta).operator('hessian'), context)
    const diagnosis = await diagnose(loss, theta, {
      ...optimumOf(theory),
      ...tangentEvidence(loss),
      fields: await invariantFields(loss, { sizeMax: argument.denseLimit ?? denseLimitDefault }),
      top: argument.top,
      bottom: argument.bottom,
      denseLimit: argument.denseLimit,
      polish: argument.polish,
      maxProducts: argument.maxProducts,
      optimizer: optimizerFacts(subject.training, argument),
      seed: argument.subject.seed,
      timeLimitMs: argument.timeLimitMs,
      now: context.now,
      signal: context.signal,
      onProgress: (stage, done, total) => context.onProgress({ stage, done, total }),
    })
    const files = await writeFiles(argument, subject, diagnosis)
    return {
      ...sampledJson(sampled, diagnosis.loss, 'float64'),
      ...diagnosisJson(diagnosis, argument.lang),
      ...(theory && { linear: linearTheoryJson(theory) }),
      ...(Object.keys(files).length > 0 && { files }),
      estimate,
      warnings: allWarnings(subject.warnings, diagnosis, argument.lang),
    }
  } finally {
    await engine.dispose()
  }
}

const denseLimitDefault = 3000
const productsDefault = 1000
/** The gradient-flat measure (up to 203 products), and what noise floor and line searches cost, in products. */
const productsBeside = 260
/** How often a Hessian is formed: at the point and at the polished one, and once per step of the polish. */
const polishSteps = 60

/** What the diagnosis takes at most: dense Hessians up to the limit, products for both ends of the spectrum beyond. */
function diagnosisCost(
  argument: DiagnoseArgument,
  operator: LinearOperator,
  context: JobContext,
): Promise<CostEstimate> {
  const { denseLimit = denseLimitDefault, maxProducts = productsDefault, polish } = argument
  const dense = operator.size <= denseLimit
  const products = dense
    ? { dense: polish === false ? 1 : 2 + polishSteps }
    : { single: maxProducts * ((polish ? 2 : 1) + kernelSearchFactor) + productsBeside }
  return estimateCost(operator, { what: 'Hessian', products }, context)
}

async function writeFiles(
  argument: DiagnoseArgument,
  subject: Subject,
  diagnosis: Diagnosis,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  const point = async (name: string, path: string | undefined, theta: readonly number[] | undefined): Promise<void> => {
    if (path === undefined || theta === undefined) return
    await writeFileAtomic(path, pointBytes(subject.model, theta, name))
    files[name] = path
  }
  await point('escape', argument.saveEscape, diagnosis.escape?.theta)
  await point('polished', argument.savePolished, diagnosis.polished?.theta)
  if (argument.report !== undefined) {
    const { diagnosisReport } = await import('./diagnosis-report.ts')
    await writeFileAtomic(
      argument.report,
      diagnosisReport(subject, diagnosis, verdictCard(diagnosis, argument.lang), argument.lang),
    )
    files['report'] = argument.report
  }
  return files
}

function pointBytes(model: Model, theta: readonly number[], name: string): Uint8Array {
  return encodeSafetensors(unflattenParameters(model, Float64Array.from(theta)), { point: name })
}
