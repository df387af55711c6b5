import { activationNames, initializationNames, lossNames, normalizationNames } from '@thalweg/landscape'
import type { LossSpec, ModelSpec, OptimizerSpec, Schedule } from '@thalweg/landscape'
import { z } from 'zod'
import { analysesSchema } from './analyses-schema.ts'
import type { AnalysesSpec } from './analyses-schema.ts'

/* The YAML of an experiment. Every object is strict: a misspelt key is an error, never ignored. What a model, optimizer or
 * schedule accepts is what the laboratory's own specifications accept; the JSON Schema for editors is made from this. */

const natural = z.int().positive()
const nonNegative = z.number().nonnegative()
const positive = z.number().positive()
const fraction = z.number().min(0).lt(1)

const dataSchema = z
  .strictObject({
    name: z
      .string()
      .optional()
      .describe('a built-in data set, with parameters as in two-spirals:samples=100,noise=0.1'),
    file: z
      .union([z.string(), z.array(z.string()).min(1)])
      .optional()
      .describe('path(s), relative to this file'),
    input: z.array(z.string()).optional().describe('NAME=KEY: which array feeds which model input'),
    target: z.string().optional().describe('key or column of the targets'),
    sampleWeights: z.string().optional().describe('array with one weight per sample (.npz, models of kind onnx)'),
    task: z.enum(['classification', 'regression']).optional(),
    standardize: z
      .boolean()
      .default(false)
      .describe('zero mean and unit deviation per feature, fitted on the training part'),
    test: fraction.default(0).describe('share of the samples held out'),
    limit: natural.optional().describe('use this many samples, drawn by the seed'),
  })
  .refine((d) => (d.name === undefined) !== (d.file === undefined), { message: 'needs either name or file' })

const activation = z.enum(activationNames).optional()
const initialization = z.enum(initializationNames).optional()
const widths = z.array(natural).min(2).describe('all widths, input and output included')
const inputShape = z.array(natural)
const scaled = { depth: natural, width: natural, activation }

const modelSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('mlp'),
    widths,
    activation,
    bias: z.boolean().optional(),
    skip: z.boolean().optional().describe('identity connections around hidden layers of equal width'),
    outputActivation: activation,
    initialization,
  }),
  z.strictObject({ kind: z.literal('linear-network'), widths, initialization }),
  z.strictObject({
    kind: z.literal('cnn'),
    inputShape: inputShape.length(3).describe('[channels, height, width]'),
    channels: z.array(natural).min(1),
    hidden: z.array(natural).optional(),
    outputs: natural,
    kernel: natural.optional(),
    pool: z.enum(['max', 'average', 'none']).optional(),
    activation,
    bias: z.boolean().optional(),
    initialization,
  }),
  z.strictObject({
    kind: z.literal('resnet'),
    depth: natural.describe('6n + 2'),
    outputs: natural,
    inputShape: inputShape.length(3).optional().describe('[channels, height, width]'),
    width: natural.optional(),
    shortcut: z.enum(['A', 'B', 'none']).optional(),
    normalization: z.enum(normalizationNames).optional(),
    groups: natural.optional(),
    activation,
    initialization,
  }),
  z.strictObject({ kind: z.literal('scaled-mlp'), inputs: natural, ...scaled }),
  z.strictObject({ kind: z.literal('residual-mlp'), inputs: natural, ...scaled, cRes: positive.lt(1).optional() }),
  z.strictObject({
    kind: z.literal('conv-resnet'),
    inputShape: inputShape.length(2).describe('[channels, pixels]'),
    ...scaled,
    patch: natural.optional(),
    cRes: positive.lt(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('onnx'),
    file: z.string().describe('path, relative to this file'),
    output: z.string().optional().describe('output, or tensor inside, that the loss reads'),
    train: z
      .array(z.string())
      .optional()
      .describe('initializers that are parameters although they look like constants'),
    freeze: z
      .array(z.string())
      .optional()
      .describe('initializers that are constants although they look like parameters'),
  }),
])

const lossSchema = z.strictObject({
  name: z.enum(lossNames),
  reduction: z.enum(['mean', 'sum']).default('mean'),
  weightDecay: nonNegative.default(0).describe('½·V·‖θ‖² is added'),
  labelSmoothing: fraction.optional(),
  power: z.number().min(1).optional(),
  delta: positive.optional(),
})

const adamOptions = {
  beta1: fraction.optional(),
  beta2: fraction.optional(),
  epsilon: positive.optional(),
  weightDecay: nonNegative.optional(),
}

const optimizerSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('gradient-descent') }),
  z.strictObject({
    name: z.literal('sgd'),
    momentum: fraction.optional(),
    nesterov: z.boolean().optional(),
    weightDecay: nonNegative.optional(),
  }),
  z.strictObject({ name: z.literal('adam'), ...adamOptions }),
  z.strictObject({ name: z.literal('adamw'), ...adamOptions }),
  z.strictObject({
    name: z.literal('perturbed-gradient-descent'),
    gradientThreshold: positive.optional(),
    radius: positive.optional(),
    interval: natural.optional(),
    decreaseThreshold: nonNegative.optional(),
    seed: z.int().nonnegative().optional(),
  }),
  z.strictObject({ name: z.literal('lbfgs'), memory: natural.optional(), gradientTolerance: positive.optional() }),
])

const warmUp = z.int().nonnegative().optional()
const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), warmUp }),
  z.strictObject({ kind: z.literal('step'), every: natural, factor: positive, warmUp }),
  z.strictObject({ kind: z.literal('cosine'), minimum: z.number().min(0).max(1).optional(), warmUp }),
  z.strictObject({ kind: z.literal('inverse-time'), decay: nonNegative, warmUp }),
])

const trainingSchema = z
  .strictObject({
    optimizer: optimizerSchema,
    learningRate: positive.optional().describe('step size η; L-BFGS finds its own'),
    epochs: natural.optional(),
    steps: natural.optional(),
    batchSize: z.union([natural, z.literal('full')]).default('full'),
    schedule: scheduleSchema.optional(),
    dtype: z.enum(['float32', 'float64']).default('float32'),
    checkpoints: natural.default(20).describe('about how many checkpoints to keep along the trajectory'),
  })
  .refine((t) => (t.epochs === undefined) !== (t.steps === undefined), { message: 'needs either epochs or steps' })
  .refine((t) => t.optimizer.name === 'lbfgs' || t.learningRate !== undefined, { message: 'needs a learningRate' })

export interface DataSpec {
  readonly name?: string
  readonly file?: string | readonly string[]
  readonly input?: readonly string[]
  readonly target?: string
  readonly sampleWeights?: string
  readonly task?: 'classification' | 'regression'
  readonly standardize: boolean
  readonly test: number
  readonly limit?: number
}

export interface TrainingSpec {
  readonly optimizer: OptimizerSpec
  readonly learningRate?: number
  readonly epochs?: number
  readonly steps?: number
  readonly batchSize: number | 'full'
  readonly schedule?: Schedule
  readonly dtype: 'float32' | 'float64'
  readonly checkpoints: number
}

/** A model from an `.onnx` file. */
export interface ModelFileSpec {
  readonly kind: 'onnx'
  readonly file: string
  readonly output?: string
  readonly train?: readonly string[]
  readonly freeze?: readonly string[]
}

/** A validated experiment, defaults filled in. */
export interface Experiment {
  readonly name: string
  readonly description?: string
  readonly seed: number
  readonly data: DataSpec
  readonly model: ModelSpec | ModelFileSpec
  readonly loss: LossSpec & { readonly weightDecay: number }
  readonly training?: TrainingSpec
  readonly analyses: AnalysesSpec
}

/** The networks of Du et al., of which any width and depth can be made. */
const scaledKinds: readonly string[] = ['scaled-mlp', 'residual-mlp', 'conv-resnet'] satisfies ModelSpec['kind'][]

/** Plain data → a validated experiment. */
export const experimentSchema: z.ZodType<Experiment> = z
  .strictObject({
    name: z.string().min(1).max(200),
    description: z.string().optional(),
    seed: z.int().nonnegative().default(0),
    data: dataSchema,
    model: modelSchema,
    loss: lossSchema,
    training: trainingSchema.optional(),
    analyses: analysesSchema.prefault({ diagnose: {}, surface: {} }),
  })
  .refine(({ model, analyses: { linear } }) => !linear || linear.widths !== undefined || 'widths' in model, {
    message: 'needs widths: all widths, input and output included',
    path: ['analyses', 'linear'],
  })
  .refine(({ model: { kind }, analyses: { gram } }) => !(gram?.widths ?? gram?.depths) || scaledKinds.includes(kind), {
    message: `sweeps over widths and depths need a model of kind ${scaledKinds.join(', ')}`,
    path: ['analyses', 'gram'],
  })

/** The JSON Schema of an experiment file, for editors. */
export function experimentJsonSchema(): object {
  return { title: 'Thalweg experiment', ...z.toJSONSchema(experimentSchema, { io: 'input' }) }
}
