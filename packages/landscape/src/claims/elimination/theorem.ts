import { denseOf, norm, symmetricEigenvalues } from '../../linalg/index.ts'
import type { Loss, LossSpec } from '../../loss/index.ts'
import { mlp } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { ModifiedLoss, certify, eliminate, functionOptimum, vacuityOf } from '../../theory/elimination/index.ts'
import type { Elimination } from '../../theory/elimination/index.ts'
import { polynomialLoss, rowsDataset, squared } from '../../theory/elimination/toy-problems.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { withLosses } from '../with-losses.ts'
import { eliminationPaper, labeledDataset, normalRows, topic } from './source.ts'

const gauge: Claim = {
  id: 'C-1',
  topic,
  statement:
    'For the added exponential neurons a_k ∂L̃/∂a_k − ∂L̃/∂b_k = 2λ a_k² at every point, so that a = 0 wherever L̃ is stationary.',
  source: eliminationPaper('proof of Theorem 1'),
  experiment: 'A tanh network 3-4-2 with two neurons, nine samples, λ = 0.3: both sides at 1000 random points.',
  expected: 'holds',
  estimateSeconds: 1,
  run: gaugeFinding,
}

async function gaugeFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress, throwIfStopped } = context
  return withLosses(context, async (make) => {
    const model = mlp({ widths: [3, 4, 2], activation: 'tanh' })
    const modified = new ModifiedLoss(
      make(model, rowsDataset(normalRows(seed, 9, 3), normalRows(seed + 1, 9, 2)), squared),
      {
        lambda: 0.3,
      },
    )
    const random = randomStream(seed, 'points of the identity')
    const errors: number[] = []
    for (let index = 0; index < 1000; index++) {
      const z = random.normals(modified.size)
      const { gradient } = await modified.valueAndGradient(z)
      const [a, da, db] = [modified.part(z, 'a'), modified.part(gradient, 'a'), modified.part(gradient, 'b')]
      let worst = 0
      for (let k = 0; k < 2; k++) {
        const scale = Math.max(1, Math.abs(a[k] * da[k]) + Math.abs(db[k]))
        worst = Math.max(worst, Math.abs(a[k] * da[k] - db[k] - 0.6 * a[k] ** 2) / scale)
      }
      errors.push(worst)
      if (index % 100 === 99) {
        progress((index + 1) / 100, 10)
        throwIfStopped()
      }
    }
    await modified.dispose()
    const measurements = [atMost('largest |left − right| / scale, 1000 points', Math.max(...errors), 1e-12)]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `The identity holds at 1000 random points to ${Math.max(...errors).toExponential(1)}.`,
      measurements,
      figure: {
        title: 'Error of the symmetry identity',
        xLabel: 'point',
        yLabel: '|left − right| / scale',
        yScale: 'log',
        series: [
          { name: 'points', mark: 'points', x: errors.map((_, i) => i + 1), y: errors.map((e) => Math.max(1e-18, e)) },
        ],
      },
    }
  })
}

const theorem: Claim = {
  id: 'C-7',
  topic,
  statement:
    'z = (θ, a, b, W) is a local minimum of L̃ exactly if a = 0 and all group gradients vanish; then θ is a global minimum of L, optimal among all functions, and the neurons are off.',
  source: eliminationPaper('Theorems 1 and 2'),
  experiment:
    'Interpolating tanh network 2-10-1 on 5 samples, 6 starts, trained with L̃: certificate and neurons at the end. Duplicated inputs with different targets: the group mean. 40 random points that are not minima: a strict decrease found for each.',
  expected: 'holds',
  remark:
    'The theorem is about local minima, not about training: a run may still go to infinity. Where no θ attains the optimum of all functions there is nothing to hold, see 0.9.',
  estimateSeconds: 8,
  run: theoremFinding,
}

