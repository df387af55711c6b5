import { frobenius, gemv, gemvTransposed, matmul, maxNorm, norm, symmetricEigen, trace } from '../../linalg/index.ts'
import type { Loss } from '../../loss/index.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import { linearNetwork } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import {
  classLoss,
  criticalPoint,
  eachCriticalClass,
  layerProduct,
  flattenWeights,
  linearGradient,
  linearHessian,
  linearLoss,
  linearSecondOrderForm,
  randomMember,
  randomWeights,
  satisfiesCyclicProducts,
  unflattenWeights,
  verifyCriticalPoint,
  zShapes,
} from '../../theory/linear/index.ts'
import type { CriticalPointCheck, LinearProblem, LinearWeights } from '../../theory/linear/index.ts'
import { remainingSignal } from '../../theory/linear/critical-point.ts'
import { linearScales } from '../../theory/linear/linear-weights.ts'
import { randomProblem, randomSubset, randomWidths } from '../../theory/linear/random-problem.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { withLosses } from '../with-losses.ts'
import { rowsDataset, squared } from '../../theory/elimination/toy-problems.ts'
import { poorLocalMinima, topic } from './source.ts'

const achour = (place: string): Claim['source'] => ({
  text: 'Achour, Malgouyres, Gerchinovitz 2024',
  place,
  reference: 'arXiv:2107.13289',
})

const stress: Claim = {
  id: 'A-3',
  topic,
  statement:
    'At a critical point of class (S, Z) ranks of products of weights decide between global minimum, strict and non-strict saddle.',
  source: achour('non-strict saddles: tightened pivots'),
  experiment:
    'Random D_k and Z_k, 2000 members of random classes for each of the widths 3-3-3, 3-2-2-3, 3-1-2-3, 4-3-3-3-2: rank rule, block rule and lemmas against the signs of all Hessian eigenvalues.',
  expected: 'holds',
  estimateSeconds: 8,
  run: stressFinding,
}

async function stressFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const architectures = [
    [3, 3, 3],
    [3, 2, 2, 3],
    [3, 1, 2, 3],
    [4, 3, 3, 3, 2],
  ]
  const kinds = ['global-minimum', 'strict-saddle', 'non-strict-saddle'] as const
  const counts = architectures.map(() => [0, 0, 0])
  let [mismatches, worstGradient] = [0, 0]
  architectures.forEach((widths, a) => {
    for (let i = 0; i < 2000; i++) {
      if (i % 100 === 0) throwIfStopped()
      const random = randomStream(seed, `stress ${widths}`, i)
      const problem = randomProblem(widths, seed + (i % 20))
      const check = verifyCriticalPoint(problem, randomMember(problem, randomSubset(problem, random), random))
      mismatches += check.disagreements.length
      counts[a][kinds.indexOf(check.rankRule.kind)]++
      worstGradient = Math.max(worstGradient, check.relativeGradient)
      if (i % 100 === 99) progress(20 * a + (i + 1) / 100, 20 * architectures.length)
    }
  })
  const totals = kinds.map((_, k) => counts.reduce((sum, row) => sum + row[k], 0))
  const measurements = [
    near('mismatches of 8000', mismatches, 0, 0),
    atMost('largest gradient, relative to its terms', worstGradient, 1e-12),
    ...kinds.map((kind, k) => atLeast(`members that are ${kind}`, totals[k], 200)),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `${totals.reduce((s, v) => s + v, 0)} random critical points (${totals[0]} global minima, ${totals[1]} strict and ${totals[2]} non-strict saddles): ${mismatches} mismatches between ranks and spectrum.`,
    measurements,
    figure: {
      title: 'Kinds of the random critical points',
      xLabel: `architecture (${architectures.map((w) => w.join('-')).join(', ')})`,
      yLabel: 'points',
      series: kinds.map((kind, k) => ({
        name: kind,
        mark: 'points' as const,
        x: architectures.map((_, a) => a + 1),
        y: counts.map((row) => row[k]),
      })),
    },
  }
}

