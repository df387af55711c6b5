import { norm, symmetricEigenvalues } from '../../linalg/index.ts'
import type { ValueAndGradient } from '../../loss/loss.ts'
import {
  ModifiedLoss,
  eliminate,
  frozenInfimum,
  quasiNewton,
  stiffGradientFlow,
} from '../../theory/elimination/index.ts'
import type { Elimination } from '../../theory/elimination/index.ts'
import { polynomialLoss, sineLoss } from '../../theory/elimination/toy-problems.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { eliminationPaper, topic } from './source.ts'

const zeros = (): { a: Float64Array; b: Float64Array; w: Float64Array } => ({
  a: Float64Array.of(0),
  b: Float64Array.of(0),
  w: Float64Array.of(0),
})

const fortyStarts: Claim = {
  id: 'C-2',
  topic,
  statement:
    'Descent of the modified loss either converges to a global minimum of L or runs to infinity near a bad one (amplitude or spike divergence); there is no third outcome.',
  source: eliminationPaper('the failure mode and its examples; the toy is ours'),
  experiment:
    'f(x; θ) = sin(θx), y = sin x at five inputs: gradient flow of L̃ (λ = 0.1) from 40 equispaced θ₀ in [−6, 6], a = b = w = 0, by a stiff integrator to t = 10⁴.',
  expected: 'holds',
  remark: 'Ends of the starts at which the flow converges: θ = 1 exactly; the others stay near five bad minima of L.',
  estimateSeconds: 45,
  run: fortyFinding,
}

async function fortyFinding({ engine, progress, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const loss = sineLoss(engine)
  const starts = Array.from({ length: 40 }, (_, i) => -6 + (12 * i) / 39)
  const runs: Elimination[] = []
  for (const theta of starts) {
    throwIfStopped()
    runs.push(await eliminate(loss, Float64Array.of(theta), { start: zeros(), gradientTolerance: 1e-9 }))
    progress(runs.length, 40)
  }
  await loss.dispose()
  const kind = (r: Elimination): string =>
    r.outcome === 'certified' ? 'certified' : `${r.outcome} ${r.divergence.type}`
  const count = (name: string): number => runs.filter((r) => kind(r) === name).length
  const diverged = runs.filter((r) => r.outcome !== 'certified')
  const typeA = diverged.filter((r) => r.divergence.type === 'A')
  const typeB = diverged.filter((r) => r.divergence.type === 'B')
  const ends = [...new Set(diverged.map((r) => r.theta[0].toFixed(3)))].sort((a, b) => Number(a) - Number(b))
  const expectedEnds = '-6.255, -5.155, -3.173, 2.855, 5.097, 6.436'
  const range = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)]
  const [lowA, highA] = range(typeA.map((r) => r.divergence.amplitudeLaw ?? Number.NaN))
  const [lowB, highB] = range(typeB.map((r) => r.divergence.gradientTimesTime ?? Number.NaN))
  const measurements: ClaimMeasurement[] = [
    near('starts that reach θ = 1', count('certified'), 11, 0),
    near('starts that diverge by amplitude (type A)', count('failure-mode A'), 26, 0),
    near('starts that diverge by a spike (type B)', count('failure-mode B'), 3, 0),
    atMost(
      'converged: largest loss',
      Math.max(...runs.filter((r) => r.outcome === 'certified').map((r) => r.lossAfter)),
      1e-18,
    ),
    atLeast('diverged: least added output (rms)', Math.min(...diverged.map((r) => r.divergence.neuronRms)), 0.73),
    atLeast('diverged: least L(θ) − L̃', Math.min(...diverged.map((r) => r.divergence.margin)), 1e-3),
    atLeast('type A: least λa²t (→ ¼)', lowA, 0.235),
    atMost('type A: largest λa²t', highA, 0.252),
    near('type B: ‖∇L̃‖t (→ 1/1.1), least', lowB, 1 / 1.1, 0.05),
    near('type B: ‖∇L̃‖t, largest', highB, 1 / 1.1, 0.05),
    {
      name: 'where θ stays',
      measured: ends.join(', '),
      expected: expectedEnds,
      tolerance: 'equal',
      met: ends.join(', ') === expectedEnds,
    },
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `${count('certified')} starts reach θ = 1, ${typeA.length} diverge by amplitude and ${typeB.length} by a spike; nothing else happens.`,
    measurements,
    figure: {
      title: 'Where the flow of the modified loss leaves θ',
      xLabel: 'θ at the start',
      yLabel: 'θ at t = 10⁴',
      series: ['certified', 'failure-mode A', 'failure-mode B'].map((name) => {
        const shown = runs.map((r, i) => ({ r, start: starts[i] })).filter(({ r }) => kind(r) === name)
        return { name, mark: 'points' as const, x: shown.map((s) => s.start), y: shown.map((s) => s.r.theta[0]) }
      }),
      levels: [{ label: 'θ = 1', value: 1 }],
    },
  }
}

