import { matmulTransposedRight, matrix } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { linearNetwork } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { quasiNewton } from '../../theory/elimination/index.ts'
import { rowsDataset } from '../../theory/elimination/toy-problems.ts'
import {
  checkHardtMa,
  linearProblem,
  randomMember,
  rankCriterion,
  rankRule,
  shallowDescentDirection,
} from '../../theory/linear/index.ts'
import { randomProblem, randomSubset, randomWidths } from '../../theory/linear/random-problem.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { withLosses } from '../with-losses.ts'
import { gaussianMatrix, topic } from './source.ts'

const yun: Claim = {
  id: 'Yun-Sra-Jadbabaie',
  topic,
  statement:
    'A critical point is global exactly if rank(W_L ⋯ W_1) = min(d_x, d_y) where the narrowest width p allows it; below, exactly if the rank is p and the last layers span the top p eigenvectors of Σ. Everything else is a saddle.',
  source: { text: 'Yun, Sra, Jadbabaie 2018', place: 'Theorems 2.1 and 2.2', reference: 'arXiv:1707.02444' },
  experiment: '1200 random critical points of 240 random problems (1 to 4 hidden layers): criterion against the class.',
  expected: 'holds',
  estimateSeconds: 1,
  run: yunFinding,
}

async function yunFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  let mismatches = 0
  const tally = { wide: { global: 0, saddle: 0 }, narrow: { global: 0, saddle: 0 } }
  for (let i = 0; i < 240; i++) {
    const random = randomStream(seed, 'rank criterion', i)
    const problem = randomProblem(randomWidths(random), seed + i)
    for (let k = 0; k < 5; k++) {
      const { weights, subset } = randomMember(problem, randomSubset(problem, random), random)
      const global = rankRule(problem, weights, subset).kind === 'global-minimum'
      const found = rankCriterion(problem, weights)
      if ((found.kind === 'global-minimum') !== global) mismatches++
      tally[found.columnSpaceError === undefined ? 'wide' : 'narrow'][global ? 'global' : 'saddle']++
    }
    progress(i + 1, 240)
  }
  const counts = [tally.wide.global, tally.wide.saddle, tally.narrow.global, tally.narrow.saddle]
  const measurements = [
    near('mismatches of 1200', mismatches, 0, 0),
    atLeast('least visited of the four cases', Math.min(...counts), 50),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `No mismatch at 1200 critical points: ${counts[0]} global and ${counts[1]} saddles where p allows full rank, ${counts[2]} and ${counts[3]} below.`,
    measurements,
    figure: {
      title: 'Critical points by case',
      xLabel: 'wide: global, saddle; narrow: global, saddle',
      yLabel: 'points',
      series: [{ name: 'points', mark: 'bars', x: [1, 2, 3, 4], y: counts }],
    },
  }
}

const zhou: Claim = {
  id: 'Zhou-Liang',
  topic,
  statement:
    'In a linear network with one hidden layer every critical point that is not a global minimum has a descent direction of negative curvature, in closed form and without assumptions on the data.',
  source: { text: 'Zhou and Liang 2018', place: 'one hidden layer', reference: 'arXiv:1710.11205' },
  experiment:
    '1000 random critical points of networks with one hidden layer: the direction and its curvature; and data with more outputs than inputs.',
  expected: 'holds',
  estimateSeconds: 1,
  run: zhouFinding,
}