const complete: Claim = {
  id: 'critical-points-complete',
  topic,
  statement:
    'Every critical point is of the form (S, D_k, Z_k); such a point is critical exactly if the L cyclic products that omit one Z vanish, and along Z the loss is L_S + ½‖Z_L ⋯ Z_1 X‖² − tr(T Z_L ⋯ Z_1).',
  source: achour('parametrization of the critical points; Baldi and Hornik 1989 for one hidden layer'),
  experiment:
    'Random architectures of 1 to 4 hidden layers. (a) 400 points with random Z: critical or not against the cyclic products, and the loss formula; (b) 300 Levenberg–Marquardt searches for ∇L̄ = 0 from random weights: the loss of what they find against all L_S.',
  expected: 'holds',
  estimateSeconds: 5,
  run: completeFinding,
}

async function completeFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  let [mismatches, critical, worstFormula] = [0, 0, 0]
  for (let i = 0; i < 400; i++) {
    const found = blockPoint(seed, i)
    mismatches += found.critical === found.expected ? 0 : 1
    critical += found.critical ? 1 : 0
    worstFormula = Math.max(worstFormula, found.formulaError)
  }
  progress(1, 4)
  const [heights, deviations]: [number[], number[]] = [[], []]
  for (let i = 0; i < 300; i++) {
    throwIfStopped()
    const found = searchedPoint(seed, i)
    if (found) {
      heights.push(found.height)
      deviations.push(found.deviation)
    }
    if (i % 100 === 99) progress(2 + (i - 99) / 100, 4)
  }
  const measurements = [
    near('(a) points where gradient and cyclic products disagree, of 400', mismatches, 0, 0),
    atLeast('(a) of them critical', critical, 100),
    atMost('(a) error of the loss formula, relative to its terms', worstFormula, 1e-12),
    atLeast('(b) critical points found, of 300 searches', heights.length, 100),
    atMost('(b) largest distance of their loss to the nearest L_S, in ‖Y‖²', Math.max(...deviations), 1e-9),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `No disagreement at 400 points with random blocks (${critical} critical); ${heights.length} critical points found by search all have a loss of the list.`,
    measurements,
    figure: {
      title: 'Critical points found by search: distance to the nearest L_S',
      xLabel: '(loss − L*) / ‖Y‖²',
      yLabel: 'distance to the nearest L_S / ‖Y‖²',
      yScale: 'log',
      series: [{ name: 'found', mark: 'points', x: heights, y: deviations.map((d) => Math.max(1e-18, d)) }],
    },
  }
}

/** A point of class S with Z dense, zero, or of a chain pattern; whether it is critical, whether it should be. */
function blockPoint(seed: number, index: number): { critical: boolean; expected: boolean; formulaError: number } {
  const random = randomStream(seed, 'blocks', index)
  const problem = randomProblem(randomWidths(random), seed + index)
  const subset = randomSubset(problem, random)
  const z = zShapes(problem, subset.length).map(({ rows, cols }) => {
    const zero = random.uniform() < 0.4
    return { rows, cols, data: zero ? new Float64Array(rows * cols) : random.normals(rows * cols) }
  })
  const weights = criticalPoint(problem, subset, { z })
  const gradient = maxNorm(flattenWeights(linearGradient(problem, weights)))
  const product = layerProduct(z, z.length, 1)
  const carried = frobenius(matmul(product, problem.x)) ** 2 / 2
  const signal = trace(matmul(remainingSignal(problem, subset), product))
  const predicted = classLoss(problem, subset) + carried - signal
  const size = problem.squaredTargets + carried + Math.abs(signal)
  return {
    critical: gradient <= 1e-9 * linearScales(problem, weights).gradient,
    expected: satisfiesCyclicProducts(problem, subset, z),
    formulaError: Math.abs(linearLoss(problem, weights) - predicted) / size,
  }
}

