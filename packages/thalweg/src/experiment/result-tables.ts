import type { EliminationPoint, HistoryPoint, LossPlane, SweepRun } from '@thalweg/landscape'
import type { ShownCritical } from '../analyses/critical/critical-section.ts'
import type { ConvergenceRow, ShownGram } from '../analyses/gram/gram-section.ts'
import type { ShownSpectrum } from '../analyses/spectrum/spectrum-section.ts'
import type { Column } from '../formats/parquet-table.ts'
import { documentOf } from './analysis-results.ts'
import type { RunResults } from './run-results.ts'

type Table = readonly Column[]

/** What a column is made of: its description and the value of a row. A number that is missing is NaN. */
type NumberColumns<T> = Readonly<
  Record<string, readonly [description: string, of: (row: T) => number | null | undefined]>
>

/** The tables of a run, tidy: one observation a row. By file name; docs/notebooks.md repeats the descriptions. */
export function resultTables({ training, plane, analyses }: RunResults): Record<string, Table> {
  const spectrum = documentOf(analyses.spectrum)
  const critical = documentOf(analyses.critical)
  const history = documentOf(analyses.eliminate)?.history ?? []
  const gram = documentOf(analyses.gram)
  return {
    ...(training && { history: numbers(training.history, historyColumns) }),
    ...(plane && { surface: surfaceTable(plane) }),
    ...(spectrum && { eigenvalues: eigenvalueTable(spectrum) }),
    ...(spectrum?.density && { density: densityTable(spectrum.density) }),
    ...(critical && { 'critical-points': criticalTable(critical) }),
    ...(history.length > 0 && { elimination: numbers(history, eliminationColumns) }),
    ...(gram?.convergence && { convergence: numbers(gram.convergence.points, convergenceColumns) }),
    ...(gram && sweepRuns(gram).length > 0 && { sweep: numbers(sweepRuns(gram), sweepColumns) }),
  }
}

/** Columns of numbers, one row per observation. */
function numbers<T>(rows: readonly T[], columns: NumberColumns<T>): Column[] {
  return Object.entries(columns).map(([name, [description, of]]) => ({
    ...{ name, description },
    data: Float64Array.from(rows, (row) => of(row) ?? Number.NaN),
  }))
}

const historyColumns: NumberColumns<HistoryPoint> = {
  step: ['steps taken', (h) => h.step],
  epoch: ['passes through the training data', (h) => h.epoch],
  loss: ['loss on all training data', (h) => h.loss],
  accuracy: ['share of the training samples that is right', (h) => h.accuracy],
  gradient_norm: ['norm of its gradient', (h) => h.gradientNorm],
  test_loss: ['loss on the held-out data', (h) => h.testLoss],
  test_accuracy: ['share of the held-out samples that is right', (h) => h.testAccuracy],
}

/** One row per node. */
function surfaceTable({ x, y, values }: LossPlane): Table {
  const at = (of: (node: number) => number): Float64Array => values.map((_, node) => of(node))
  return [
    { name: 'x', description: 'step along direction 1, in units of that direction', data: at((i) => x[i % x.length]) },
    {
      name: 'y',
      description: 'step along direction 2, in units of that direction',
      data: at((i) => y[Math.floor(i / x.length)]),
    },
    { name: 'loss', description: 'loss of the training data', data: values },
  ]
}

interface Found {
  readonly value: number
  readonly residualNorm: number | null
  readonly end: string
}

/** All eigenvalues where they are known, else both ends and those near a target; ascending. */
function eigenvalueTable({ eigenvalues: { top, bottom, near, all } }: ShownSpectrum): Table {
  const searched = (pairs: readonly Omit<Found, 'end'>[], end: string): Found[] =>
    pairs.map((pair) => ({ ...pair, end }))
  const found: readonly Found[] = all
    ? all.map((value) => ({ value, residualNorm: null, end: 'all' }))
    : [
        ...searched(bottom, 'bottom'),
        ...searched(near?.pairs ?? [], 'near'),
        ...searched(top.toReversed(), 'top'),
      ].toSorted((a, b) => a.value - b.value)
  return [
    ...numbers(found, {
      eigenvalue: ['eigenvalue, ascending', (row) => row.value],
      residual_norm: ['‖Av − λv‖; missing where the whole matrix was decomposed', (row) => row.residualNorm],
    }),
    {
      name: 'end',
      description: 'what was searched: bottom, top, near a target, or all',
      data: found.map(({ end }) => end),
    },
  ]
}

