import { frobenius } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import {
  collapseProduct,
  criticalPoint,
  eachCriticalClass,
  enumerateCriticalClasses,
  layerProduct,
  linearHessian,
  orderLEscape,
  measureEscape,
  randomHiddenBasis,
  randomMember,
  rankRule,
  representatives,
  rotationEscape,
  zeroBlockInertia,
} from '../../theory/linear/index.ts'
import { linearSpectrum } from '../../theory/linear/linear-spectrum.ts'
import { zeroBlocks } from '../../theory/linear/critical-point.ts'
import { numericalRank } from '../../theory/linear/linear-weights.ts'
import { randomProblem, randomSubset, randomWidths } from '../../theory/linear/random-problem.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { poorLocalMinima, topic, workedExample } from './source.ts'

const everySaddleStrict: Claim = {
  id: '0.1',
  topic,
  statement:
    'Every critical point of a deep linear network that is not a global minimum has a negative Hessian eigenvalue.',
  source: { text: 'popular accounts of Kawaguchi 2016', reference: 'arXiv:1605.07110' },
  experiment:
    'Widths 2-2-2-2 and 2-1-1-2: the Hessian at W = 0 and its spectrum; the loss along a curve of order L that leaves W = 0.',
  expected: 'false',
  remark:
    'False from two hidden layers on (and the abstract of the paper says so itself). True for one hidden layer, see Kawaguchi-2.4.',
  estimateSeconds: 1,
  run: everySaddleFinding,
}

async function everySaddleFinding({ progress }: ClaimContext): Promise<ClaimFinding> {
  const measurements: ClaimMeasurement[] = []
  const series = [
    [2, 2, 2, 2],
    [2, 1, 1, 2],
  ].map((widths, index) => {
    const problem = workedExample(widths)
    const name = widths.join('-')
    const origin = criticalPoint(problem, [])
    const hessian = linearHessian(problem, origin)
    const path = measureEscape(problem, orderLEscape(problem, [], 1), 40)
    measurements.push(
      near(`${name}: ‖∇²L̄‖ at W = 0`, frobenius(hessian), 0, 0),
      near(`${name}: loss at W = 0`, path.points[0].loss, 3.5, 1e-12),
      near(`${name}: global minimum`, problem.globalMinimum, widths[1] === 2 ? 0 : 0.07294901687515773, 1e-12),
      atMost(`${name}: loss at the end of the escape curve`, path.points[path.points.length - 1].loss, 0.08),
      atMost(`${name}: error of L_S − λ (t^L − ½ t^{2L}) on the curve`, path.error, 1e-12),
    )
    progress(index + 1, 2)
    return { name, mark: 'line' as const, x: path.points.map((p) => p.t), y: path.points.map((p) => p.loss) }
  })
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary:
      'With two hidden layers W = 0 has loss 3.5, far above the minimum, and its Hessian is identically zero: no negative eigenvalue, although a curve of order 3 leads down.',
    measurements,
    figure: {
      title: 'Down from W = 0, where the Hessian is zero',
      xLabel: 't',
      yLabel: 'loss',
      series,
      levels: [{ label: 'W = 0', value: 3.5 }],
    },
  }
}

const shallowStrict: Claim = {
  id: 'Kawaguchi-2.4',
  topic,
  statement:
    'With one hidden layer every saddle is strict; with two or more there are saddles without negative curvature.',
  source: poorLocalMinima('Corollary 2.4'),
  experiment:
    'Smallest eigenvalue at 800 random critical points that are not global minima, one hidden layer; and for 1 to 4 hidden layers whether a saddle with Hessian ⪰ 0 exists (all classes, both representatives, dense spectra).',
  expected: 'holds',
  estimateSeconds: 2,
  run: shallowStrictFinding,
}