async function zhouFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const curvatures: number[] = []
  let [globals, missing] = [0, 0]
  for (let i = 0; i < 200; i++) {
    const random = randomStream(seed, 'descent directions', i)
    const inputs = 1 + random.integer(4)
    const problem = randomProblem([inputs, 1 + random.integer(4), 1 + random.integer(inputs)], seed + i)
    for (let k = 0; k < 5; k++) {
      const { weights, subset } = randomMember(problem, randomSubset(problem, random), random)
      const global = rankRule(problem, weights, subset).kind === 'global-minimum'
      const descent = shallowDescentDirection(problem, weights)
      if (global) globals++
      if (global !== (descent === undefined)) missing++
      if (descent) curvatures.push(descent.curvature / problem.squaredTargets)
    }
    progress(i + 1, 200)
  }
  const tall = linearProblem(
    matrix(1, 3, Float64Array.of(1, 2, -1)),
    matrix(2, 3, Float64Array.of(1, 2, -1, 0, 0, 0)),
    [1, 1, 2],
  )
  const spent = shallowDescentDirection(tall, [matrix(1, 1, Float64Array.of(0)), matrix(2, 1, Float64Array.of(0, 3))])
  const measurements = [
    near('points without the direction they should have', missing, 0, 0),
    atLeast('saddles', curvatures.length, 300),
    atMost('largest curvature along it, in ‖Y‖²', Math.max(...curvatures), -1e-8),
    near('d_y > d_x: curvature where a hidden unit is spent on λ = 0', spent?.curvature ?? Number.NaN, -6, 1e-9),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All ${curvatures.length} saddles have an explicit direction of negative curvature, none of the ${globals} global minima does.`,
    measurements,
    figure: {
      title: 'Curvature along the closed-form directions',
      xLabel: 'saddle',
      yLabel: '−curvature / ‖Y‖²',
      yScale: 'log',
      series: [{ name: 'saddles', mark: 'points', x: curvatures.map((_, i) => i + 1), y: curvatures.map((c) => -c) }],
    },
  }
}

const hardt: Claim = {
  id: 'Hardt-Ma',
  topic,
  statement:
    'Linear residual networks have no spurious critical point where ‖A_i‖₂ ≤ τ < 1: ‖∇f‖² ≥ 4ℓ(1 − τ)^{2(ℓ−1)} λ_min(Σ_xx)(f − f*).',
  source: { text: 'Hardt and Ma 2017', place: 'Theorem 2.2', reference: 'arXiv:1611.04231' },
  experiment:
    '2000 random points, dimensions 2 to 4, 1 to 5 residual blocks, random covariances and targets; and points at which the bound is attained.',
  expected: 'holds',
  remark: 'The factor is 4ℓ for the loss without ½ as written here.',
  estimateSeconds: 2,
  run: hardtFinding,
}

async function hardtFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const ratios: number[] = []
  const radii: number[] = []
  for (let i = 0; radii.length < 2000; i++) {
    const random = randomStream(seed, 'residual', i)
    const d = 2 + random.integer(3)
    const gaussian = (size: number): Matrix =>
      matrix(
        d,
        d,
        random.normals(d * d).map((v) => (size * v) / d),
      )
    const root = gaussian(d)
    const branches = Array.from({ length: 1 + random.integer(5) }, () => gaussian(0.3))
    const check = checkHardtMa(branches, matmulTransposedRight(root, root), gaussian(2))
    ratios.push(check.ratio)
    radii.push(check.radius)
    if (radii.length % 200 === 0) progress(radii.length / 200, 10)
  }
  const least = Math.min(...ratios)
  const times = (factor: number): Matrix => matrix(2, 2, Float64Array.of(factor, 0, 0, factor))
  const tight = checkHardtMa([times(-0.4), times(-0.4), times(-0.4)], times(3), gaussianMatrix(2, 2, seed, 'target'))
  const measurements = [
    { ...atLeast('least ‖∇f‖² / bound', least, 1), literature: 'inequality, ≥ 1' },
    near('‖∇f‖² / bound where all A_i = −τ I and Σ_xx = σ I: equality', tight.ratio, 1, 1e-12),
    atMost('largest ‖A_i‖₂', Math.max(...radii), 1),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `‖∇f‖² is at least ${least.toFixed(2)} times the bound at 2000 random points.`,
    measurements,
    figure: {
      title: 'Squared gradient over its lower bound',
      xLabel: 'largest ‖A_i‖₂',
      yLabel: 'ratio',
      yScale: 'log',
      series: [{ name: 'points', mark: 'points', x: radii, y: ratios }],
      levels: [{ label: 'bound', value: 1 }],
    },
  }
}

const convexLosses: Claim = {
  id: 'Laurent-von-Brecht',
  topic,
  statement:
    'For every convex differentiable loss all local minima of a deep linear network are global if each hidden layer is at least as wide as min(d_x, d_y).',
  source: { text: 'Laurent and von Brecht 2018', place: 'main theorem', reference: 'arXiv:1712.01473' },
  experiment:
    'Huber loss, cross-entropy with label smoothing and the cubed hinge, 3 inputs, 2 outputs (1 for the hinge), 24 samples: 10 trainings each by L-BFGS of widths 3-3-2-2 (hinge 3-2-1-1) against the convex problem over one matrix.',
  expected: 'holds',
  estimateSeconds: 2,
  run: convexLossesFinding,
}

async function convexLossesFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { seed, progress, throwIfStopped } = context
  const rows = gaussianMatrix(24, 3, seed, 'inputs of convex losses')
  const inputs = Array.from({ length: 24 }, (_, i) => Array.from(rows.data.subarray(3 * i, 3 * i + 3)))
  const noise = gaussianMatrix(24, 2, seed, 'noise of convex losses')
  const values = inputs.map(([a, b, c], i) => [2 * a - b + noise.data[2 * i], b + 0.5 * c + noise.data[2 * i + 1]])
  const cases = [
    { name: 'Huber', spec: { name: 'huber', reduction: 'mean' }, y: values, deep: [3, 3, 2, 2] },
    {
      name: 'soft cross-entropy',
      spec: { name: 'cross-entropy', reduction: 'mean' },
      y: values.map(([u, v]) => {
        const p = 1 / (1 + Math.exp(v - u))
        return [0.1 + 0.8 * p, 0.9 - 0.8 * p]
      }),
      deep: [3, 3, 2, 2],
    },
    {
      name: 'cubed hinge',
      spec: { name: 'hinge', power: 3, reduction: 'mean' },
      y: values.map(([u]) => [u > 0 ? 1 : -1]),
      deep: [3, 2, 1, 1],
    },
  ] as const
  const gaps = await withLosses(context, async (make) => {
    const all: number[][] = []
    for (const [index, { spec, y, deep }] of cases.entries()) {
      const data = rowsDataset(inputs, y)
      const minimum = async (widths: readonly number[], start: Float64Array | null): Promise<number> => {
        const loss = make(linearNetwork(widths), data, spec)
        const from = start ?? new Float64Array(loss.size)
        return (await quasiNewton((t) => loss.valueAndGradient(t), from, { maxSteps: 2000, gradientTolerance: 1e-11 }))
          .value
      }
      const best = await minimum([deep[0], deep[deep.length - 1]], null)
      const found: number[] = []
      for (let i = 0; i < 10; i++) {
        throwIfStopped()
        const start = linearNetwork(deep).initialize(seed + i)
        found.push((await minimum(deep, start)) - best)
        progress(10 * index + i + 1, 10 * cases.length)
      }
      all.push(found)
    }
    return all
  })
  const measurements = cases.map(({ name, deep }, i) =>
    atMost(`${name}, ${deep.join('-')}: largest |loss − convex optimum|`, Math.max(...gaps[i].map(Math.abs)), 1e-8),
  )
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All 30 trainings reach the optimum of the convex problem, the worst within ${Math.max(...gaps.flat().map(Math.abs)).toExponential(1)}.`,
    measurements,
    figure: {
      title: 'Distance to the optimum of the convex problem',
      xLabel: 'training',
      yLabel: '|loss − optimum|',
      yScale: 'log',
      series: cases.map(({ name }, i) => ({
        name,
        mark: 'points' as const,
        x: gaps[i].map((_, k) => k + 1),
        y: gaps[i].map((g) => Math.max(1e-17, Math.abs(g))),
      })),
    },
  }
}

export const criteriaClaims: readonly Claim[] = [yun, zhou, hardt, convexLosses]