const oneSample: Claim = {
  id: 'C-3',
  topic,
  statement:
    'With one sample and a residual e ≠ 0 that θ cannot change, the neuron runs to infinity as b(t) ≈ ½ ln(4λe²t), L̃·t → ¼, whatever λ and e.',
  source: {
    text: 'elementary; Kawaguchi and Kaelbling 2020',
    place: 'the failure mode',
    reference: 'arXiv:1901.00279',
  },
  experiment: 'ℓ = (q − y)², e = 1.3, λ = 0.2 and e = 0.4, λ = 2: gradient flow in (a, b) to t = 10⁴.',
  expected: 'holds',
  remark: 'So ‖∇L̃‖ → 0 like 1/t: a small gradient is no evidence of a local minimum.',
  estimateSeconds: 2,
  run: oneSampleFinding,
}

async function oneSampleFinding({ engine, progress }: ClaimContext): Promise<ClaimFinding> {
  const cases = [
    { e: 1.3, lambda: 0.2 },
    { e: 0.4, lambda: 2 },
  ]
  const measurements: ClaimMeasurement[] = []
  const series = []
  for (const [index, { e, lambda }] of cases.entries()) {
    const modified = new ModifiedLoss(polynomialLoss(engine, [0], [e]), { lambda })
    const points: { t: number; scaled: number }[] = []
    const { state } = await stiffGradientFlow(modified, Float64Array.of(0, 0, 0, 0), {
      timeEnd: 1e4,
      onStep: ({ time, value }) => {
        if (time > 0.01) points.push({ t: time, scaled: value * time })
      },
    })
    const [a, b] = [modified.part(state.z, 'a')[0], modified.part(state.z, 'b')[0]]
    const name = `e = ${e}, λ = ${lambda}`
    measurements.push(
      near(`${name}: L̃ t at t = 10⁴`, state.value * state.time, 0.25, 0.002),
      near(`${name}: b − ½ ln(4λe²t)`, b - 0.5 * Math.log(4 * lambda * e * e * state.time), 0, 0.005),
      near(`${name}: a e^b`, a * Math.exp(b), -e, 0.001),
    )
    series.push({ name, mark: 'line' as const, x: points.map((p) => p.t), y: points.map((p) => p.scaled) })
    progress(index + 1, cases.length)
    await modified.dispose()
  }
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `L̃·t = ${measurements[0].measured} and ${measurements[3].measured} at t = 10⁴, near ¼ in both cases.`,
    measurements,
    figure: {
      title: 'The law of the failure mode',
      xLabel: 'time t',
      yLabel: 'L̃ · t',
      xScale: 'log',
      series,
      levels: [{ label: '¼', value: 0.25 }],
    },
  }
}

const lambdas = [0.01, 1, 100]

const lambdaFree: Claim = {
  id: 'C-4',
  topic,
  statement:
    'At frozen θ that is no global optimum L̃ has no local minimum; its infimum lies below L(θ), is not attained, and does not depend on λ.',
  source: eliminationPaper('the failure mode'),
  experiment:
    'sin(θx) at its bad minimum θ = 5.5857: the infimum by search over w, and the best a at b = 0 … 15 for λ = 0.01, 1, 100.',
  expected: 'holds',
  remark:
    'Elsewhere printed as 0.334937315 at b = 15; to more digits the infimum is 0.33493707730, which is what search and all three λ give here.',
  estimateSeconds: 2,
  run: lambdaFreeFinding,
}