async function shallowStrictFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const relative: number[] = []
  for (let i = 0; relative.length < 800; i++) {
    if (i % 50 === 0) throwIfStopped()
    const random = randomStream(seed, 'one hidden layer', i)
    const inputs = 1 + random.integer(4)
    const widths = [inputs, 1 + random.integer(4), 1 + random.integer(inputs)]
    const problem = randomProblem(widths, seed + (i % 40))
    const member = randomMember(problem, randomSubset(problem, random), random)
    if (rankRule(problem, member.weights, member.subset).kind === 'global-minimum') continue
    const { minEigenvalue, maxEigenvalue } = linearSpectrum(problem, member.weights)
    relative.push(minEigenvalue / Math.max(maxEigenvalue, -minEigenvalue))
    if (relative.length % 100 === 0) progress(relative.length / 100, 12)
  }
  const counts = [1, 2, 3, 4].map((hidden, index) => {
    const found = nonStrictSaddles([3, ...new Array<number>(hidden).fill(2), 3], seed)
    progress(9 + index, 12)
    return found
  })
  const measurements = [
    atMost('one hidden layer: largest λ_min / |λ|_max at 800 saddles', Math.max(...relative), -1e-6),
    near('saddles with Hessian ⪰ 0, 1 hidden layer', counts[0], 0, 0),
    ...counts.slice(1).map((count, i) => atLeast(`saddles with Hessian ⪰ 0, ${i + 2} hidden layers`, count, 1)),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All 800 saddles of networks with one hidden layer have negative curvature; among the canonical saddles of 2, 3, 4 hidden layers ${counts.slice(1).join(', ')} have none.`,
    measurements,
    figure: {
      title: 'Saddles without negative curvature',
      xLabel: 'hidden layers',
      yLabel: 'classes with such a saddle (width 2, three inputs and outputs)',
      series: [{ name: 'classes', mark: 'bars', x: [1, 2, 3, 4], y: counts }],
    },
  }
}

/** Representatives that are no global minimum and whose spectrum has no negative eigenvalue. */
function nonStrictSaddles(widths: readonly number[], seed: number): number {
  const problem = randomProblem(widths, seed)
  return [...eachCriticalClass(problem)]
    .flatMap(({ subset }) => representatives(problem, subset))
    .filter((point) => point.kind !== 'global-minimum' && linearSpectrum(problem, point.weights).inertia.negative === 0)
    .length
}

const moreThanThree: Claim = {
  id: '0.2',
  topic,
  statement: '"Bad" saddles, without negative curvature, occur only in networks with more than three hidden layers.',
  source: { text: 'popular accounts of Kawaguchi 2016', reference: 'arXiv:1605.07110' },
  experiment: 'Widths 3-2-3, 3-2-2-3, 3-2-2-2-3: saddles with a positive semidefinite Hessian, all classes.',
  expected: 'false',
  remark:
    'An artefact of counting: the paper counts input and output as layers, so "deeper than three layers" means two hidden layers or more.',
  estimateSeconds: 1,
  run: async ({ progress, seed }) => {
    const counts = [1, 2, 3].map((hidden, i) => {
      progress(i, 3)
      return nonStrictSaddles([3, ...new Array<number>(hidden).fill(2), 3], seed)
    })
    progress(3, 3)
    const measurements = [
      near('1 hidden layer ("three layers")', counts[0], 0, 0),
      atLeast('2 hidden layers', counts[1], 1),
      atLeast('3 hidden layers', counts[2], 1),
    ]
    return {
      outcome: allMet(measurements) ? 'false' : 'not-decided',
      summary: `Two hidden layers are enough: ${counts[1]} such saddles, three have ${counts[2]}, one has none.`,
      measurements,
      figure: {
        title: 'Saddles without negative curvature',
        xLabel: 'hidden layers',
        yLabel: 'number',
        series: [{ name: 'saddles', mark: 'bars', x: [1, 2, 3], y: counts }],
      },
    }
  },
}

const fullRankSaddles: Claim = {
  id: 'Kawaguchi-2.3-iv',
  topic,
  statement:
    'Every critical point that is not a global minimum is a saddle; if rank(W_H ⋯ W_2) = p there, the Hessian has a negative eigenvalue.',
  source: poorLocalMinima('Theorem 2.3 (iii) and (iv)'),
  experiment:
    'Random critical points of random architectures that are not global: smallest eigenvalue where the rank is p; where the Hessian is ⪰ 0, the loss along an escape curve from the canonical point of the class.',
  expected: 'holds',
  estimateSeconds: 2,
  run: fullRankFinding,
}

async function fullRankFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const strict: number[] = []
  const drops: number[] = []
  for (let i = 0; i < 1500; i++) {
    if (i % 50 === 0) throwIfStopped()
    if (i % 100 === 99) progress((i + 1) / 100, 15)
    const random = randomStream(seed, 'rank p', i)
    const problem = randomProblem(randomWidths(random), seed + (i % 60))
    const { weights, subset } = randomMember(problem, randomSubset(problem, random), random)
    if (rankRule(problem, weights, subset).kind === 'global-minimum') continue
    const between = layerProduct(weights, problem.layers - 1, 2)
    const size = weights.slice(1, -1).reduce((p, w) => p * frobenius(w), 1)
    const full = numericalRank(between, 1e-8 * size).rank === Math.min(...problem.widths.slice(1, -1))
    const { minEigenvalue, maxEigenvalue, inertia } = linearSpectrum(problem, weights)
    if (full) strict.push(minEigenvalue / Math.max(maxEigenvalue, -minEigenvalue))
    if (inertia.negative === 0) {
      const left = Array.from({ length: problem.signalRank }, (_, k) => k + 1).find((k) => !subset.includes(k))!
      const path = measureEscape(problem, orderLEscape(problem, subset, left), 10)
      drops.push((path.points[0].loss - path.points[path.points.length - 1].loss) / problem.squaredTargets)
    }
  }
  const measurements = [
    atLeast('saddles with rank(W_H ⋯ W_2) = p', strict.length, 200),
    atMost('their largest λ_min / |λ|_max', Math.max(...strict), -1e-7),
    atLeast('critical points with Hessian ⪰ 0 that are not global', drops.length, 100),
    atLeast('least decrease on the way out of their class, in ‖Y‖²', Math.min(...drops), 1e-4),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `${strict.length} saddles with full middle rank all have a negative eigenvalue; ${drops.length} points with Hessian ⪰ 0 that are not global are no minima, since a curve of their class leads down.`,
    measurements,
    figure: {
      title: 'Smallest eigenvalue where the middle rank is p',
      xLabel: 'critical point',
      yLabel: '−λ_min / |λ|_max',
      yScale: 'log',
      series: [{ name: 'saddles', mark: 'points', x: strict.map((_, i) => i + 1), y: strict.map((v) => -v) }],
    },
  }
}

const inertia: Claim = {
  id: 'linear-inertia',
  topic,
  statement:
    'With Z = 0 the Hessian has inv(S) negative eigenvalues, plus (d_1 − r)(d_y − r) with one hidden layer; a global minimum has p̂(d_x + d_y − p̂) positive ones; for every choice of the hidden bases D_k.',
  source: { text: 'elementary; Achour, Malgouyres, Gerchinovitz 2024 for the setting', reference: 'arXiv:2107.13289' },
  experiment: 'Every class of 60 random problems, canonical and with random D_k: counts by a dense eigenvalue solver.',
  expected: 'holds',
  estimateSeconds: 1,
  run: inertiaFinding,
}

async function inertiaFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  let [points, mismatches] = [0, 0]
  const [formula, measured]: [number[], number[]] = [[], []]
  for (let i = 0; i < 60; i++) {
    const random = randomStream(seed, 'inertia', i)
    const problem = randomProblem(randomWidths(random), seed + i)
    for (const { subset } of eachCriticalClass(problem)) {
      const expected = zeroBlockInertia(problem, subset)
      const bases = problem.widths.slice(1, -1).map((d) => randomHiddenBasis(d, random))
      for (const weights of [criticalPoint(problem, subset), criticalPoint(problem, subset, { bases })]) {
        const found = linearSpectrum(problem, weights).inertia
        points++
        if (found.negative !== expected.negative || found.positive !== expected.positive) mismatches++
        formula.push(expected.negative)
        measured.push(found.negative)
      }
    }
    progress(i + 1, 60)
  }
  const measurements = [near(`mismatches at ${points} points`, mismatches, 0, 0), atLeast('points', points, 300)]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `The integers of the formula and of the eigenvalue solver agree at all ${points} points.`,
    measurements,
    figure: {
      title: 'Negative eigenvalues: formula and solver',
      xLabel: 'formula',
      yLabel: 'solver',
      series: [{ name: 'points', mark: 'points', x: formula, y: measured }],
    },
  }
}

const escapeCurves: Claim = {
  id: 'linear-escape-curves',
  topic,
  statement:
    'A class with S ≠ {1..r} is left by a rotation with L(t) = L_S − ½(λ_j − λ_i) sin² t; a point with Z = 0 by a curve with L(t) = L_S − λ_j(t^L − ½ t^{2L}), flat to order L.',
  source: {
    text: 'elementary; the setting of Kawaguchi 2016',
    place: 'Theorem 2.3 (iii)',
    reference: 'arXiv:1605.07110',
  },
  experiment: '100 random problems of 1 to 4 hidden layers, every class and every allowed pair, random D_k and Z_k.',
  expected: 'holds',
  estimateSeconds: 1,
  run: escapeFinding,
}

async function escapeFinding({ progress, seed, throwIfStopped }: ClaimContext): Promise<ClaimFinding> {
  const errors: { rotation: number[]; order: number[] } = { rotation: [], order: [] }
  const curve: { t: number[]; y: number[] }[] = []
  for (let i = 0; i < 100; i++) {
    throwIfStopped()
    const random = randomStream(seed, 'escape curves', i)
    const problem = randomProblem(randomWidths(random), seed + i)
    const bases = problem.widths.slice(1, -1).map((d) => randomHiddenBasis(d, random))
    for (const { subset, rank, top } of enumerateCriticalClasses(problem).classes) {
      const out = Array.from({ length: problem.signalRank }, (_, k) => k + 1).filter((k) => !subset.includes(k))
      if (!top) {
        const { weights } = randomMember(problem, subset, random)
        for (const kept of subset)
          for (const left of out.filter((k) => k < kept))
            errors.rotation.push(measureEscape(problem, rotationEscape(problem, weights, kept, left), 12).error)
      }
      if (rank === problem.optimalRank) continue
      for (const left of out) {
        const found = measureEscape(problem, orderLEscape(problem, subset, left, bases), 24)
        errors.order.push(found.error)
        if (curve.length < 4 && problem.layers === curve.length + 2) {
          const gain = problem.eigenvalues[left - 1]
          curve.push({
            t: found.points.map((p) => p.t),
            y: found.points.map((p) => (p.loss - found.points[0].loss) / gain),
          })
        }
      }
    }
    progress(i + 1, 100)
  }
  const measurements = [
    atLeast('rotations', errors.rotation.length, 100),
    atMost('largest error on a rotation', Math.max(...errors.rotation), 1e-12),
    atLeast('curves of order L', errors.order.length, 100),
    atMost('largest error on a curve of order L', Math.max(...errors.order), 1e-12),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `${errors.rotation.length} rotations and ${errors.order.length} curves of order L follow their closed forms to ${Math.max(...errors.rotation, ...errors.order).toExponential(1)}.`,
    measurements,
    figure: {
      title: 'Curves out of Z = 0: the deeper, the flatter at the start',
      xLabel: 't',
      yLabel: '(L(t) − L_S) / λ_j',
      series: curve.map(({ t, y }, k) => ({ name: `${k + 2} layers`, mark: 'line' as const, x: t, y })),
    },
  }
}

const collapse: Claim = {
  id: 'collapse-to-same-rank',
  topic,
  statement:
    'The theorem for deep linear networks follows from the one for a single hidden layer, because the product of the layers can be collapsed to a shallow network of the same function and rank.',
  source: { text: 'popular argument', place: 'against the proof of Kawaguchi 2016' },
  experiment:
    'Widths 2-2-2-2 on X = I, Y = [[2, 1], [1, 1]]: the deep network and its collapse at the same function, two points; gradients and spectra side by side.',
  expected: 'false',
  remark: 'Functions and ranks carry over, critical points and Hessians do not.',
  estimateSeconds: 1,
  run: collapseFinding,
}

async function collapseFinding({ progress }: ClaimContext): Promise<ClaimFinding> {
  const problem = workedExample([2, 2, 2, 2])
  const first = collapseProduct(problem, criticalPoint(problem, [1]), 1)
  const z = zeroBlocks(problem, 1)
  z[2].data[0] = 1
  const second = collapseProduct(problem, criticalPoint(problem, [1], { z }), 2)
  progress(1, 1)
  const measurements = [
    near(
      'first point: loss of the deep minus loss of the shallow network',
      first.deep.loss - first.shallow.loss,
      0,
      1e-14,
    ),
    near('first point: rank, deep', first.deep.rank, 1, 0),
    near('first point: rank, shallow', first.shallow.rank, 1, 0),
    near('first point: negative eigenvalues, deep', first.deep.spectrum.inertia.negative, 0, 0),
    near('first point: negative eigenvalues, shallow', first.shallow.spectrum.inertia.negative, 1, 0),
    atMost('second point: relative gradient, deep', second.deep.relativeGradient, 1e-12),
    atLeast('second point: relative gradient, shallow', second.shallow.relativeGradient, 1e-3),
  ]
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary:
      'A non-strict saddle of the deep network collapses to a strict one of the shallow network (0 against 1 negative eigenvalues), and a critical point of the deep network to a point that is not critical, at equal function and rank.',
    measurements,
    figure: {
      title: 'Hessian eigenvalues at one function: deep and collapsed',
      xLabel: 'position',
      yLabel: 'eigenvalue',
      series: [first.deep, first.shallow].map((network) => ({
        name: network.widths.join('-'),
        mark: 'points' as const,
        x: Array.from(network.spectrum.eigenvalues, (_, i) => (i + 0.5) / network.spectrum.eigenvalues.length),
        y: [...network.spectrum.eigenvalues],
      })),
      levels: [{ label: 'zero', value: 0 }],
    },
  }
}

export const saddleClaims: readonly Claim[] = [
  everySaddleStrict,
  moreThanThree,
  shallowStrict,
  fullRankSaddles,
  inertia,
  escapeCurves,
  collapse,
]