async function theoremFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress, throwIfStopped, engine } = context
  return withLosses(context, async (make) => {
    const model = mlp({ widths: [2, 10, 1], activation: 'tanh', initialization: 'glorot-normal' })
    const loss = make(model, rowsDataset(normalRows(seed + 1, 5, 2), normalRows(seed + 2, 5, 1)), squared)
    const ends: Elimination[] = []
    for (let i = 0; i < 6; i++) {
      throwIfStopped()
      ends.push(
        await eliminate(loss, model.initialize(seed + i), {
          method: i % 2 === 0 ? 'flow' : 'quasi-newton',
          seed: seed + i,
        }),
      )
      progress(i + 1, 8)
    }
    const duplicates = polynomialLoss(engine, [0, 0, 1], [0], [-1, 1, 0])
    const onDuplicates = new ModifiedLoss(duplicates, { lambda: 0.1 })
    const twins = await certify(onDuplicates, Float64Array.of(0, 0, 0, 0.3))
    progress(7, 8)
    const decreases = await randomRejections(loss, seed)
    progress(8, 8)
    await onDuplicates.dispose()
    const certified = ends.filter(({ outcome }) => outcome === 'certified')
    const undecided = ends.filter(
      (e) => e.outcome !== 'certified' && !((e.certificate?.witness?.decrease ?? 0) > 0),
    ).length
    const measurements = [
      atLeast('certified, of 6 trainings', certified.length, 4),
      near('neither certified nor shown a lower point', undecided, 0, 0),
      atMost(
        'certified: largest group gradient',
        Math.max(...certified.map((e) => e.certificate!.groupGradientMax)),
        1e-8,
      ),
      atMost('certified: largest ‖α‖ of the neurons', Math.max(...certified.map((e) => norm(e.neuron.alpha))), 1e-4),
      atMost('certified: largest loss', Math.max(...certified.map((e) => e.lossAfter)), 1e-12),
      near('duplicates: loss at the group means', twins.loss, 2 / 3, 1e-14),
      near('duplicates: gap to the best function', twins.gap ?? Number.NaN, 0, 1e-14),
      near('other points rejected with a lower point, of 40', decreases.filter((d) => d > 0).length, 40, 0),
    ]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `${certified.length} of 6 trainings end certified with the neurons off (‖α‖ ≤ ${Math.max(...certified.map((e) => norm(e.neuron.alpha))).toExponential(1)}); every other end, and each of 40 random points, has an explicit lower point.`,
      measurements,
      figure: {
        title: 'Neurons and loss while both are trained (first start)',
        xLabel: 'time',
        yLabel: 'value',
        xScale: 'log',
        yScale: 'log',
        series: (['loss', 'modifiedLoss', 'neuronRms'] as const).map((key) => ({
          name: { loss: 'L(θ)', modifiedLoss: 'L̃', neuronRms: 'added output (rms)' }[key],
          mark: 'line' as const,
          x: ends[0].history.slice(1).map((p) => p.time),
          y: ends[0].history.slice(1).map((p) => p[key]),
        })),
      },
    }
  })
}

async function randomRejections(loss: Loss, seed: number): Promise<number[]> {
  const modified = new ModifiedLoss(loss, { lambda: 0.2 })
  const decreases: number[] = []
  for (let i = 0; i < 40; i++) {
    const z = randomStream(seed, 'points to reject', i).normals(modified.size)
    if (i % 2 === 0) modified.part(z, 'a').fill(0)
    const { accepted, witness } = await certify(modified, z, { seed: i })
    decreases.push(accepted ? -1 : (witness?.decrease ?? 0))
  }
  await modified.dispose()
  return decreases
}

const xor = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]

const everywhere: Claim = {
  id: '0.9',
  topic,
  statement:
    'One exponential neuron per output removes all bad local minima of every network and loss: at every local minimum the neurons vanish and θ is a global minimum of the original problem.',
  source: eliminationPaper('abstract, Theorems 1 and 2; popular accounts'),
  experiment:
    'XOR: cross-entropy on a tanh network 2-4-2 (also with label smoothing 0.1), squared error on a tanh network 2-1-1 and on a linear network 2-3-1; descent of L̃ with the neurons.',
  expected: 'vacuous',
  remark:
    'True, and often about nothing: with cross-entropy on consistent labels, or a network that cannot interpolate, L̃ has no local minimum at all and every descent runs to infinity.',
  estimateSeconds: 4,
  run: everywhereFinding,
}

async function everywhereFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress, throwIfStopped } = context
  return withLosses(context, async (make) => {
    const labels = labeledDataset(xor, [0, 1, 1, 0], 2)
    const targets = rowsDataset(xor, [[0], [1], [1], [0]])
    const entropy: LossSpec = { name: 'cross-entropy', reduction: 'mean' }
    const cases = [
      { name: 'cross-entropy, 2-4-2', loss: make(mlp({ widths: [2, 4, 2], activation: 'tanh' }), labels, entropy) },
      { name: 'squared, linear 2-3-1', loss: make(mlp({ widths: [2, 3, 1], activation: 'linear' }), targets, squared) },
      { name: 'squared, tanh 2-1-1', loss: make(mlp({ widths: [2, 1, 1], activation: 'tanh' }), targets, squared) },
    ]
    const smooth = make(mlp({ widths: [2, 8, 2], activation: 'tanh' }), labels, { ...entropy, labelSmoothing: 0.1 })
    const runs: Elimination[] = []
    for (const [i, { loss }] of cases.entries()) {
      throwIfStopped()
      const theta = loss.model.initialize(seed + 1)
      runs.push(await eliminate(loss, theta, { method: 'quasi-newton', maxSteps: 1500, evenIfVacuous: true, seed }))
      progress(i + 1, 4)
    }
    const control = await eliminate(smooth, smooth.model.initialize(seed + 1), { tolerance: 1e-7, seed })
    progress(4, 4)
    const predicted = await Promise.all(cases.map(({ loss }) => vacuityOf(loss)))
    const measurements: ClaimMeasurement[] = cases.flatMap(({ name }, i) => [
      atLeast(`${name}: largest exponent of the neurons at the end`, Math.max(...runs[i].neuron.maxExponent), 2),
      atLeast(`${name}: L(θ) above the best of all functions`, runs[i].lossAfter - predicted[i].optimum.value!, 1e-300),
    ])
    measurements.push(
      near(
        'cases where theory says beforehand that no local minimum exists',
        predicted.filter((v) => v.vacuous).length,
        2,
        0,
      ),
      near('cases that were certified', runs.filter((r) => r.outcome === 'certified').length, 0, 0),
      near('with label smoothing: certified', control.outcome === 'certified' ? 1 : 0, 1, 0),
      near('best of all functions, cross-entropy', functionOptimum(cases[0].loss).value ?? Number.NaN, 0, 0),
    )
    return {
      outcome: allMet(measurements) ? 'vacuous' : 'not-decided',
      summary: `In ${runs.length} ordinary cases nothing is certified and the exponents reach ${runs.map((r) => Math.max(...r.neuron.maxExponent).toFixed(0)).join(', ')}: the modified loss has no local minimum. Where the optimum is attained (label smoothing) the certificate comes.`,
      measurements,
      figure: {
        title: 'The neurons run to infinity',
        xLabel: 'iteration',
        yLabel: 'largest exponent',
        series: cases.map(({ name }, i) => ({
          name,
          mark: 'line' as const,
          x: runs[i].history.map((p) => p.time),
          y: runs[i].history.map((p) => p.maxExponent),
        })),
      },
    }
  })
}

