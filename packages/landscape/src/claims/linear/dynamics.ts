import { diagonalMatrix, identity, matmul, matmulTransposedRight, qr, transpose } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import {
  criticalPoint,
  escapeTimeLaw,
  linearGradientFlow,
  linearProblem,
  modeStrength,
  modeTime,
  plateausOf,
  randomWeights,
} from '../../theory/linear/index.ts'
import { allMet, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { gaussianMatrix, topic, workedExample } from './source.ts'

const escapeTimes: Claim = {
  id: 'A-4',
  topic,
  statement:
    'At a saddle training looks stuck, and noise of size ε helps it leave: after a time ∝ ln(1/ε) at a strict saddle, but only after ∝ ε^{−(L−2)} at the non-strict saddle W = 0 of L layers.',
  source: { text: 'elementary (ẋ = |λ|x, ẋ ∝ x^{L−1}); Kawaguchi 2016 for the saddles', place: 'Corollary 2.4' },
  experiment:
    'Gradient flow from W = 0 + ε·(random direction) until the loss fell by 5 %, ε from 3e−2 to 1e−6; X = I, Y = [[2, 1], [1, 1]], widths 2-2-2 (strict), 2-2-2-2 and 2-2-2-2-2 (non-strict).',
  expected: 'holds',
  remark: 'Claim 0.8 of the popular ones: true of strict saddles; noise is of little help at the others.',
  estimateSeconds: 1,
  run: escapeTimesFinding,
}

async function escapeTimesFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const runs = [
    { layers: 2, noises: [1e-3, 1e-4, 1e-5, 1e-6] },
    { layers: 3, noises: [1e-2, 3e-3, 1e-3] },
    { layers: 4, noises: [3e-2, 1e-2, 3e-3] },
  ]
  const laws = runs.map(({ layers, noises }, index) => {
    throwIfStopped()
    const problem = workedExample(Array.from({ length: layers + 1 }, () => 2))
    const law = escapeTimeLaw(problem, criticalPoint(problem, []), { noises, seed: seed + 2, timeMax: 1e9 })
    progress(index + 1, runs.length)
    return law
  })
  const measurements: ClaimMeasurement[] = [
    near(
      '2 layers: slope of T over ln(1/ε), 1/|λ_min|',
      laws[0].slope,
      laws[0].expectedSlope,
      0.02 * laws[0].expectedSlope,
    ),
    near('3 layers: slope of ln T over ln(1/ε)', laws[1].slope, 1, 0.02),
    near('4 layers: slope of ln T over ln(1/ε)', laws[2].slope, 2, 0.01),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Strict saddle: T grows by ${laws[0].slope.toFixed(4)} per unit of ln(1/ε) (1/|λ| = ${laws[0].expectedSlope.toFixed(4)}); non-strict ones: T ∝ ε^−${laws[1].slope.toFixed(3)} and ε^−${laws[2].slope.toFixed(3)}.`,
    measurements,
    figure: {
      title: 'Time to leave W = 0',
      xLabel: '1/ε',
      yLabel: 'time of the gradient flow',
      xScale: 'log',
      yScale: 'log',
      series: laws.map((law, i) => ({
        name: `${i + 2} layers`,
        mark: 'line' as const,
        x: law.noises.map((e) => 1 / e),
        y: [...law.times],
      })),
    },
  }
}

const saddleToSaddle: Claim = {
  id: 'A-5',
  topic,
  statement:
    'From tiny weights gradient flow of a deep linear network goes from saddle to saddle: its plateaus are the losses L_{1..r}, r = 0, 1, 2, … of the best maps of rank r.',
  source: { text: 'Saxe, McClelland, Ganguli 2014; Jacot et al. 2021', reference: 'arXiv:1312.6120, arXiv:2106.15933' },
  experiment:
    'Widths 3-3-3-3, X = I, Y with singular values 4, 2, 1 in a random basis, start N(0, 10⁻⁶): minima of the gradient norm along the flow.',
  expected: 'holds',
  estimateSeconds: 4,
  run: plateausFinding,
}

async function plateausFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const turn = qr(gaussianMatrix(3, 3, seed, 'basis of plateaus')).q
  const problem = linearProblem(identity(3), matmul(turn, diagonalMatrix([4, 2, 1])), [3, 3, 3, 3])
  const start = randomWeights([3, 3, 3, 3], randomStream(seed, 'start of plateaus'), 1e-3)
  const flow = linearGradientFlow(problem, start, { time: 1e5, until: ({ loss }) => loss < 1e-8 })
  const plateaus = plateausOf(problem, flow)
  progress(1, 1)
  const predicted = [10.5, 2.5, 0.5, 0]
  const printed = [undefined, '2.4997', '0.5000', undefined]
  const measurements: ClaimMeasurement[] = [
    near('plateaus', plateaus.length, 4, 0),
    ...predicted.map((value, r) =>
      near(`loss of plateau ${r}`, plateaus[r]?.loss ?? Number.NaN, value, 2e-3, printed[r]),
    ),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Plateaus at ${plateaus.map((p) => p.loss.toFixed(4)).join(', ')}, predicted 10.5, 2.5, 0.5, 0.`,
    measurements,
    figure: {
      title: 'From saddle to saddle',
      xLabel: 'time',
      yLabel: 'loss',
      series: [
        { name: 'gradient flow', mark: 'line', x: flow.points.map((p) => p.time), y: flow.points.map((p) => p.loss) },
      ],
      levels: predicted.map((value, r) => ({ label: `L of rank ${r}`, value })),
    },
  }
}

