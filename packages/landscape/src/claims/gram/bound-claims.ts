import { tensor } from '@thalweg/graph'
import { unitSphere } from '../../data/unit-sphere.ts'
import { withFields } from '../../data/dataset.ts'
import type { Dataset } from '../../data/dataset.ts'
import { convResnet } from '../../model/conv-resnet.ts'
import { scaledMlp } from '../../model/residual-mlp.ts'
import type { Model } from '../../model/model.ts'
import { convergenceRun } from '../../theory/gram/convergence-run.ts'
import type { ConvergenceRun } from '../../theory/gram/convergence-run.ts'
import { predictedBound } from '../../theory/gram/convergence-theorem.ts'
import { allMet, atLeast, atMost } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFigure, ClaimFinding, ClaimMeasurement, ClaimSeries } from '../claim.ts'
import { partCounter } from '../with-losses.ts'
import { eightPoints, families, firstStart, places } from './theory-networks.ts'
import { deepGlobalMinima, topic, twoLayerPrecursor } from './source.ts'

/** B-1: the bound of Theorems 5.1 and 6.1. */
const linearRate: Claim = {
  id: 'B-1',
  topic,
  statement:
    'Gradient descent on a wide network lowers ½ Σ (f − y)² at a linear rate: L(θ(k)) ≤ (1 − ηλ/2)ᵏ L(θ(0)) with λ = λ_min(K⁽ᴴ⁾), for all k.',
  source: deepGlobalMinima('Theorems 5.1 and 6.1'),
  experiment:
    'n = 8 unit vectors in 6 dimensions with labels ±1, softplus; plain networks of depth 1 and 2, residual of depth 3; widths 64, 256 and 1024; 400 steps with η = 1/λ_max(G(0)).',
  expected: 'holds',
  remark:
    'The inequality held at every step, at widths far below the sufficient one and with a step size far above the theorem’s. It is far from tight: λ counts one layer of several.',
  estimateSeconds: 45,
  run: linearRateFinding,
}

const rateWidths = [64, 256, 1024]
const rateSteps = 400

async function linearRateFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const dataset = eightPoints(seed)
  const done = partCounter(context, families.length * rateWidths.length)
  const measurements: ClaimMeasurement[] = []
  const series: ClaimSeries[] = []
  let steps = 0
  for (const { name, modelOf } of families) {
    let violations = 0
    let run: ConvergenceRun | undefined
    for (const width of rateWidths) {
      run = await convergenceRun({
        ...{ engine, dataset, model: modelOf(width), seed: firstStart(seed), steps: rateSteps, measurements: 1 },
      })
      violations += run.check!.violations
      steps += run.losses.length - 1
      done()
    }
    measurements.push(atMost(`${name}: steps above the bound, of ${rateWidths.length * rateSteps}`, violations, 0))
    measurements.push(...rateNumbers(name, run!))
    series.push(...rateSeries(name, run!))
  }
  const outcome = allMet(measurements) ? 'holds' : 'false'
  return {
    outcome,
    summary: `${outcome === 'holds' ? 'The bound held at all' : 'The bound was exceeded at some of'} ${steps} steps of ${families.length * rateWidths.length} networks.`,
    measurements,
    figure: rateFigure('Loss and bound at width 1024', series),
  }
}

function rateNumbers(name: string, run: ConvergenceRun): ClaimMeasurement[] {
  const last = run.losses.length - 1
  const lambda = run.check!.lambdaMin.value
  return [
    { name: `${name}: λ_min(K⁽ᴴ⁾)`, measured: lambda },
    { name: `${name}: L(${last})/L(0) at the last width`, measured: run.losses[last] / run.losses[0] },
    { name: `${name}: the bound there`, measured: predictedBound(1, run.stepSize.used, lambda, last) },
  ]
}

/** Loss and bound, both over the loss of the start. */
function rateSeries(name: string, run: ConvergenceRun): ClaimSeries[] {
  const x = places(run.losses.length)
  const lambda = run.check!.lambdaMin.value
  return [
    { name: `${name}: loss`, mark: 'line', x, y: x.map((k) => run.losses[k] / run.losses[0]) },
    { name: `${name}: bound`, mark: 'line', x, y: x.map((k) => predictedBound(1, run.stepSize.used, lambda, k)) },
  ]
}

