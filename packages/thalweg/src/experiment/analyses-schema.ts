import { finders, normalizations, variantNames } from '@thalweg/landscape'
import type { EliminationMethod, FinderName, Normalization, VariantName } from '@thalweg/landscape'
import { z } from 'zod'

/* What an experiment asks to be examined at the end of training. The keys are the options of the command of the same name. */

const natural = z.int().positive()
const count = z.int().nonnegative()
const positive = z.number().positive()
const widthList = z.array(natural).min(1)
const finderNames = Object.keys(finders) as [FinderName, ...FinderName[]]

export interface AxisSpec {
  readonly from: number
  readonly to: number
  readonly points: number
}

const axisSchema = z
  .strictObject({
    from: z.number().default(-1),
    to: z.number().default(1),
    points: z.int().min(2).max(2001).default(51),
  })
  .refine((a) => a.from < a.to, { message: 'from must be below to' })

const diagnose = z
  .strictObject({
    top: natural.max(100).default(5).describe('largest eigenvalues shown'),
    bottom: natural.max(100).default(5).describe('smallest eigenvalues shown'),
    denseLimit: count.default(1000).describe('count all eigenvalues up to this many parameters'),
    polish: z.boolean().optional().describe('go on to the critical point nearby; default up to the dense limit'),
    maxProducts: natural.default(1000).describe('limit of Hessian-vector products beyond the dense limit'),
  })
  .describe('where did training stop?')

const surface = z
  .strictObject({
    x: axisSchema.prefault({}),
    y: axisSchema.prefault({}),
    normalization: z.enum(normalizations).default('filter'),
    ignoreVectors: z.boolean().default(true).describe('leave biases and normalisation parameters where they are'),
  })
  .describe('the loss on a random plane through the end of training')

const operators = ['hessian', 'ggn', 'fisher', 'empirical-fisher', 'gram'] as const

const spectrum = z
  .strictObject({
    operator: z.enum(operators).default('hessian'),
    top: count.max(1000).default(5).describe('largest eigenvalues'),
    bottom: count.max(1000).default(5).describe('smallest eigenvalues'),
    near: z.number().optional().describe('eigenvalues closest to this number, too; 0: those of smallest magnitude'),
    nearCount: natural.max(1000).optional().describe('how many of them; default 5'),
    exact: z.boolean().optional().describe('all eigenvalues from the dense matrix; default up to 2000 parameters'),
    trace: z.boolean().default(true).describe('trace and Frobenius norm'),
    density: z.boolean().default(true).describe('spectral density, up to 800 products'),
    layers: z.boolean().default(false).describe('the diagonal block of each layer too'),
    maxProducts: natural.optional().describe('limit of matrix-vector products of each search; default 1000'),
    samples: natural.optional().describe('on so many samples, drawn by the seed, instead of all'),
  })
  .refine((s) => s.top + s.bottom > 0 || s.near !== undefined, {
    message: 'needs top or bottom of at least 1, or near',
  })
  .refine((s) => s.nearCount === undefined || s.near !== undefined, { message: 'nearCount needs near' })
  .describe('eigenvalues, density and trace of a curvature matrix at the end of training')

const critical = z
  .strictObject({
    method: z.enum(finderNames).default('polish'),
    starts: natural.max(100_000).default(20).describe('searches'),
    noise: z
      .array(z.number().nonnegative())
      .min(1)
      .default([0, 0.1, 0.5])
      .describe('amplitudes of the noise on the starts, relative to the size of the parameters'),
    random: z.boolean().default(false).describe('start from fresh initializations, not from checkpoints'),
    maxIterations: natural.optional().describe('steps per search'),
    gradientTolerance: positive.optional().describe('gradient norm that counts as zero'),
    denseLimit: count.optional().describe('count all eigenvalues up to this many parameters; default 3000'),
    samples: natural.optional().describe('on so many samples, drawn by the seed, instead of all'),
  })
  .describe('critical points near the trajectory of training: index against loss')

const linear = z
  .strictObject({
    widths: widthList.min(2).optional().describe('all widths, input and output included; default those of the model'),
    limit: natural.max(4096).default(256).describe('classes listed at most'),
  })
  .describe('all critical points of a deep linear network on the training data, in closed form')

