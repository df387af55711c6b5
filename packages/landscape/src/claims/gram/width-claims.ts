import { convergenceRun } from '../../theory/gram/convergence-run.ts'
import { difference, kernelOfModel, spectralNorm } from '../../theory/gram/gram-problem.ts'
import { inputRows } from '../../theory/gram/kernel-inputs.ts'
import { powerLaw } from '../../theory/gram/power-law.ts'
import type { PowerLaw } from '../../theory/gram/power-law.ts'
import { lastLayerGram } from '../../theory/gram/scaled-forward.ts'
import { widthSweep } from '../../theory/gram/width-sweep.ts'
import type { SweepRun } from '../../theory/gram/sweep-runs.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFigure, ClaimFinding, ClaimMeasurement, ClaimSeries } from '../claim.ts'
import { median } from '../sample-statistics.ts'
import { partCounter } from '../with-losses.ts'
import { eightPoints, families, firstStart, shallow } from './theory-networks.ts'
import { deepGlobalMinima, topic } from './source.ts'

const widths = [64, 128, 256, 512]
const sweep = { widths, seeds: 3, steps: 300 } as const

/** The geometric mean of a number over the networks of each width. */
function byWidth(runs: readonly SweepRun[], key: 'movement' | 'relativeMovement' | 'gramDrift'): number[] {
  return widths.map((width) => {
    const own = runs.filter((run) => run.width === width)
    return Math.exp(own.reduce((sum, run) => sum + Math.log(run[key]), 0) / own.length)
  })
}

const sweepText =
  'n = 8 unit vectors in 6 dimensions, labels ±1, softplus; plain networks of depth 1 and 2, residual of depth 3; widths 64, 128, 256, 512 with 3 starts each, trained together for 300 steps with η = 1/λ_max(G(0)); exponents from geometric means.'

const exponentText = ({ exponent, standardError }: PowerLaw): string =>
  `${exponent.toFixed(2)} ± ${standardError.toFixed(2)}`

/** B-2: movement of the weights. */
const movement: Claim = {
  id: 'B-2',
  topic,
  statement:
    'Every layer stays close to its start: ‖W⁽ʰ⁾(k) − W⁽ʰ⁾(0)‖_F does not depend on the width m, so relative to ‖W⁽ʰ⁾(0)‖_F the movement falls like m^(−½).',
  source: deepGlobalMinima('Lemmas on closeness to the start, proofs of Theorems 5.1 and 6.1'),
  experiment: sweepText,
  expected: 'holds',
  estimateSeconds: 30,
  run: movementFinding,
}

async function movementFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const done = partCounter(context, families.length)
  const measurements: ClaimMeasurement[] = []
  const series: ClaimSeries[] = []
  const relative: string[] = []
  for (const { name, modelOf } of families) {
    const found = await widthSweep({
      ...sweep,
      engine,
      modelOf,
      dataset: eightPoints(seed),
      firstSeed: firstStart(seed),
    })
    const { exponents } = found
    const moved = byWidth(found.runs, 'movement')
    measurements.push(
      near(`${name}: exponent of the movement`, exponents.movement.exponent, 0, 0.12),
      near(`${name}: exponent of the relative movement`, exponents.relativeMovement.exponent, -0.5, 0.12),
      { name: `${name}: movement at m = 64 and 512`, measured: `${moved[0].toFixed(2)}, ${moved[3].toFixed(2)}` },
    )
    series.push({ name: `${name}: absolute`, mark: 'line', x: widths, y: moved })
    series.push({ name: `${name}: relative`, mark: 'line', x: widths, y: byWidth(found.runs, 'relativeMovement') })
    relative.push(exponentText(exponents.relativeMovement))
    done()
  }
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `The absolute movement is the same at all widths within its scatter; exponents of the relative movement are ${relative.join(', ')} (theory −½).`,
    measurements,
    figure: widthFigure('Movement of the weights over width', 'largest over layers', series),
  }
}

function widthFigure(title: string, yLabel: string, series: readonly ClaimSeries[]): ClaimFigure {
  return { title, xLabel: 'width m', yLabel, xScale: 'log', yScale: 'log', series }
}

/** B-3: drift of the Gram matrix. */
const drift: Claim = {
  id: 'B-3',
  topic,
  statement: 'The Gram matrix hardly changes in training: ‖G(k) − G(0)‖/‖G(0)‖ falls at least like m^(−½).',
  source: deepGlobalMinima('Gram stability lemmas, proofs of Theorems 5.1 and 6.1'),
  experiment: sweepText,
  expected: 'holds',
  remark:
    'The bound of the proof is m^(−½); perturbation theory says 1/m, and the measured exponents are close to that.',
  estimateSeconds: 30,
  run: driftFinding,
}