function rateFigure(title: string, series: readonly ClaimSeries[]): ClaimFigure {
  return { title, xLabel: 'step k', yLabel: 'L(θ(k)) / L(θ(0))', yScale: 'log', series }
}

const imageShape = [2, 5]

/** The convolutional theorem. */
const convolutionalRate: Claim = {
  id: 'du-convolutional',
  topic,
  statement:
    'The same linear rate holds for wide convolutional residual networks, with λ = λ_min of their own limiting Gram matrix K⁽ᴴ⁾.',
  source: deepGlobalMinima('Theorem 7.1, Definition 7.1'),
  experiment:
    'n = 8 images of 2 channels × 5 pixels, norm 1, labels ±1, patches of 3 pixels, softplus, depth 2 and 3, c_res = ½; widths 32 and 128; 200 steps with η = 1/λ_max(G(0)).',
  expected: 'holds',
  estimateSeconds: 12,
  run: convolutionalFinding,
}

async function convolutionalFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const dataset = images(seed)
  const cases = [2, 3].flatMap((depth) => [32, 128].map((width) => ({ depth, width })))
  const done = partCounter(context, cases.length)
  const measurements: ClaimMeasurement[] = []
  const series: ClaimSeries[] = []
  for (const { depth, width } of cases) {
    const model = convResnet({ depth, width, inputShape: imageShape })
    const run = await convergenceRun({ engine, dataset, model, seed: firstStart(seed), steps: 200, measurements: 1 })
    const name = `H = ${depth}, m = ${width}`
    measurements.push(atMost(`${name}: steps above the bound, of 200`, run.check!.violations, 0))
    measurements.push(...rateNumbers(name, run))
    if (width === 128) series.push(...rateSeries(name, run))
    done()
  }
  const outcome = allMet(measurements) ? 'holds' : 'false'
  return {
    outcome,
    summary:
      outcome === 'holds'
        ? 'No step of the four convolutional networks exceeded the bound.'
        : 'Some steps exceeded the bound.',
    measurements,
    figure: rateFigure('Convolutional residual networks of width 128', series),
  }
}

function images(seed: number): Dataset {
  const flat = unitSphere({ samples: 8, dimension: imageShape[0] * imageShape[1], seed })
  const { data } = flat.inputs['x']
  return withFields(flat, { inputs: { x: tensor('float64', [8, ...imageShape], data as Float64Array) } })
}

/** Jointly trained output weights, and ReLU, which the deep theorems do not cover. */
const jointTraining: Claim = {
  id: 'two-layer-joint-training',
  topic,
  statement:
    'In wide two-layer ReLU networks the linear rate survives when the output weights are trained together with the hidden ones.',
  source: twoLayerPrecursor('Theorem 3.3'),
  experiment:
    'n = 20 unit vectors in 20 dimensions, labels ±1, widths 256, 1024 and 4096, 300 steps, η = 1/λ_max(G(0)).',
  expected: 'holds',
  estimateSeconds: 10,
  run: jointFinding,
}

async function jointFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const dataset = unitSphere({ samples: 20, dimension: 20, seed })
  const widths = [256, 1024, 4096]
  const done = partCounter(context, widths.length)
  const measurements: ClaimMeasurement[] = []
  const series: ClaimSeries[] = []
  for (const width of widths) {
    const model: Model = scaledMlp({ depth: 1, width, inputs: 20, activation: 'relu' })
    const run = await convergenceRun({ engine, dataset, model, seed: firstStart(seed), steps: 300, measurements: 1 })
    measurements.push(atMost(`m = ${width}: steps above the bound, of 300`, run.check!.violations, 0))
    measurements.push(...rateNumbers(`m = ${width}`, run))
    series.push(...rateSeries(`m = ${width}`, run))
    done()
  }
  const outcome = allMet(measurements) ? 'holds' : 'false'
  const last = measurements[measurements.length - 2].measured
  return {
    outcome,
    summary: `Both layers trained, ${outcome === 'holds' ? 'no' : 'some'} step lay above the bound; at width 4096 the loss fell to ${Number(last).toExponential(1)} of its start in 300 steps.`,
    measurements,
    figure: rateFigure('Two-layer ReLU networks, both layers trained', series),
  }
}

