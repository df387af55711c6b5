import { matmul, matmulTransposedLeft, matrixFromRows, qr, transpose } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import {
  linearProblem,
  linearReport,
  manyDescents,
  randomMember,
  representatives,
  topClasses,
} from '../../theory/linear/index.ts'
import type { Descent, LinearProblem } from '../../theory/linear/index.ts'
import { linearSpectrum } from '../../theory/linear/linear-spectrum.ts'
import { randomProblem } from '../../theory/linear/random-problem.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { gaussianMatrix, poorLocalMinima, topic, workedExample } from './source.ts'

// Well-conditioned, so that 20 000 steps are enough; the loss is at its rounding error then.
const x = matrixFromRows([
  [2, 0, 1, 0],
  [0, 2, 0, 1],
  [-1, 0, 2, 0],
])
const y = matrixFromRows([
  [4, 1, 0, 0],
  [1, -3, 1, 1],
  [0, 1, 2, -1],
])

/** Descents of a problem one by one, so that progress is true and a stop is heard. */
function descend(
  problem: LinearProblem,
  { seed, throwIfStopped }: ClaimContext,
  options: { runs: number; steps: number; stepSize: number },
  done: () => void,
): Descent[] {
  return Array.from({ length: options.runs }, (_, i) => {
    throwIfStopped()
    const { descents } = manyDescents(problem, { ...options, runs: 1, seed: seed + i, standardDeviation: 0.7 })
    done()
    return descents[0]
  })
}

const noBadMinima: Claim = {
  id: 'A-2',
  topic,
  statement:
    'Every local minimum of a deep linear network under squared loss is global, with the value ½(‖Y‖² − Σ_{i ≤ min(p, d_y)} λ_i); gradient descent from random weights ends there.',
  source: poorLocalMinima('Theorem 2.3 (ii)'),
  experiment:
    'X 3 × 4, Y 3 × 4, widths 3-2-3, 3-2-2-3 and 3-3-2-3-3: 20 random starts each, 20 000 steps of gradient descent of length 2e−3.',
  expected: 'holds',
  remark:
    'Claim 0.3 of the popular ones. Under A1–A3; Lu and Kawaguchi 2017 need less. The minimum here is not zero: rank 2 cannot fit Y.',
  estimateSeconds: 15,
  run: noBadMinimaFinding,
}