async function lambdaFreeFinding({ engine, progress }: ClaimContext): Promise<ClaimFinding> {
  const loss = sineLoss(engine)
  const { x: theta, value: stuck } = await quasiNewton((at) => loss.valueAndGradient(at), Float64Array.of(5.58), {
    maxSteps: 50,
    gradientTolerance: 1e-13,
  })
  const measurements: ClaimMeasurement[] = []
  const series = []
  for (const [index, lambda] of lambdas.entries()) {
    const modified = new ModifiedLoss(loss, { lambda })
    const infimum = (await frozenInfimum(modified, theta))!
    const bs = Array.from({ length: 16 }, (_, b) => b)
    const values: number[] = []
    for (const b of bs) values.push(await bestAmplitude(modified, Float64Array.of(theta[0], 0, b, infimum.w[0][0])))
    measurements.push(
      near(`λ = ${lambda}: infimum by search`, infimum.value, 0.3349370773, 1e-10, '.334937315'),
      near(`λ = ${lambda}: best value at b = 15`, values[15], 0.3349370773, 1e-9, '.334937315'),
      atLeast(
        `λ = ${lambda}: best value at b = 15 minus the infimum (not attained)`,
        values[15] - infimum.value,
        -1e-14,
      ),
    )
    series.push({ name: `λ = ${lambda}`, mark: 'line' as const, x: bs, y: values })
    progress(index + 1, lambdas.length)
    await modified.dispose()
  }
  measurements.push(near('L(θ)', stuck, 0.632995, 1e-5))
  await loss.dispose()
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `For λ = 0.01, 1 and 100 the best value at b = 15 is ${measurements[1].measured}, the infimum 0.33493707730, well below L(θ) = ${stuck.toFixed(6)}.`,
    measurements,
    figure: {
      title: 'Best amplitude at given b, frozen θ',
      xLabel: 'b',
      yLabel: 'min over a of L̃',
      series,
      levels: [
        { label: 'infimum', value: 0.3349370773 },
        { label: 'L(θ)', value: stuck },
      ],
    },
  }
}

/** min over a of L̃ at (θ, ·, b, w): quadratic for squares, so one Newton step from a = 0. */
async function bestAmplitude(modified: ModifiedLoss, z: Float64Array): Promise<number> {
  const { value, gradient } = await modified.valueAndGradient(z)
  const curvature = (await modified.at(z).hessian.apply(Float64Array.of(0, 1, 0, 0)))[1]
  return value - gradient[1] ** 2 / (2 * curvature)
}

const ridge: Claim = {
  id: 'F-3',
  topic,
  statement: 'A penalty on (b, W) as well repairs the failure mode: the divergence stops.',
  source: {
    text: 'a tempting repair; counterexample elementary',
    place: 'against Kawaguchi and Kaelbling 2020, Theorem 1',
  },
  experiment:
    'sin(θx) from θ = 5.4 with μ(‖b‖² + ‖W‖²), μ = 10⁻³, added: L-BFGS to a stationary point, all eigenvalues of its Hessian, and L(θ) there.',
  expected: 'false',
  remark: 'It stops at a finite point that is a local minimum with L(θ) > 0: a genuine bad local minimum is back.',
  estimateSeconds: 1,
  run: ridgeFinding,
}