const stabilitySteps = 300

/** What the proof rests on. */
const gramStability: Claim = {
  id: 'du-gram-stability',
  topic,
  statement:
    'In a wide network the Gram matrix starts near its limit, ‖G⁽ᴴ⁾(0) − K⁽ᴴ⁾‖ ≤ λ/4, and stays there, ‖G⁽ᴴ⁾(k) − G⁽ᴴ⁾(0)‖ ≤ λ/4, so that λ_min(G⁽ᴴ⁾(k)) ≥ λ/2 throughout.',
  source: deepGlobalMinima('Section 5, proofs of Theorems 5.1 and 6.1'),
  experiment:
    'Three unit vectors in three dimensions, labels ±1, softplus, one hidden layer, widths 64 … 16384; G at ten points of 300 steps, η = 1/λ_max(G(0)).',
  expected: 'holds-with-conditions',
  remark:
    'Both conditions are met only from a width of about a thousand on, for three samples: below, the proof is silent although training succeeds all the same.',
  estimateSeconds: 10,
  run: stabilityFinding,
}

async function stabilityFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const dataset = unitSphere({ samples: 3, dimension: 3, seed })
  const widths = [64, 256, 1024, 4096, 16384]
  const done = partCounter(context, widths.length)
  const rows: { start: number; drift: number; least: number }[] = []
  for (const width of widths) {
    const model = scaledMlp({ depth: 1, width, inputs: 3 })
    const run = await convergenceRun({
      ...{ engine, dataset, model, seed: firstStart(seed), steps: stabilitySteps, measurements: 10 },
    })
    const { value } = run.check!.lambdaMin
    rows.push({
      start: run.check!.initialDistance / value,
      drift: Math.max(...run.points.map(({ lastLayer }) => lastLayer!.drift)) / value,
      least: Math.min(...run.points.map(({ lastLayer }) => lastLayer!.lambdaMin)) / value,
    })
    done()
  }
  const covered = widths.map((_, i) => rows[i].start <= 0.25 && rows[i].drift <= 0.25)
  const from = widths[covered.lastIndexOf(false) + 1]
  const last = rows[rows.length - 1]
  const measurements: ClaimMeasurement[] = [
    atMost('m = 16384: ‖G(0) − K‖/λ', last.start, 0.25),
    atMost('m = 16384: largest ‖G(k) − G(0)‖/λ', last.drift, 0.25),
    ...widths.flatMap((width, i) =>
      covered[i] ? [atLeast(`m = ${width}, conditions met: least λ_min(G(k))/λ`, rows[i].least, 0.5)] : [],
    ),
    { name: 'both conditions are met from width', measured: from ?? 'none swept' },
  ]
  return {
    outcome: allMet(measurements) ? 'holds-with-conditions' : 'false',
    summary: `From width ${from ?? '(none swept)'} on both conditions were met, and there λ_min(G(k)) never fell below ${Math.min(...rows.filter((_, i) => covered[i]).map(({ least }) => least)).toFixed(2)} λ.`,
    measurements,
    figure: {
      title: 'The conditions of the proof over width',
      xLabel: 'width m',
      yLabel: 'in units of λ_min(K)',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: '‖G(0) − K‖', mark: 'line', x: widths, y: rows.map(({ start }) => start) },
        { name: 'largest ‖G(k) − G(0)‖', mark: 'line', x: widths, y: rows.map(({ drift }) => drift) },
        { name: 'least λ_min(G(k))', mark: 'line', x: widths, y: rows.map(({ least }) => least) },
      ],
      levels: [
        { label: 'λ/4', value: 0.25 },
        { label: 'λ/2', value: 0.5 },
      ],
    },
  }
}

export const boundClaims: readonly Claim[] = [linearRate, convolutionalRate, jointTraining, gramStability]