async function noBadMinimaFinding(context: ClaimContext): Promise<ClaimFinding> {
  const architectures = [
    [3, 2, 3],
    [3, 2, 2, 3],
    [3, 3, 2, 3, 3],
  ]
  let done = 0
  const results = architectures.map((widths) => {
    const problem = linearProblem(x, y, widths)
    const descents = descend(problem, context, { runs: 20, steps: 20_000, stepSize: 2e-3 }, () =>
      context.progress(++done, 60),
    )
    return { widths, problem, descents }
  })
  const measurements = results.map(({ widths, descents }) =>
    atMost(
      `${widths.join('-')}: largest |loss − L*| of 20 runs`,
      Math.max(...descents.map((d) => Math.abs(d.gap))),
      1e-8,
    ),
  )
  const { globalMinimum } = results[0].problem
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All 60 runs end at the closed form ${globalMinimum.toPrecision(10)}, the worst ${Math.max(...results.flatMap((r) => r.descents.map((d) => Math.abs(d.gap)))).toExponential(1)} away.`,
    measurements,
    figure: {
      title: 'Distance of the final loss to the closed form',
      xLabel: 'run',
      yLabel: '|loss − L*|',
      yScale: 'log',
      series: results.map(({ widths, descents }) => ({
        name: widths.join('-'),
        mark: 'points' as const,
        x: descents.map((_, i) => i + 1),
        y: descents.map(({ gap }) => Math.max(1e-17, Math.abs(gap))),
      })),
      levels: [{ label: 'tolerance', value: 1e-8 }],
    },
  }
}

const fewerAssumptions: Claim = {
  id: 'Lu-Kawaguchi',
  topic,
  statement:
    'All local minima of a deep linear network are global if X and Y have full row rank, without d_y ≤ d_x and without distinct eigenvalues of Σ.',
  source: { text: 'Lu and Kawaguchi 2017', place: 'main theorem', reference: 'arXiv:1702.08580' },
  experiment:
    'Three problems that violate A2 or A3: Σ with eigenvalues 4, 4, 1 (widths 3-2-3, bottleneck inside the repeated pair: 3-1-3), and d_y = 4 > d_x = 2 (2-2-4, 2-3-1-4): 10 random starts each, 15 000 steps.',
  expected: 'holds',
  estimateSeconds: 12,
  run: fewerAssumptionsFinding,
}

async function fewerAssumptionsFinding(context: ClaimContext): Promise<ClaimFinding> {
  const basis = matrixFromRows([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ])
  const repeated = matrixFromRows([
    [2, 0, 0],
    [0, 2, 0],
    [0, 0, 1],
  ])
  // Orthonormal factors, so that every seed gives a well-conditioned problem: Y = V diag(3, 1.5) X + noise.
  const wideX = transpose(qr(gaussianMatrix(8, 2, context.seed, 'inputs of tall targets')).q)
  const signal = matmulTransposedLeft(
    matrixFromRows([
      [3, 0],
      [0, 1.5],
    ]),
    wideX,
  )
  const noise = gaussianMatrix(4, 8, context.seed, 'noise of tall targets')
  const tall = matmul(qr(gaussianMatrix(4, 2, context.seed, 'tall map')).q, signal)
  const wideY = { ...tall, data: tall.data.map((v, i) => v + 0.1 * noise.data[i]) }
  const problems = [
    linearProblem(basis, repeated, [3, 2, 3]),
    linearProblem(basis, repeated, [3, 1, 3]),
    linearProblem(wideX, wideY, [2, 2, 4]),
    linearProblem(wideX, wideY, [2, 3, 1, 4]),
  ]
  let done = 0
  const results = problems.map((problem) => ({
    problem,
    descents: descend(problem, context, { runs: 10, steps: 15_000, stepSize: 1e-2 }, () =>
      context.progress(++done, 40),
    ),
  }))
  const name = ({ widths, assumptions }: LinearProblem): string =>
    `${widths.join('-')} (${assumptions.outputsAtMostInputs.holds ? 'A3' : 'A2'} violated)`
  const measurements = results.map(({ problem, descents }) =>
    atMost(`${name(problem)}: largest |loss − L*|`, Math.max(...descents.map((d) => Math.abs(d.gap))), 1e-8),
  )
  const violated = problems.filter(({ assumptions }) => !assumptions.hold).length
  measurements.push(near('problems outside A1–A3', violated, 4, 0))
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Outside A2 and A3 all 40 runs end at the closed-form minimum, within ${Math.max(...results.flatMap((r) => r.descents.map((d) => Math.abs(d.gap)))).toExponential(1)}.`,
    measurements,
    figure: {
      title: 'Distance to the closed form where A2 or A3 fails',
      xLabel: 'run',
      yLabel: '|loss − L*|',
      yScale: 'log',
      series: results.map(({ problem, descents }) => ({
        name: name(problem),
        mark: 'points' as const,
        x: descents.map((_, i) => i + 1),
        y: descents.map(({ gap }) => Math.max(1e-17, Math.abs(gap))),
      })),
    },
  }
}

const positiveDefinite: Claim = {
  id: '0.7',
  topic,
  statement: 'At a local minimum all eigenvalues of the Hessian are positive.',
  source: { text: 'popular accounts' },
  experiment:
    'Global minima (canonical and two random ones each) of linear networks of five architectures: number of zero eigenvalues against the count p − p̂(d_x + d_y − p̂).',
  expected: 'false',
  remark:
    'Only ≥ 0. The symmetry of each hidden layer (an invertible matrix between two layers changes nothing) makes whole manifolds of minima.',
  estimateSeconds: 1,
  run: positiveDefiniteFinding,
}

async function positiveDefiniteFinding({ progress, seed }: ClaimContext): Promise<ClaimFinding> {
  const architectures = [
    [2, 2, 2],
    [3, 2, 2],
    [3, 1, 2],
    [3, 2, 2, 3],
    [3, 3, 2, 3, 3],
  ]
  const measurements: ClaimMeasurement[] = []
  const zeros: number[] = []
  architectures.forEach((widths, index) => {
    const problem = randomProblem(widths, seed + index)
    const { subset, rank } = topClasses(problem).at(-1)!
    const flat = problem.parameterCount - rank * (widths[0] + widths[widths.length - 1] - rank)
    const points = [
      representatives(problem, subset)[0].weights,
      ...[1, 2].map((i) => randomMember(problem, subset, randomStream(seed, 'minimum', 10 * index + i)).weights),
    ]
    const counts = points.map((weights) => linearSpectrum(problem, weights).inertia)
    zeros.push(counts[0].zero)
    const name = widths.join('-')
    measurements.push(
      ...counts
        .slice(0, 1)
        .map(({ zero }) => near(`${name}: zero eigenvalues of ${problem.parameterCount}`, zero, flat, 0)),
      atMost(
        `${name}: largest deviation of that count, random minima`,
        Math.max(...counts.map((c) => Math.abs(c.zero - flat))),
        0,
      ),
      atMost(`${name}: negative eigenvalues`, Math.max(...counts.map((c) => c.negative)), 0),
    )
    progress(index + 1, architectures.length)
  })
  measurements.push(atLeast('fewest zero eigenvalues at a minimum', Math.min(...zeros), 1))
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `Global minima of five architectures have ${zeros.join(', ')} zero eigenvalues, exactly as the symmetry count says.`,
    measurements,
    figure: {
      title: 'Zero eigenvalues at global minima',
      xLabel: 'architecture',
      yLabel: 'zero eigenvalues',
      series: [
        {
          name: architectures.map((w) => w.join('-')).join(', '),
          mark: 'bars',
          x: architectures.map((_, i) => i + 1),
          y: zeros,
        },
      ],
    },
  }
}