async function ridgeFinding({ engine, progress }: ClaimContext): Promise<ClaimFinding> {
  const loss = sineLoss(engine)
  const modified = new ModifiedLoss(loss, { lambda: 0.1 })
  const mu = 1e-3
  const objective = async (z: Float64Array): Promise<ValueAndGradient> => {
    const at = await modified.valueAndGradient(z)
    const gradient = at.gradient.slice()
    let value = at.value
    for (const i of [2, 3]) {
      value += mu * z[i] ** 2
      gradient[i] += 2 * mu * z[i]
    }
    return { value, gradient }
  }
  const losses: number[] = []
  const found = await quasiNewton(objective, Float64Array.of(5.4, 0, 0, 0), {
    maxSteps: 3000,
    gradientTolerance: 1e-9,
    onStep: ({ value }) => {
      losses.push(value)
    },
  })
  progress(1, 2)
  const { hessian } = modified.at(found.x)
  const apply = async (v: Float64Array): Promise<Float64Array> =>
    (await hessian.apply(v)).map((h, i) => h + (i >= 2 ? 2 * mu * v[i] : 0))
  const columns: Float64Array[] = []
  for (let i = 0; i < 4; i++) columns.push(await apply(Float64Array.from({ length: 4 }, (_, j) => (i === j ? 1 : 0))))
  const [least] = symmetricEigenvalues({ rows: 4, cols: 4, data: Float64Array.from(columns.flatMap((c) => [...c])) })
  progress(2, 2)
  const stays = await loss.value(found.x.slice(0, 1))
  const measurements = [
    atMost('‖∇‖ where it stops', norm(found.gradient), 1e-8, '1.5e−9'),
    atLeast('smallest Hessian eigenvalue there', least, 1e-6),
    atLeast('L(θ) there (minimum of L: 0)', stays, 0.1, '1.10'),
    atLeast('value of the penalized L̃ there', found.value, 0.01, '0.0717'),
  ]
  await modified.dispose()
  await loss.dispose()
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `The run stops at θ = ${found.x[0].toFixed(4)}, b = ${found.x[2].toFixed(3)}, w = ${found.x[3].toFixed(3)} with all Hessian eigenvalues ≥ ${least.toPrecision(3)} and L(θ) = ${stays.toFixed(4)}: a bad local minimum.`,
    measurements,
    figure: {
      title: 'Penalized modified loss along the run',
      xLabel: 'step',
      yLabel: 'value',
      yScale: 'log',
      series: [{ name: 'value', mark: 'line', x: losses.map((_, i) => i + 1), y: losses }],
    },
  }
}

const fixedSteps: Claim = {
  id: 'fixed-step-convergence',
  topic,
  statement: 'If gradient descent on the modified loss stops moving, it has converged.',
  source: {
    text: 'a tempting reading of training curves',
    place: 'against the failure mode of Kawaguchi and Kaelbling 2020',
  },
  experiment:
    'sin(θx) from θ = 5.4, steps of length η = 0.01, 30 000 steps: b, the gradient, and the curvature along a.',
  expected: 'false',
  remark:
    'The curvature along a grows until it is 2/η; then a jumps back and forth and b freezes, with a large gradient.',
  estimateSeconds: 4,
  run: fixedStepFinding,
}

async function fixedStepFinding({ engine, progress }: ClaimContext): Promise<ClaimFinding> {
  const loss = sineLoss(engine)
  const maxSteps = 30_000
  const result = await eliminate(loss, Float64Array.of(5.4), {
    method: 'gradient-descent',
    learningRate: 0.01,
    maxSteps,
    start: zeros(),
    onProgress: (_, done) => progress(Math.min(done, maxSteps), maxSteps),
  })
  progress(maxSteps, maxSteps)
  await loss.dispose()
  const { history } = result
  const last = history[history.length - 1]
  const earlier = history[Math.floor(history.length * 0.8)]
  const measurements = [
    near('b at the end', result.neuron.b[0], 1.565, 0.01, '1.565'),
    atMost('change of ‖b‖ over the last fifth', Math.abs(last.bNorm - earlier.bNorm), 5e-3),
    atLeast('‖∇L̃‖ at the end', last.gradientNorm, 0.1, '0.67'),
    near('found out as fake convergence', Number(result.divergence.fakeConvergence), 1, 0),
  ]
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `b stands still at ${result.neuron.b[0].toFixed(4)} while ‖∇L̃‖ = ${last.gradientNorm.toFixed(3)}: no convergence.`,
    measurements,
    figure: {
      title: 'Steps of fixed length pretend to converge',
      xLabel: 'time (steps · η)',
      yLabel: 'value',
      series: [
        { name: 'b', mark: 'line', x: history.map((p) => p.time), y: history.map((p) => p.bNorm) },
        { name: '‖∇L̃‖', mark: 'line', x: history.map((p) => p.time), y: history.map((p) => p.gradientNorm) },
      ],
    },
  }
}

export const failureClaims: readonly Claim[] = [fortyStarts, oneSample, lambdaFree, ridge, fixedSteps]
