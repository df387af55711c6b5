import { lossNames, normalizations } from '@thalweg/landscape'
import { z } from 'zod'
import type { ExperimentText, StopRequest, WorkRequest } from './protocol.ts'
import { Refusal } from './refusal.ts'

/* What a request for work may say. Every object is strict, every list and text bounded. */

const text = z.string().min(1).max(200)
const texts = z.array(text).max(50)
const count = (most: number): z.ZodInt => z.int().min(1).max(most)
const real = z.number()

const modelReference = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('upload'), upload: text, file: text }),
  z.strictObject({ kind: z.literal('run'), run: z.string().min(1).max(800), checkpoint: text.optional() }),
])

const dataReference = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('upload'), upload: text, files: z.array(text).min(1).max(20) }),
  z.strictObject({ kind: z.literal('built-in'), name: text }),
])

const loss = z.strictObject({
  name: z.enum(lossNames),
  reduction: z.enum(['mean', 'sum']).optional(),
  weightDecay: real.nonnegative().optional(),
  labelSmoothing: real.min(0).lt(1).optional(),
  power: real.min(1).optional(),
  delta: real.positive().optional(),
})

const subject = z.strictObject({
  model: modelReference,
  data: dataReference.optional(),
  loss: loss.optional(),
  input: texts.optional(),
  target: text.optional(),
  task: z.enum(['classification', 'regression']).optional(),
  output: text.optional(),
  train: texts.optional(),
  freeze: texts.optional(),
})

const common = {
  name: text.optional(),
  seed: z.int().nonnegative().optional(),
  lang: z.enum(['en', 'zh']).optional(),
  threads: count(256).optional(),
  timeLimitMs: real
    .positive()
    .max(30 * 24 * 3600 * 1000)
    .optional(),
}
const onSubject = { ...common, subject }
const samples = count(1e9).optional()
const axis = z
  .strictObject({ start: real, end: real, count: z.int().min(2).max(501) })
  .refine((a) => a.start < a.end, { message: 'start must be below end' })

const schema: z.ZodType<WorkRequest> = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('run'), ...common, yaml: z.string().max(200_000), upload: text.optional() }),
  z.strictObject({
    command: z.literal('diagnose'),
    ...onSubject,
    samples,
    top: count(100).optional(),
    bottom: count(100).optional(),
    denseLimit: z.int().min(0).max(20_000).optional(),
    polish: z.boolean().optional(),
    maxProducts: count(1e7).optional(),
    learningRate: real.positive().optional(),
    batchSize: count(1e9).optional(),
  }),
  z.strictObject({
    command: z.literal('spectrum'),
    ...onSubject,
    samples,
    operator: z.enum(['hessian', 'ggn', 'fisher', 'empirical-fisher', 'gram']).optional(),
    top: z.int().min(0).max(1000).optional(),
    bottom: z.int().min(0).max(1000).optional(),
    exact: z.boolean().optional(),
    trace: z.boolean().optional(),
    density: z.boolean().optional(),
    layers: z.boolean().optional(),
    maxProducts: count(1e7).optional(),
  }),
  z.strictObject({
    command: z.literal('surface'),
    ...onSubject,
    directions: z.enum(['random', 'eigenvectors', 'gradient', 'trajectory', 'interpolation']).optional(),
    normalization: z.enum(normalizations).optional(),
    moveVectors: z.boolean().optional(),
    orthogonalize: z.boolean().optional(),
    eigenvectors: z.enum(['top', 'ends']).optional(),
    x: axis.optional(),
    y: axis.optional(),
    points: z.int().min(2).max(501).optional(),
    to: z.array(modelReference).length(2).optional(),
    trajectory: z.boolean().optional(),
    critical: z.array(z.string().min(1).max(800)).max(8).optional(),
    heldOut: dataReference.optional(),
    refine: z.int().min(0).max(8).optional(),
    curvatureGrid: z.int().min(0).max(101).optional(),
    curvatureSamples: count(1e9).optional(),
    dtype: z.enum(['float32', 'float64']).optional(),
  }),
  z.strictObject({
    command: z.literal('critical'),
    ...onSubject,
    samples,
    method: text.optional(),
    starts: count(10_000).optional(),
    noise: z.array(real.nonnegative()).min(1).max(20).optional(),
    random: z.boolean().optional(),
    maxIterations: count(1e6).optional(),
    denseLimit: z.int().min(0).max(20_000).optional(),
  }),
  z.strictObject({
    command: z.literal('connect'),
    ...onSubject,
    other: modelReference,
    match: z
      .array(z.enum(['weights', 'activations', 'none']))
      .max(3)
      .optional(),
    points: z.int().min(3).max(2001).optional(),
    curve: z.enum(['bezier', 'polygon', 'band', 'none']).optional(),
    bends: count(100).optional(),
    steps: count(1e6).optional(),
  }),
  z.strictObject({
    command: z.literal('line'),
    ...onSubject,
    direction: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('eigenvector'), end: z.enum(['top', 'bottom']), number: count(50) }),
      z.strictObject({ kind: z.literal('gradient') }),
      z.strictObject({ kind: z.literal('random'), number: count(1000) }),
      z.strictObject({ kind: z.literal('saved'), run: z.string().min(1).max(800) }),
    ]),
    t: z.array(real).min(1).max(2001),
  }),
  z.strictObject({ command: z.literal('plane-graph'), ...onSubject, surface: z.string().min(1).max(800).optional() }),
])

const experimentText: z.ZodType<ExperimentText> = z.strictObject({
  yaml: z.string().max(200_000),
  upload: text.optional(),
})
const stop: z.ZodType<StopRequest> = z.strictObject({ mode: z.enum(['save', 'now']).optional() })

/** @throws {Refusal} 400 naming the first thing that is wrong. */
function checked<T>(type: z.ZodType<T>, value: unknown): T {
  const result = type.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = issue.path.map(String).join('.') || 'the request'
  throw new Refusal('bad-request', `${where}: ${issue.message.slice(0, 300)}.`)
}

export function workRequestOf(value: unknown): WorkRequest {
  return checked(schema, value)
}

export function experimentTextOf(value: unknown): ExperimentText {
  return checked(experimentText, value)
}

export function stopRequestOf(value: unknown): StopRequest {
  return checked(stop, value)
}