const workedTable: Claim = {
  id: 'A-1',
  topic,
  statement:
    'The critical points of a deep linear network form classes S of eigenvectors of Σ with the loss ½(‖Y‖² − Σ_{i∈S} λ_i); kind and inertia follow from S and the blocks Z.',
  source: {
    text: 'Kawaguchi 2016; Achour, Malgouyres, Gerchinovitz 2024',
    place: 'Theorem 2.3; global minimizers in the latter',
    reference: 'arXiv:1605.07110, arXiv:2107.13289',
  },
  experiment:
    'X = I, Y = [[2, 1], [1, 1]]; widths 2-1-2, 2-2-2, 2-2-2-2, 2-1-1-2: values, kinds, inertia of the canonical points by a dense eigenvalue solver against the table worked out by hand.',
  expected: 'holds',
  remark: 'λ = φ⁴ and φ⁻⁴ with the golden ratio φ.',
  estimateSeconds: 1,
  run: workedFinding,
}

type Row = readonly [widths: readonly number[], subset: readonly number[], inertia: string, smallest: number]
const table: readonly Row[] = [
  [[2, 1, 2], [], '(2, 0, 2)', -2.61803398875],
  [[2, 1, 2], [1], '(0, 1, 3)', 0],
  [[2, 1, 2], [2], '(1, 1, 2)', -2.0796863724],
  [[2, 2, 2], [], '(4, 0, 4)', -2.61803398875],
  [[2, 2, 2], [1], '(1, 3, 4)', -0.38196601125],
  [[2, 2, 2], [2], '(2, 3, 3)', -2.61803398875],
  [[2, 2, 2], [1, 2], '(0, 4, 4)', 0],
  [[2, 2, 2, 2], [], '(0, 12, 0)', 0],
  [[2, 2, 2, 2], [1], '(0, 9, 3)', 0],
  [[2, 2, 2, 2], [2], '(1, 9, 2)', -2.0796863724],
  [[2, 2, 2, 2], [1, 2], '(0, 8, 4)', 0],
  [[2, 1, 1, 2], [], '(0, 5, 0)', 0],
  [[2, 1, 1, 2], [1], '(0, 2, 3)', 0],
  [[2, 1, 1, 2], [2], '(1, 2, 2)', -2.0796863724],
]
const values = new Map([
  ['', 3.5],
  ['1', 0.07294901687515773],
  ['2', 3.427050983124842],
  ['1,2', 0],
])

async function workedFinding({ progress }: ClaimContext): Promise<ClaimFinding> {
  const measurements: ClaimMeasurement[] = []
  const figure: { x: number[]; y: number[] } = { x: [], y: [] }
  table.forEach(([widths, subset, inertia, smallest], index) => {
    const report = linearReport(workedExample(widths))
    const found = report.classes.find((c) => String(c.subset) === String(subset))
    const canonical = found?.representatives.find((r) => r.canonical)
    const name = `${widths.join('-')} {${subset}}`
    const i = canonical?.inertia
    const text = i ? `(${i.negative}, ${i.zero}, ${i.positive})` : 'none'
    measurements.push(
      near(`${name}: loss`, found?.loss ?? Number.NaN, values.get(String(subset)) ?? Number.NaN, 1e-14),
      {
        name: `${name}: inertia (−, 0, +)`,
        measured: text,
        expected: inertia,
        tolerance: 'equal',
        met: text === inertia,
      },
      near(`${name}: smallest eigenvalue`, canonical?.minEigenvalue ?? Number.NaN, smallest, 1e-11),
    )
    figure.x.push(index + 1)
    figure.y.push(found?.loss ?? Number.NaN)
    progress(index + 1, table.length)
  })
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All ${table.length} rows agree: losses to 1e−14, inertia as integers, smallest eigenvalues to 1e−11.`,
    measurements,
    figure: {
      title: 'Losses of the classes of the worked example',
      xLabel: 'row of the table',
      yLabel: 'L_S',
      series: [{ name: 'loss', mark: 'points', ...figure }],
      levels: [...values].map(([subset, value]) => ({ label: `{${subset}}`, value })),
    },
  }
}

export const minimaClaims: readonly Claim[] = [workedTable, noBadMinima, fewerAssumptions, positiveDefinite]
