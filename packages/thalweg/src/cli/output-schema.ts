import { z } from 'zod'

/* What `--json` prints. Keys named here are stable; objects may carry more. A number that is not finite is null. */

const number = z.number().nullable()
const warnings = z.array(z.string())
const estimate = z.looseObject({ value: number, standardError: number, method: z.string() })
const pair = z.looseObject({ value: number, residualNorm: number, converged: z.boolean() })

const subject = {
  model: z.looseObject({ path: z.string().nullable(), parameters: z.int() }),
  data: z.looseObject({ path: z.string(), samples: z.int() }),
  loss: z.looseObject({ name: z.string(), reduction: z.enum(['mean', 'sum']), value: number }),
  dtype: z.enum(['float64', 'float32']),
  seed: z.int(),
  elapsedMs: z.number(),
  warnings,
}

const head = <C extends string>(command: C): { command: z.ZodLiteral<C>; version: z.ZodString } => ({
  command: z.literal(command),
  version: z.string(),
})

const inertia = z.looseObject({
  negative: z.int(),
  zero: z.int(),
  positive: z.int(),
  threshold: number,
  exact: z.boolean().describe('false: negative and positive are lower bounds'),
})

const verdict = z.enum([
  'not-critical',
  'strict-saddle',
  'non-strict-saddle',
  'local-minimum',
  'global-minimum',
  'near-infimum',
  'undecided',
])

const spectrum = z.looseObject({
  ...head('spectrum'),
  ...subject,
  operator: z.string(),
  gradientNorm: number,
  searchDtype: z.string().describe('arithmetic of the search for eigenvalues, where it is not dtype').optional(),
  eigenvalues: z.looseObject({
    ...{ method: z.enum(['dense', 'lanczos']), top: z.array(pair), bottom: z.array(pair) },
    searchProducts: z.int().describe('of all products, those in searchDtype').optional(),
    multiplicityVerified: z
      .boolean()
      .describe('false: a converged pair may stand where a further copy of one before it belongs'),
    floor: z
      .looseObject({ value: z.number(), count: z.int() })
      .describe('the smallest eigenvalue by the form of the matrix, at least so many times; `bottom` repeats it')
      .optional(),
    near: z
      .looseObject({
        target: z.number(),
        ...{
          method: z.enum(['dense', 'lanczos']),
          status: z.string(),
          multiplicityVerified: z.boolean(),
          products: z.int(),
        },
        floor: z.looseObject({ value: z.number(), count: z.int() }).optional(),
        equal: z.int().describe('how many of all eigenvalues equal the target up to rounding').optional(),
        pairs: z.array(pair).describe('nearest first'),
      })
      .describe(
        'the eigenvalues closest to target; unless status is "exact", some eigenvalue lies within residualNorm of each value, but that none is closer is not proved; floor: known by the form of the matrix, `pairs` repeats it',
      )
      .optional(),
  }),
  morseIndex: z.looseObject({ value: z.int(), threshold: number, exact: z.boolean() }),
  trace: estimate.nullable(),
  frobeniusNorm: estimate.nullable(),
  effectiveRank: number.describe('(tr A)² / ‖A‖²_F'),
  logDeterminant: z
    .looseObject({
      ...{ shift: z.number(), value: number, standardError: number, quadratureError: number },
      ...{ method: z.string(), obstacle: number },
    })
    .describe(
      'log det(A + shift·I); value is null where A + shift·I is not positive definite; standardError contains quadratureError',
    )
    .optional(),
  edgeOfStability: z
    .looseObject({
      limit: z.number(),
      points: z.array(
        z.looseObject({ checkpoint: z.string(), topEigenvalue: number, residualNorm: number, edge: number }),
      ),
    })
    .describe('λ·η over the stable limit of the optimizer at each checkpoint')
    .optional(),
  density: z
    .looseObject({ grid: z.array(z.number()), values: z.array(z.number()), standardErrors: z.array(number) })
    .optional(),
})

const diagnose = z.looseObject({
  ...head('diagnose'),
  ...subject,
  verdict,
  summary: z.string(),
  gradientNorm: number,
  inertia,
  evidence: z.array(
    z.looseObject({ kind: z.string(), claim: z.string(), value: number, bound: number, method: z.string() }),
  ),
  advice: z.array(z.string()),
  escape: z.looseObject({ distance: number, lossBefore: number, lossAfter: number }).optional(),
  polished: z.looseObject({ distance: number, loss: number, verdict: verdict.nullable() }).optional(),
  gap: number.optional(),
})

