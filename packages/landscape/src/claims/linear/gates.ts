import { randomStream } from '../../random/index.ts'
import { pathGateMonteCarlo, randomWeights, reluDiscrepancy } from '../../theory/linear/index.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { gaussianMatrix, poorLocalMinima, topic } from './source.ts'

const draws = [10, 30, 100, 300, 1000]

const gates: Claim = {
  id: 'A-6',
  topic,
  statement:
    'If the gates of all paths of a ReLU network are Bernoulli(ρ) and independent of inputs and weights (A1p-m, A5u-m), its expected output times 1/ρ is the linear network, and Theorem 2.3 carries over.',
  source: poorLocalMinima('§3, Corollary 3.2; the model of Choromanska et al. 2015'),
  experiment:
    'Widths 3-4-3-2, 20 Gaussian inputs, ρ = 0.7, independent gates: distance of the mean of N draws to the linear network, N = 10 … 1000, 40 repetitions.',
  expected: 'holds',
  remark: 'A statement about the model with random gates, not about ReLU networks: see relu-gates-independent.',
  estimateSeconds: 2,
  run: gatesFinding,
}

async function gatesFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const weights = randomWeights([3, 4, 3, 2], randomStream(seed, 'weights of gates'))
  const x = gaussianMatrix(3, 20, seed, 'inputs of gates')
  const repeats = 40
  const squares = draws.map(() => 0)
  let expected: readonly number[] = []
  for (let i = 0; i < repeats; i++) {
    throwIfStopped()
    const runs = pathGateMonteCarlo(weights, x, { openProbability: 0.7, draws, random: randomStream(seed, 'gates', i) })
    runs.forEach((run, k) => {
      squares[k] += run.error ** 2 / repeats
    })
    expected = runs.map((run) => run.expectedError)
    progress(i + 1, repeats)
  }
  const errors = squares.map(Math.sqrt)
  const slope = Math.log(errors[4] / errors[0]) / Math.log(draws[4] / draws[0])
  const [always] = pathGateMonteCarlo(weights, x, {
    openProbability: 1,
    draws: [1],
    random: randomStream(seed, 'open'),
  })
  const measurements = [
    near('slope of ln(error) over ln N', slope, -0.5, 0.06),
    near('error at N = 1000 / closed form', errors[4] / expected[4], 1, 0.25),
    atMost('error with gates always open', always.error, 1e-13),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `The mean over gates approaches the linear network as N^${slope.toFixed(3)}, with ${(errors[4] / expected[4]).toFixed(3)} of the predicted constant.`,
    measurements,
    figure: {
      title: 'Mean over random gates against the linear network',
      xLabel: 'draws N',
      yLabel: 'relative error (rms)',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'measured', mark: 'points', x: draws, y: errors },
        { name: 'closed form', mark: 'line', x: draws, y: [...expected] },
      ],
    },
  }
}

const realGates: Claim = {
  id: 'relu-gates-independent',
  topic,
  statement: 'The reduction to a linear network describes real ReLU networks, so they have no bad local minima either.',
  source: { text: 'popular accounts of Kawaguchi 2016', place: '§3', reference: 'arXiv:1605.07110' },
  experiment:
    '30 random bias-free ReLU networks 3-4-3-2 on 200 Gaussian inputs: distance to ρ̂ times the linear network and to the best multiple of it, and the correlation of gates with inputs. A dead ReLU network as a bad local minimum.',
  expected: 'false',
  remark:
    'The gates of a real network depend on its inputs and weights. The paper states its assumptions; it does not claim this.',
  estimateSeconds: 1,
  run: realGatesFinding,
}

async function realGatesFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const found = Array.from({ length: 30 }, (_, i) => {
    const random = randomStream(seed, 'relu network', i)
    progress(i + 1, 31)
    return reluDiscrepancy(randomWeights([3, 4, 3, 2], random), gaussianMatrix(3, 200, seed + i, 'inputs of relu'))
  }).filter((d) => d.openShare > 0)
  const least = (key: 'linearError' | 'bestFactorError' | 'gateInputCorrelation'): number =>
    Math.min(...found.map((d) => d[key]))
  // y = |x|: the ReLU network 1-2-1 fits it; with both units dead its output is 0, locally whatever the weights.
  const gap = deadReluGap()
  progress(31, 31)
  const measurements = [
    atLeast('least distance to ρ̂ · linear network, relative', least('linearError'), 0.2),
    atLeast('least distance to the best multiple of it', least('bestFactorError'), 0.2),
    atLeast('least mean |correlation| of gate and input', least('gateInputCorrelation'), 0.02),
    near('dead ReLU network: change of the loss within a ball around it', gap.change, 0, 0),
    atLeast('dead ReLU network: loss above the minimum', gap.height, 0.5),
  ]
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `Real gates follow the inputs: the linear network misses at least ${(100 * least('bestFactorError')).toFixed(0)} % of the output at its best multiple. A ReLU network with dead units is a bad local minimum, ${gap.height.toFixed(3)} above the global one.`,
    measurements,
    figure: {
      title: 'How far real ReLU networks are from the reduction',
      xLabel: 'mean |correlation| of gates and inputs',
      yLabel: 'distance to the best multiple of the linear network',
      series: [
        {
          name: 'networks',
          mark: 'points',
          x: found.map((d) => d.gateInputCorrelation),
          y: found.map((d) => d.bestFactorError),
        },
      ],
    },
  }
}

/** f(x) = v₁σ(u₁x + b₁) + v₂σ(u₂x + b₂) on y = |x|: loss in a ball around u = ±1, b = −5 (dead on [−2, 2]), and its height. */
function deadReluGap(): { change: number; height: number } {
  const inputs = [-2, -1, 0, 1, 2]
  const loss = (t: readonly number[]): number =>
    inputs.reduce((sum, x) => {
      const f = t[2] * Math.max(0, t[0] * x + t[4]) + t[3] * Math.max(0, t[1] * x + t[5])
      return sum + (f - Math.abs(x)) ** 2 / 2
    }, 0)
  const dead = [1, -1, 0.7, 0.4, -5, -5]
  const good = [1, -1, 1, 1, 0, 0]
  const here = loss(dead)
  let change = 0
  for (let i = 0; i < 2000; i++) {
    const step = randomStream(0, 'dead units', i).normals(6)
    change = Math.max(change, Math.abs(loss(dead.map((v, k) => v + 0.2 * Math.tanh(step[k]))) - here))
  }
  return { change, height: here - loss(good) }
}

export const gateClaims: readonly Claim[] = [gates, realGates]