const traps: Claim = {
  id: 'C-5',
  topic,
  statement:
    'A stationary point of L̃ with a positive semidefinite Hessian is a local minimum, so that the Hessian certifies.',
  source: {
    text: 'a tempting certificate; counterexamples elementary',
    place: 'against Kawaguchi and Kaelbling 2020, Theorem 1',
  },
  experiment:
    'Residuals (1, −3, 1) and (1, −2, 1) on x = (−1, 0, 1), λ = 0.1: gradient, Hessian and certificate at (a, b, w) = (0, 0, arccosh 1.5) and (0, 0, 0); the decrease δ⁴/(9(λ+1)) beside the second.',
  expected: 'false',
  remark: 'Group gradients decide, not the Hessian: a moment of the residuals may vanish at one w and not beside it.',
  estimateSeconds: 1,
  run: trapsFinding,
}

async function trapsFinding({ engine, progress }: ClaimContext): Promise<ClaimFinding> {
  const inputs = [-1, 0, 1]
  const first = new ModifiedLoss(polynomialLoss(engine, inputs, [-3, 0, 4]), { lambda: 0.1 })
  const second = new ModifiedLoss(polynomialLoss(engine, inputs, [-2, 0, 3]), { lambda: 0.1 })
  const at = [Float64Array.of(0, 0, 0, Math.acosh(1.5)), Float64Array.of(0, 0, 0, 0)]
  const lowest = async (modified: ModifiedLoss, z: Float64Array): Promise<number> =>
    symmetricEigenvalues((await denseOf(modified.at(z).hessian)).matrix)[0]
  const gradients = [first, second].map(async (m, i) => norm((await m.valueAndGradient(at[i])).gradient))
  const [g1, g2] = await Promise.all(gradients)
  const [c1, c2] = [await certify(first, at[0]), await certify(second, at[1])]
  const before = await second.value(at[1])
  const deltas = [0.025, 0.05, 0.1, 0.2]
  const drops: number[] = []
  for (const delta of deltas) {
    const found = await certify(second, Float64Array.of(0, 0, 0, delta))
    drops.push(before - (found.witness ? await second.value(found.witness.z) : before))
  }
  progress(1, 1)
  const predicted = deltas.map((d) => d ** 4 / (9 * 1.1))
  const measurements = [
    atMost('first point: ‖∇L̃‖', g1, 1e-14),
    near('first point: smallest Hessian eigenvalue', await lowest(first, at[0]), -0.376049780401, 1e-11),
    near('first point: accepted by the certificate', Number(c1.accepted), 0, 0),
    atMost('second point: ‖∇L̃‖', g2, 1e-14),
    atLeast('second point: smallest Hessian eigenvalue (⪰ 0)', await lowest(second, at[1]), -1e-13),
    near('second point: accepted by the certificate', Number(c2.accepted), 0, 0),
    near('second point: gap to the best function', c2.gap ?? Number.NaN, 2, 1e-12),
    atLeast('second point: decrease of the witness', c2.witness?.decrease ?? 0, 1e-14),
    near('decrease at δ = 0.05 / (δ⁴/(9(λ+1)))', drops[1] / predicted[1], 1, 0.02),
  ]
  await first.dispose()
  await second.dispose()
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `At the second point gradient and negative curvature are absent, yet the loss falls by δ⁴/(9(λ+1)) beside it (measured ${(drops[1] / predicted[1]).toFixed(4)} of it at δ = 0.05): no local minimum. Group gradients reject both points.`,
    measurements,
    figure: {
      title: 'Decrease beside a stationary point with Hessian ⪰ 0',
      xLabel: 'δ',
      yLabel: 'decrease of L̃',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'measured', mark: 'points', x: deltas, y: drops },
        { name: 'δ⁴/(9(λ+1))', mark: 'line', x: deltas, y: predicted },
      ],
    },
  }
}

export const theoremClaims: readonly Claim[] = [theorem, everywhere, gauge, traps]