const critical = z.looseObject({
  ...head('critical'),
  ...subject,
  status: z.enum(['finished', 'time-limit', 'interrupted']),
  method: z.string(),
  starts: z.looseObject({ count: z.int(), source: z.enum(['trajectory', 'initializations', 'parameters']) }),
  outcomes: z.record(z.string(), z.int()).describe('how many searches ended how'),
  points: z.array(
    z.looseObject({
      loss: number,
      gradientNorm: number,
      index: z.number().describe('share of negative eigenvalues'),
      inertia,
      verdict,
      multiplicity: z.int().describe('starts that led here, modulo symmetry'),
      starts: z.array(z.int()),
      spread: number.describe('distance over which the starts ended on one flat set; 0 where it is a point'),
    }),
  ),
  table: z.array(z.looseObject({ loss: number, verdict, indexFraction: z.number(), found: z.int() })),
  searches: z.array(z.looseObject({ start: z.int(), status: z.string(), point: z.int().nullable() })),
})

const saddleKind = z.enum(['global-minimum', 'strict-saddle', 'non-strict-saddle'])

const linear = z.looseObject({
  ...head('linear'),
  ...subject,
  sigmaEigenvalues: z.array(z.number()),
  globalMinimum: z.number(),
  assumptions: z.looseObject({
    hold: z.boolean(),
    statements: z.array(
      z.looseObject({
        name: z.string(),
        statement: z.string(),
        holds: z.enum(['proved', 'measured']),
        because: z.string(),
      }),
    ),
  }),
  classCount: z.string().describe('number of all classes in decimal digits'),
  complete: z.boolean().describe('whether classes holds them all'),
  verification: z.looseObject({
    representatives: z.int(),
    spectra: z.int(),
    rescaled: z.int(),
    relativeGradientMax: number,
    relativeLossErrorMax: number,
    disagreements: z.array(z.string()),
  }),
  classes: z.array(
    z.looseObject({
      subset: z.array(z.int()).describe('1-based, descending eigenvalues'),
      rank: z.int(),
      loss: z.number(),
      kinds: z.array(saddleKind),
      representatives: z.array(
        z.looseObject({
          kind: saddleKind,
          inertia: z.looseObject({ negative: z.int(), zero: z.int(), positive: z.int() }).nullable(),
          minEigenvalue: number,
          gradientNorm: number,
          lossError: number,
          canonical: z.boolean(),
        }),
      ),
    }),
  ),
})

const escapeWay = z.looseObject({
  way: z.enum(['again', 'restarts', 'perturbed-gradient-descent', 'wider', 'elimination']),
  detail: z.string(),
  attempts: z.int(),
  best: number,
  median: number,
  escaped: z.int().describe('attempts that ended at least 1 % of the gap below the stuck point'),
  solved: z.int().describe('attempts that closed 99.9 % of the gap to the best of all functions'),
  gradients: z.int().describe('cost of all attempts'),
})

const eliminate = z.looseObject({
  ...head('eliminate'),
  ...subject,
  outcome: z.enum(['certified', 'failure-mode', 'vacuous', 'stopped']),
  summary: z.string(),
  variant: z.enum(['exponential', 'liang', 'monomial', 'per-layer', 'scaled-loss']),
  lambda: z.number(),
  lossBefore: number,
  lossAfter: number,
  modifiedLoss: number,
  functionOptimum: number.describe('best value of any function of the input; null where no closed form is known'),
  groupGradientMax: number,
  neuron: z.looseObject({
    alpha: z.array(number).describe('a = alpha · exp(−maxExponent)'),
    maxExponent: z.array(number),
    w: z.array(z.array(number)),
    b: z.array(number),
  }),
  divergence: z.looseObject({
    type: z.enum(['A', 'B']).nullable().describe('A: amplitude, b → ∞; B: spike, ‖w‖ → ∞; null: none'),
    fakeConvergence: z.boolean().optional(),
  }),
  vacuity: z
    .looseObject({
      vacuous: z.boolean(),
      applies: z.boolean(),
      reason: z.string().nullable(),
      statement: z.string(),
      advice: z.array(z.string()),
    })
    .optional(),
  certificate: z
    .looseObject({
      accepted: z.boolean(),
      groupGradientMax: number,
      gap: number,
      witness: z.looseObject({ kind: z.enum(['shrink-a', 'turn-on']), decrease: number, predicted: number }).nullable(),
    })
    .nullable()
    .optional(),
  frozenInfimum: z
    .looseObject({ value: number, kind: z.enum(['search', 'upper-bound']) })
    .nullable()
    .optional(),
  tangentModel: z.looseObject({ value: number, gap: number, centeredGap: number }).nullable().optional(),
  comparison: z.looseObject({ stuckLoss: number, target: number, rows: z.array(escapeWay) }).optional(),
  history: z
    .array(z.looseObject({ time: number, modifiedLoss: number, loss: number, gradientNorm: number }))
    .optional(),
})