const modes: Claim = {
  id: 'Saxe-modes',
  topic,
  statement:
    'Under gradient flow from balanced weights each mode of a two-layer linear network grows as u(t) = s e^{2st} / (e^{2st} − 1 + s/u₀).',
  source: {
    text: 'Saxe, McClelland, Ganguli 2014',
    place: 'exact solutions for one mode',
    reference: 'arXiv:1312.6120',
  },
  experiment:
    'X = I, Y = diag(3, 1) turned by random orthogonal matrices, widths 2-2-2, balanced start u₀ = 0.01 in the singular bases: the two singular values of the product at 40 times. Three layers: time of the mode s = 2 from 10⁻³ to 1.5 against the quadrature.',
  expected: 'holds',
  remark:
    'For L layers u̇ = L u^{2−2/L}(s − u): the time from a tiny start is logarithmic in u₀ for L = 2 and a power beyond.',
  estimateSeconds: 1,
  run: modesFinding,
}

async function modesFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const strengths = [3, 1]
  const u0 = 0.01
  const left = qr(gaussianMatrix(2, 2, seed, 'left basis')).q
  const right = qr(gaussianMatrix(2, 2, seed, 'right basis')).q
  const problem = linearProblem(
    identity(2),
    matmulTransposedRight(matmul(left, diagonalMatrix(strengths)), right),
    [2, 2, 2],
  )
  const root = diagonalMatrix([Math.sqrt(u0), Math.sqrt(u0)])
  let weights = [matmulTransposedRight(root, right), matmul(left, root)]
  const times = Array.from({ length: 40 }, (_, i) => (i + 1) * 0.1)
  const measured: number[][] = [[], []]
  let worst = 0
  for (const time of times) {
    weights = [...linearGradientFlow(problem, weights, { time: 0.1, tolerance: 1e-11 }).weights]
    const core = matmul(matmul(transpose(left), matmul(weights[1], weights[0])), right)
    strengths.forEach((s, k) => {
      const u = core.data[3 * k]
      measured[k].push(u)
      worst = Math.max(worst, Math.abs(u - modeStrength(s, u0, time)))
    })
    progress(Math.round(time * 10), 41)
  }
  const deep = linearProblem(identity(1), diagonalMatrix([2]), [1, 1, 1, 1])
  const time = modeTime({ strength: 2, from: 1e-3, to: 1.5, layers: 3 })
  const start = [1, 2, 3].map(() => diagonalMatrix([Math.cbrt(1e-3)]))
  const end = linearGradientFlow(deep, start, { time, tolerance: 1e-11 }).weights.reduce((u, w) => u * w.data[0], 1)
  progress(41, 41)
  const measurements = [
    atMost('two layers: largest |u(t) − closed form|', worst, 1e-8),
    near('three layers: u after the predicted time', end, 1.5, 1e-6),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Both modes follow the closed form to ${worst.toExponential(1)}; a three-layer mode reaches ${end.toFixed(7)} at the time predicted for 1.5.`,
    measurements,
    figure: {
      title: 'Modes of a two-layer linear network',
      xLabel: 'time',
      yLabel: 'strength u',
      series: strengths.flatMap((s, k) => [
        { name: `s = ${s}, measured`, mark: 'points' as const, x: times, y: measured[k] },
        { name: `s = ${s}, closed form`, mark: 'line' as const, x: times, y: times.map((t) => modeStrength(s, u0, t)) },
      ]),
      levels: strengths.map((s) => ({ label: `s = ${s}`, value: s })),
    },
  }
}

export const dynamicsClaims: readonly Claim[] = [escapeTimes, saddleToSaddle, modes]