const eliminate = z
  .strictObject({
    variant: z.enum([...variantNames, 'scaled-loss']).default('exponential'),
    lambda: positive.default(0.1).describe('weight of the penalty λ‖a‖²'),
    method: z
      .enum(['flow', 'quasi-newton', 'gradient-descent'])
      .optional()
      .describe('default: flow where it is small, else quasi-newton'),
    learningRate: positive.optional().describe('of gradient-descent'),
    time: positive.default(1e4).describe('end of the flow'),
    maxSteps: natural.default(2000).describe('of the other methods'),
    tolerance: positive.default(1e-8).describe('largest group gradient that is accepted'),
    minimize: z.boolean().default(false).describe('first go down to where training without neurons is stuck'),
    evenIfVacuous: z.boolean().default(false).describe('train although no local minimum exists'),
    compare: z.boolean().default(false).describe('restarts, perturbed gradient descent and a wider net beside it'),
    attempts: natural.default(8).describe('of each way that is compared'),
  })
  .refine((e) => e.method !== 'gradient-descent' || e.learningRate !== undefined, { message: 'needs a learningRate' })
  .describe('the neurons that remove bad local minima, added at the end of training')

const gram = z
  .strictObject({
    samples: natural.optional().describe('the first so many samples'),
    normalize: z.boolean().default(false).describe('divide every input by its norm'),
    steps: natural.default(200).describe('steps of gradient descent to follow, from the start of training'),
    stepSize: positive.optional().describe('for ½ Σ ‖f − y‖²; default half of the stability limit'),
    widths: widthList.min(2).optional().describe('sweep over these widths of a scaled network'),
    depths: widthList.optional().describe('sweep over these depths of a scaled network'),
    seeds: natural.max(1000).default(3).describe('networks per width or depth'),
    checkpoints: z.boolean().default(false).describe('the matrix at every checkpoint of training'),
  })
  .describe('Gram matrix at the start of training; predicted against measured convergence')

/** Without `analyses`, diagnosis and surface. */
export const analysesSchema: z.ZodType<AnalysesSpec> = z.strictObject({
  diagnose: diagnose.optional(),
  surface: surface.optional(),
  spectrum: spectrum.optional(),
  critical: critical.optional(),
  linear: linear.optional(),
  eliminate: eliminate.optional(),
  gram: gram.optional(),
})

export interface AnalysesSpec {
  readonly diagnose?: {
    readonly top: number
    readonly bottom: number
    readonly denseLimit: number
    readonly polish?: boolean
    readonly maxProducts: number
  }
  readonly surface?: {
    readonly x: AxisSpec
    readonly y: AxisSpec
    readonly normalization: Normalization
    readonly ignoreVectors: boolean
  }
  readonly spectrum?: {
    readonly operator: (typeof operators)[number]
    readonly top: number
    readonly bottom: number
    readonly near?: number
    readonly nearCount?: number
    readonly exact?: boolean
    readonly trace: boolean
    readonly density: boolean
    readonly layers: boolean
    readonly maxProducts?: number
    readonly samples?: number
  }
  readonly critical?: {
    readonly method: FinderName
    readonly starts: number
    readonly noise: readonly number[]
    readonly random: boolean
    readonly maxIterations?: number
    readonly gradientTolerance?: number
    readonly denseLimit?: number
    readonly samples?: number
  }
  readonly linear?: {
    readonly widths?: readonly number[]
    readonly limit: number
  }
  readonly eliminate?: {
    readonly variant: VariantName | 'scaled-loss'
    readonly lambda: number
    readonly method?: EliminationMethod
    readonly learningRate?: number
    readonly time: number
    readonly maxSteps: number
    readonly tolerance: number
    readonly minimize: boolean
    readonly evenIfVacuous: boolean
    readonly compare: boolean
    readonly attempts: number
  }
  readonly gram?: {
    readonly samples?: number
    readonly normalize: boolean
    readonly steps: number
    readonly stepSize?: number
    readonly widths?: readonly number[]
    readonly depths?: readonly number[]
    readonly seeds: number
    readonly checkpoints: boolean
  }
}