async function driftFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const done = partCounter(context, families.length)
  const measurements: ClaimMeasurement[] = []
  const series: ClaimSeries[] = []
  const texts: string[] = []
  for (const { name, modelOf } of families) {
    const { exponents, runs } = await widthSweep({
      ...{ ...sweep, engine, modelOf, dataset: eightPoints(seed), firstSeed: firstStart(seed) },
    })
    const { exponent } = exponents.gramDrift
    measurements.push(
      atMost(`${name}: exponent of the drift`, exponent, -0.5),
      near(`${name}: against perturbation theory`, exponent, -0.95, 0.3),
    )
    series.push({ name, mark: 'line', x: widths, y: byWidth(runs, 'gramDrift') })
    texts.push(exponentText(exponents.gramDrift))
    done()
  }
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Exponents of the drift: ${texts.join(', ')}; the proof bounds it by −½, perturbation theory says −1.`,
    measurements,
    figure: widthFigure('Relative drift of the whole Gram matrix', '‖G(k) − G(0)‖ / ‖G(0)‖', series),
  }
}

const starts = 25

/** B-4: concentration at the start. */
const concentration: Claim = {
  id: 'B-4',
  topic,
  statement: 'At a random start the Gram matrix concentrates around its limit: ‖G⁽ᴴ⁾(0) − K⁽ᴴ⁾‖ ∝ m^(−½).',
  source: deepGlobalMinima('Concentration lemmas, proofs of Theorems 5.1 and 6.1'),
  experiment: `Median over ${starts} starts of the spectral norm, n = 8 unit vectors in 6 dimensions, softplus; plain H = 1 (widths 64 … 4096), plain H = 2 and residual H = 3 (64 … 512).`,
  expected: 'holds',
  remark:
    'With several hidden layers these widths are not yet asymptotic: heavy tails at small widths make the decay look faster than m^(−½) there.',
  estimateSeconds: 15,
  run: concentrationFinding,
}

async function concentrationFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed } = context
  const dataset = eightPoints(seed)
  const x = inputRows(dataset)
  const done = partCounter(context, families.length)
  const measurements: ClaimMeasurement[] = []
  const series: ClaimSeries[] = []
  const texts: string[] = []
  for (const { name, modelOf } of families) {
    const own = name === shallow.name ? [64, 256, 1024, 4096] : [64, 128, 256, 512]
    const limit = kernelOfModel(modelOf(own[0]), dataset).gram
    const distances = own.map((width) => {
      const model = modelOf(width)
      const each = Array.from({ length: starts }, (_, start) => {
        context.throwIfStopped()
        const theta = model.initialize(firstStart(seed) + start)
        return spectralNorm(difference(lastLayerGram(model, theta, x), limit))
      })
      return median(each)
    })
    const law = powerLaw(own, distances)
    measurements.push(
      name === shallow.name
        ? near(`${name}: exponent`, law.exponent, -0.5, 0.1)
        : atMost(`${name}: exponent`, law.exponent, -0.4, 'O(m^(−½))'),
    )
    measurements.push({
      name: `${name}: at m = ${own[0]} and ${own[3]}`,
      measured: `${distances[0].toPrecision(3)}, ${distances[3].toPrecision(3)}`,
    })
    series.push({ name, mark: 'line', x: own, y: distances })
    texts.push(exponentText(law))
    done()
  }
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Exponents ${texts.join(', ')}; theory −½.`,
    measurements,
    figure: widthFigure('Distance of the Gram matrix from its limit', '‖G⁽ᴴ⁾(0) − K⁽ᴴ⁾‖', series),
  }
}

const narrow = [2, 4, 8, 16, 64, 256]

/** The sufficient width against what is needed. */
const sufficientWidth: Claim = {
  id: 'du-sufficient-width',
  topic,
  statement:
    'A width of order 2^O(H) n⁴/λ⁴ (plain) or n⁴/(λ⁴H⁶) + n⁴/(λ²H²) (residual) suffices for the linear rate; so the theorem explains why networks of practical width train.',
  source: deepGlobalMinima('Theorems 5.1 and 6.1'),
  experiment:
    'n = 8 unit vectors in 6 dimensions; widths 2 … 256 with 3 starts each, 300 steps: the smallest width from which on no step exceeds the bound and the loss falls, beside the sufficient width with all hidden constants 1.',
  expected: 'vacuous',
  remark:
    'The theorem is true and the sufficient width of order 10¹⁰ and more, for eight samples; the earlier analysis of Allen-Zhu, Li and Song asks for n³⁰H³⁰ log²(1/ε). No network in use satisfies it, and networks of width ten obey the bound.',
  estimateSeconds: 12,
  run: sufficientFinding,
}