/** Where a search for ∇L̄ = 0 from random weights ends; undefined where it does not converge. */
function searchedPoint(seed: number, index: number): { height: number; deviation: number } | undefined {
  const random = randomStream(seed, 'search', index)
  const problem = randomProblem(randomWidths(random), seed + index)
  const weights = smallGradient(problem, randomWeights(problem.widths, random, 0.6))
  if (!weights) return undefined
  const loss = linearLoss(problem, weights)
  const levels = [...eachCriticalClass(problem)].map((c) => c.loss)
  return {
    height: (loss - problem.globalMinimum) / problem.squaredTargets,
    deviation: Math.min(...levels.map((level) => Math.abs(level - loss))) / problem.squaredTargets,
  }
}

/** Least squares in the gradient by Levenberg–Marquardt steps −(H² + μ)⁻¹ H g: ends at critical points of any kind. */
function smallGradient(problem: LinearProblem, start: LinearWeights): LinearWeights | undefined {
  const { widths } = problem
  let theta = flattenWeights(start)
  let gradient = flattenWeights(linearGradient(problem, start))
  let damping = 1
  for (let step = 0; step < 300; step++) {
    const weights = unflattenWeights(widths, theta)
    if (maxNorm(gradient) <= 1e-13 * linearScales(problem, weights).gradient) return weights
    const { values, vectors } = symmetricEigen(linearHessian(problem, weights))
    const along = gemvTransposed(vectors, gradient).map((g, i) => (-g * values[i]) / (values[i] ** 2 + damping))
    const moved = gemv(vectors, along).map((d, i) => theta[i] + d)
    const next = flattenWeights(linearGradient(problem, unflattenWeights(widths, moved)))
    const better = norm(next) < norm(gradient)
    damping *= better ? 0.2 : 5
    if (better) [theta, gradient] = [moved, next]
    if (damping > 1e20) return undefined
  }
  return undefined
}

const lemmas: Claim = {
  id: 'Kawaguchi-lemmas',
  topic,
  statement:
    'Lemmas 4.2, 4.4, 4.6 and Corollary 4.5 on critical points: the map is a projection of the least squares map; where the Hessian is semidefinite, ranges and ranks are nested, and only the top eigenvectors of Σ are kept.',
  source: poorLocalMinima('Lemmas 4.2, 4.4, 4.6, Corollary 4.5'),
  experiment: '1600 random critical points of 160 random problems (1 to 4 hidden layers).',
  expected: 'holds',
  estimateSeconds: 2,
  run: lemmasFinding,
}

async function lemmasFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const worst = new Map<string, { error: number; applied: number; failed: number }>()
  let semidefinite = 0
  for (let i = 0; i < 160; i++) {
    throwIfStopped()
    const random = randomStream(seed, 'lemmas', i)
    const problem = randomProblem(randomWidths(random), seed + i)
    for (let k = 0; k < 10; k++) {
      const check: CriticalPointCheck = verifyCriticalPoint(
        problem,
        randomMember(problem, randomSubset(problem, random), random),
      )
      if (check.spectrum?.inertia.negative === 0) semidefinite++
      for (const { name, applies, holds, error } of check.lemmas) {
        const entry = worst.get(name) ?? { error: 0, applied: 0, failed: 0 }
        if (applies) entry.applied++
        if (!holds) entry.failed++
        entry.error = Math.max(entry.error, error)
        worst.set(name, entry)
      }
    }
    progress(i + 1, 160)
  }
  const rows = [...worst]
  const measurements = [
    ...rows.flatMap(([name, { error, applied, failed }]) => [
      near(`${name}: violations at ${applied} points`, failed, 0, 0),
      atMost(`${name}: largest error`, error, 1e-8),
    ]),
    atLeast('points with Hessian ⪰ 0', semidefinite, 400),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `0 violations over 1600 critical points, ${semidefinite} of them with a positive semidefinite Hessian.`,
    measurements,
    figure: {
      title: 'Largest errors of the lemmas',
      xLabel: rows.map(([name]) => name).join(', '),
      yLabel: 'largest relative error',
      yScale: 'log',
      series: [
        {
          name: 'error',
          mark: 'points',
          x: rows.map((_, i) => i + 1),
          y: rows.map(([, { error }]) => Math.max(1e-17, error)),
        },
      ],
      levels: [{ label: 'tolerance', value: 1e-8 }],
    },
  }
}