function densityTable({ grid, values, standardErrors }: NonNullable<ShownSpectrum['density']>): Table {
  return [
    { name: 'eigenvalue', description: 'where the density is taken', data: Float64Array.from(grid) },
    { name: 'density', description: 'share of eigenvalues per unit', data: Float64Array.from(values) },
    { name: 'standard_error', description: 'of the density, over probes', data: Float64Array.from(standardErrors) },
  ]
}

function criticalTable({ points }: ShownCritical): Table {
  return [
    ...numbers(points, {
      loss: ['loss at the point', (p) => p.loss],
      gradient_norm: ['norm of its gradient', (p) => p.gradientNorm],
      index: ['share of negative eigenvalues', (p) => p.index],
      negative: ['number of negative eigenvalues', (p) => p.inertia.negative],
      zero: ['number of eigenvalues that are zero within the threshold', (p) => p.inertia.zero],
      positive: ['number of positive eigenvalues', (p) => p.inertia.positive],
      multiplicity: ['searches that led there, modulo symmetry', (p) => p.multiplicity],
      spread: ['distance over which they ended on one flat set; 0 where it is a point', (p) => p.spread],
    }),
    { name: 'verdict', description: 'what kind of point it is', data: points.map(({ verdict }) => verdict) },
  ]
}

const eliminationColumns: NumberColumns<EliminationPoint> = {
  time: ['time of the flow, or number of the iteration', (p) => p.time],
  loss: ['loss without the neurons', (p) => p.loss],
  modified_loss: ['loss with the neurons and their penalty', (p) => p.modifiedLoss],
  gradient_norm: ['norm of the gradient of the modified loss', (p) => p.gradientNorm],
  a_norm: ['‖a‖, amplitudes of the neurons', (p) => p.aNorm],
  b_norm: ['‖b‖, their biases', (p) => p.bNorm],
  w_norm: ['‖w‖, their weights', (p) => p.wNorm],
  added_output: ['root mean square of what they add to the outputs', (p) => p.neuronRms],
  max_exponent: ['largest exponent of a neuron over the data', (p) => p.maxExponent],
}

const convergenceColumns: NumberColumns<ConvergenceRow> = {
  step: ['steps of gradient descent', (p) => p.step],
  loss: ['½ Σ ‖f − y‖², measured', (p) => p.loss],
  bound: ['(1 − ηλ/2)^k L(0); missing where no theorem covers the network', (p) => p.bound],
  predicted_loss: ['by the Gram matrix at the start, held fixed', (p) => p.predictedLoss],
  prediction_error: ['distance of the outputs from that prediction, relative to the start', (p) => p.predictionError],
  flow_loss: ['by gradient flow with that matrix', (p) => p.flowLoss],
  gram_drift: ['‖G(k) − G(0)‖ / ‖G(0)‖', (p) => p.gramDrift],
  lambda_min: ['smallest eigenvalue of G(k)', (p) => p.lambdaMin],
  relative_movement: [
    '‖W(k) − W(0)‖ / ‖W(0)‖ of the layer that moved most',
    (p) => Math.max(...p.movement.map(({ relative }) => relative)),
  ],
}

const sweepColumns: NumberColumns<SweepRun> = {
  width: ['width of the network', (r) => r.width],
  depth: ['hidden layers', (r) => r.depth],
  seed: ['of its start', (r) => r.seed],
  step_size: ['of gradient descent', (r) => r.stepSize],
  initial_loss: ['½ Σ ‖f − y‖² at the start', (r) => r.initialLoss],
  final_loss: ['the same after the last step', (r) => r.finalLoss],
  steps_to_target: ['steps to 1 % of the loss; missing where not reached', (r) => r.stepsToTarget],
  violations: ['steps above the bound', (r) => r.violations],
  movement: ['‖W(k) − W(0)‖ of the layer that moved most', (r) => r.movement],
  relative_movement: ['the same over ‖W(0)‖', (r) => r.relativeMovement],
  gram_drift: ['‖G(k) − G(0)‖ / ‖G(0)‖', (r) => r.gramDrift],
  initial_lambda_min: ['smallest eigenvalue of G(0)', (r) => r.initialLambdaMin],
  initial_distance: ['distance of the start from the limit of infinite width', (r) => r.initialDistance],
  last_lambda_min: ["smallest eigenvalue of the last layer's Gram matrix at the end", (r) => r.lastLambdaMin],
}

function sweepRuns({ sweep, depths }: ShownGram): SweepRun[] {
  return [...(sweep?.runs ?? []), ...(depths?.points.flatMap(({ runs }) => runs) ?? [])]
}