const run = z.looseObject({
  ...head('run'),
  experiment: z.string(),
  directory: z.string(),
  report: z.string(),
  verdict,
  summary: z.string(),
  status: z.string(),
  loss: number,
  gradientNorm: number,
  elapsedMs: z.number(),
  warnings,
})

const claimOutcome = z.enum(['holds', 'holds-with-conditions', 'false', 'vacuous', 'not-decided'])

const claim = {
  id: z.string(),
  topic: z.string(),
  statement: z.string(),
  source: z.looseObject({ text: z.string(), place: z.string().optional(), reference: z.string().optional() }),
  experiment: z.string(),
  expected: claimOutcome,
  remark: z.string().optional(),
  estimateSeconds: z.number().describe('on two cores'),
}

const measurement = z.looseObject({
  name: z.string(),
  measured: z.union([number, z.string()]),
  expected: z.union([number, z.string()]).optional(),
  tolerance: z.string().optional(),
  literature: z.string().optional().describe('what the source printed'),
  met: z.boolean().optional().describe('absent for information'),
})

const claimFinished = z.looseObject({
  ...claim,
  status: z.literal('finished'),
  outcome: claimOutcome,
  agrees: z.boolean().describe('whether the outcome is the expected one'),
  summary: z.string(),
  measurements: z.array(measurement),
  seed: z.int(),
  elapsedMs: z.number(),
  memoryBytes: z.number(),
  resumed: z.boolean().describe('taken from an earlier run of the same code, engine and seed'),
  file: z.string().describe('the record, with the figure'),
})

const claimOpen = z.looseObject({ ...claim, status: z.enum(['failed', 'not-run']), problem: z.string() })

const reproduce = z.looseObject({
  ...head('reproduce'),
  status: z.enum(['finished', 'time-limit', 'interrupted']),
  counts: z.object({ claims: z.int(), agree: z.int(), differ: z.int(), failed: z.int(), notRun: z.int() }),
  code: z.string().describe('digest of the code that computed'),
  engine: z.string(),
  seed: z.int(),
  workers: z.int(),
  claims: z.array(z.union([claimFinished, claimOpen])),
  files: z.looseObject({ page: z.string(), data: z.string(), results: z.string() }),
  elapsedMs: z.number(),
  warnings,
})

const reproduceList = z.looseObject({
  ...head('reproduce'),
  status: z.literal('listed'),
  claims: z.array(z.looseObject(claim)),
  warnings,
})

const matrixRows = z.array(z.array(number)).nullable()

const gram = z.looseObject({
  ...head('gram'),
  data: subject.data,
  seed: z.int(),
  elapsedMs: z.number(),
  warnings,
  status: z.enum(['finished', 'time-limit', 'interrupted']).optional(),
  kernels: z.looseObject({
    gram: matrixRows.describe('K^(H) of a limit, J Jᵀ of a network; null beyond 512 rows'),
    layers: z.array(matrixRows).nullable(),
    file: z.string().optional(),
  }),
  lambdaMin: z.looseObject({ value: number, bound: number, method: z.string() }),
  nearlyParallel: z.array(
    z.looseObject({ samples: z.array(z.int()), angle: z.number().describe('degrees'), opposite: z.boolean() }),
  ),
  constants: z.looseObject({ cSigma: number, cRes: number, chi: number }).optional(),
  convergence: z
    .looseObject({
      stepSize: z.looseObject({ used: number, stability: number }),
      losses: z.array(number),
      linearized: z.boolean(),
      flowing: z.boolean(),
      points: z.array(
        z.looseObject({ step: z.int(), loss: number, bound: number, predictedLoss: number, flowLoss: number }),
      ),
    })
    .optional(),
  advice: z.array(z.string()),
})

const modelInfo = z.looseObject({ ...head('model info'), model: z.looseObject({ path: z.string() }), warnings })
const dataInfo = z.looseObject({
  ...head('data info'),
  data: z.looseObject({ path: z.string(), samples: z.int(), digest: z.string() }),
  warnings,
})

/** Every document of `--json`, told apart by `command`. */
export const outputSchema: z.ZodType<{ readonly command: string }> = z.union([
  run,
  diagnose,
  spectrum,
  critical,
  linear,
  eliminate,
  gram,
  reproduce,
  reproduceList,
  modelInfo,
  dataInfo,
])

/** The JSON Schema of what `--json` prints. */
export function outputJsonSchema(): object {
  return { title: 'Output of thalweg --json', ...z.toJSONSchema(outputSchema) }
}