const derivatives: Claim = {
  id: 'Kawaguchi-4.1-4.3',
  topic,
  statement: 'Gradient and Hessian of a deep linear network have the Kronecker form of Lemmas 4.1 and 4.3.',
  source: poorLocalMinima('Lemmas 4.1 and 4.3'),
  experiment:
    'Widths 3-2-2, 4-1-3, 3-2-4-2, 2-3-1-2-2: closed forms against automatic differentiation of the network (gradient; Hessian times 20 vectors; second-order form).',
  expected: 'holds',
  estimateSeconds: 1,
  run: derivativesFinding,
}

async function derivativesFinding(context: ClaimContext): Promise<ClaimFinding> {
  const architectures = [
    [3, 2, 2],
    [4, 1, 3],
    [3, 2, 4, 2],
    [2, 3, 1, 2, 2],
  ]
  const errors = await withLosses(context, async (make) => {
    const rows: { gradient: number; hessian: number; form: number }[] = []
    for (const [index, widths] of architectures.entries()) {
      const problem = randomProblem(widths, context.seed + index)
      const loss = make(linearNetwork(widths), rowsDataset(columnsOf(problem.x), columnsOf(problem.y)), {
        ...squared,
        name: 'half-sum-squares',
        reduction: 'sum',
      })
      rows.push(await derivativeErrors(problem, loss, context.seed))
      context.progress(index + 1, architectures.length)
    }
    return rows
  })
  const worst = (key: 'gradient' | 'hessian' | 'form'): number => Math.max(...errors.map((e) => e[key]))
  const measurements = [
    atMost('gradient against automatic differentiation, relative', worst('gradient'), 1e-13),
    atMost('Hessian times vector, relative', worst('hessian'), 1e-13),
    atMost('second-order form against vᵀHv, relative', worst('form'), 1e-12),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Closed forms and automatic differentiation agree to ${worst('gradient').toExponential(1)} (gradient) and ${worst('hessian').toExponential(1)} (Hessian).`,
    measurements,
    figure: {
      title: 'Closed forms against automatic differentiation',
      xLabel: `architecture (${architectures.map((w) => w.join('-')).join(', ')})`,
      yLabel: 'largest relative error',
      yScale: 'log',
      series: (['gradient', 'hessian', 'form'] as const).map((key) => ({
        name: key,
        mark: 'points' as const,
        x: architectures.map((_, i) => i + 1),
        y: errors.map((e) => Math.max(1e-18, e[key])),
      })),
    },
  }
}

function columnsOf({ rows, cols, data }: LinearProblem['x']): number[][] {
  return Array.from({ length: cols }, (_, s) => Array.from({ length: rows }, (_unused, i) => data[i * cols + s]))
}

async function derivativeErrors(
  problem: LinearProblem,
  loss: Loss,
  seed: number,
): Promise<{ gradient: number; hessian: number; form: number }> {
  const random = randomStream(seed, 'derivatives')
  const weights = randomWeights(problem.widths, random)
  const theta = flattenWeights(weights)
  const automatic = (await loss.valueAndGradient(theta)).gradient
  const closed = flattenWeights(linearGradient(problem, weights))
  const matrix = linearHessian(problem, weights)
  const point = new LossPoint(loss, theta)
  let [hessian, form] = [0, 0]
  for (let k = 0; k < 20; k++) {
    const direction = randomWeights(problem.widths, random)
    const v = flattenWeights(direction)
    const product = await point.hvp(v)
    const image = gemv(matrix, v)
    hessian = Math.max(hessian, norm(image.map((h, i) => h - product[i])) / norm(product))
    const curvature = product.reduce((s, h, i) => s + h * v[i], 0)
    const difference = Math.abs(linearSecondOrderForm(problem, weights, direction) - curvature)
    form = Math.max(form, difference / (norm(product) * norm(v)))
  }
  return { gradient: norm(closed.map((g, i) => g - automatic[i])) / norm(automatic), hessian, form }
}

export const criticalPointClaims: readonly Claim[] = [stress, complete, lemmas, derivatives]