async function sufficientFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const done = partCounter(context, families.length)
  const measurements: ClaimMeasurement[] = []
  const [needed, enough]: number[][] = [[], []]
  for (const { name, modelOf } of families) {
    const { threshold, theorem } = await widthSweep({
      ...{
        engine,
        modelOf,
        dataset: eightPoints(seed),
        firstSeed: firstStart(seed),
        widths: narrow,
        seeds: 3,
        steps: 300,
      },
    })
    needed.push(theorem?.width.value ?? Number.NaN)
    enough.push(threshold.bound ?? Number.NaN)
    measurements.push(
      { name: `${name}: width that suffices by the theorem`, measured: needed[needed.length - 1] },
      atMost(`${name}: width from which on the bound was obeyed`, enough[enough.length - 1], 256),
      atLeast(`${name}: their ratio`, needed[needed.length - 1] / enough[enough.length - 1], 1e6),
    )
    done()
  }
  const x = families.map((_, i) => i + 1)
  return {
    outcome: allMet(measurements) ? 'vacuous' : 'not-decided',
    summary: `The theorem asks for widths of ${needed.map((value) => value.toExponential(0)).join(', ')}; the bound was obeyed from widths ${enough.join(', ')} on.`,
    measurements,
    figure: {
      title: 'Sufficient width and the width that was enough',
      xLabel: `network (${families.map(({ name }, i) => `${i + 1}: ${name}`).join('; ')})`,
      yLabel: 'width',
      yScale: 'log',
      series: [
        { name: 'sufficient by the theorem', mark: 'bars', x, y: needed },
        { name: 'enough', mark: 'bars', x, y: enough },
      ],
    },
  }
}

/** u(t) by the kernel against the measured outputs. */
const linearization: Claim = {
  id: 'kernel-regime',
  topic,
  statement:
    'A wide network trains as its linearization at the start: outputs follow u(k) = y + (I − ηG(0))ᵏ (u(0) − y), with an error that vanishes as the width grows.',
  source: {
    text: 'Jacot, Gabriel, Hongler 2018; Lee et al. 2019',
    place: 'Theorem 2.1 of the latter',
    reference: 'arXiv:1902.06720',
  },
  experiment:
    'One hidden layer of softplus, n = 8 unit vectors in 6 dimensions, widths 64 … 4096, geometric means over 4 starts; 200 steps, largest ‖u − u_predicted‖/‖u(0) − y‖ over eight points of the run.',
  expected: 'holds-with-conditions',
  remark:
    'In this parametrization only (1/√m in front, small steps): a network that learns features has left this regime.',
  estimateSeconds: 15,
  run: linearizationFinding,
}

async function linearizationFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { engine, seed } = context
  const dataset = eightPoints(seed)
  const swept = [64, 256, 1024, 4096]
  const done = partCounter(context, 4 * swept.length)
  const errors: number[] = []
  for (const width of swept) {
    let logs = 0
    for (let start = 0; start < 4; start++) {
      const model = shallow.modelOf(width)
      const run = await convergenceRun({ engine, dataset, model, seed: firstStart(seed) + start, steps: 200 })
      logs += Math.log(Math.max(...run.points.map(({ predictionError }) => predictionError)))
      done()
    }
    errors.push(Math.exp(logs / 4))
  }
  const law = powerLaw(swept, errors)
  const measurements = [
    atMost('exponent of the error in the width', law.exponent, -0.4, 'at most −½ (Lee et al. 2019)'),
    atMost('error at m = 4096', errors[3], 0.01),
  ]
  return {
    outcome: allMet(measurements) ? 'holds-with-conditions' : 'false',
    summary: `The largest error of the prediction falls like m^(${exponentText(law)}), from ${errors[0].toPrecision(2)} at width 64 to ${errors[3].toPrecision(2)} at width 4096.`,
    measurements,
    figure: {
      title: 'Error of the linear prediction',
      xLabel: 'width m',
      yLabel: 'largest ‖u − u_predicted‖ / ‖u(0) − y‖',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'measured', mark: 'points', x: swept, y: errors },
        {
          name: `power law, ${law.exponent.toFixed(2)}`,
          mark: 'line',
          x: swept,
          y: swept.map((m) => law.factor * m ** law.exponent),
        },
      ],
    },
  }
}

export const widthClaims: readonly Claim[] = [movement, drift, concentration, sufficientWidth, linearization]
