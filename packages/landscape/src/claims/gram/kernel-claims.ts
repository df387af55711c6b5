import { matrix, matrixFromRows } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { scaledMlp } from '../../model/residual-mlp.ts'
import { randomStream } from '../../random/random-stream.ts'
import { difference, halfSumLoss, spectralNorm } from '../../theory/gram/gram-problem.ts'
import { infiniteKernel } from '../../theory/gram/infinite-kernel.ts'
import { inputRows, unitRows } from '../../theory/gram/kernel-inputs.ts'
import { networkGram } from '../../theory/gram/network-gram.ts'
import { powerLaw } from '../../theory/gram/power-law.ts'
import { smallestEigenvalue } from '../../theory/gram/smallest-eigenvalue.ts'
import type { SmallestEigenvalue } from '../../theory/gram/smallest-eigenvalue.ts'
import { standardKernel } from '../../theory/gram/standard-kernel.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { partCounter } from '../with-losses.ts'
import { eightPoints, firstStart } from './theory-networks.ts'
import { deepGlobalMinima, topic } from './source.ts'

async function lambdaOf(x: Matrix, activation: string, depth: number): Promise<SmallestEigenvalue> {
  const { gram, errors } = infiniteKernel(x, { architecture: 'fc', depth, activation, layers: false })
  return smallestEigenvalue(gram, errors.gram)
}

/** Two vectors at an angle and two more. */
function pairAt(angle: number): Matrix {
  return matrixFromRows([
    [1, 0, 0],
    [Math.cos(angle), Math.sin(angle), 0],
    [0, 0, 1],
  ])
}

/** Propositions F.1 and F.2. */
const positiveDefinite: Claim = {
  id: 'du-positive-definite',
  topic,
  statement:
    'λ_min(K⁽ᴴ⁾) > 0 for every data set in which no two inputs are parallel, if the activation is analytic and no polynomial.',
  source: deepGlobalMinima('Propositions F.1 and F.2'),
  experiment:
    'Softplus, tanh and erf, plain networks of depth 1, 2 and 3 on 10 draws of 12 unit vectors in 4 dimensions; a pair at angles from 1 to 10⁻⁴; a repeated input; an opposite pair under softplus, erf and ReLU.',
  expected: 'holds',
  remark:
    'A nearly parallel pair makes λ_min as small as the square of its angle (ReLU: the angle). Opposite inputs are fatal only to odd and even activations: not being parallel is sufficient, not necessary.',
  estimateSeconds: 3,
  run: positiveFinding,
}

async function positiveFinding(context: ClaimContext): Promise<ClaimFinding> {
  const activations = ['softplus', 'tanh', 'erf']
  let certain = 0
  let total = 0
  const done = partCounter(context, 10)
  for (let draw = 0; draw < 10; draw++) {
    const x = unitRows(matrix(12, 4, randomStream(context.seed, 'claims/directions', draw).normals(48)), true)
    for (const activation of activations)
      for (const depth of [1, 2, 3]) {
        const { value, bound } = await lambdaOf(x, activation, depth)
        total++
        if (value > bound) certain++
      }
    done()
  }
  const angles = [1, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4]
  const along = async (activation: string): Promise<number[]> => {
    const values: number[] = []
    for (const angle of angles) values.push((await lambdaOf(pairAt(angle), activation, 1)).value)
    return values
  }
  const [softplus, relu] = [await along('softplus'), await along('relu')]
  const small = angles.slice(2, 6)
  const equal = await lambdaOf(
    matrixFromRows([
      [1, 0],
      [1, 0],
      [0, 1],
    ]),
    'softplus',
    1,
  )
  const opposite = matrixFromRows([
    [1, 0],
    [-1, 0],
    [0.6, 0.8],
  ])
  const measurements: ClaimMeasurement[] = [
    near('cases in which λ_min is positive beyond its error bound, of 90', certain, total, 0),
    atMost('repeated input: |λ_min| over its error bound', Math.abs(equal.value) / equal.bound, 1),
    near('softplus: exponent of λ_min in the angle', powerLaw(small, softplus.slice(2, 6)).exponent, 2, 0.05),
    near('ReLU: exponent of λ_min in the angle', powerLaw(small, relu.slice(2, 6)).exponent, 1, 0.05),
    atLeast('opposite pair, ReLU: λ_min', (await lambdaOf(opposite, 'relu', 1)).value, 0.05),
    atLeast('opposite pair, softplus: λ_min', (await lambdaOf(opposite, 'softplus', 1)).value, 1e-3),
    atMost('opposite pair, erf: λ_min', (await lambdaOf(opposite, 'erf', 1)).value, 1e-14),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `λ_min was positive beyond its error in ${certain} of ${total} cases, and zero within it where an input was repeated.`,
    measurements,
    figure: {
      title: 'Smallest eigenvalue against the angle of the closest pair',
      xLabel: 'angle in radians',
      yLabel: 'λ_min(K⁽¹⁾)',
      xScale: 'log',
      yScale: 'log',
      series: [
        { name: 'softplus', mark: 'line', x: angles, y: softplus },
        { name: 'ReLU', mark: 'line', x: angles, y: relu },
      ],
    },
  }
}

interface DualFormulas {
  readonly product: (s: number, t: number, c: number) => number
  readonly slopes: (s: number, t: number, c: number) => number
}

/** Cho and Saul 2009; Williams 1997: written out here, apart from the code that is tested. */
const formulas: Readonly<Record<string, DualFormulas>> = {
  relu: {
    product: (s, t, c) => {
      const rho = Math.min(1, Math.max(-1, c / Math.sqrt(s * t)))
      return (Math.sqrt(s * t) / (2 * Math.PI)) * (Math.sqrt(1 - rho * rho) + rho * (Math.PI - Math.acos(rho)))
    },
    slopes: (s, t, c) => (Math.PI - Math.acos(Math.min(1, Math.max(-1, c / Math.sqrt(s * t))))) / (2 * Math.PI),
  },
  erf: {
    product: (s, t, c) => (2 / Math.PI) * Math.asin((2 * c) / Math.sqrt((1 + 2 * s) * (1 + 2 * t))),
    slopes: (s, t, c) => 4 / Math.PI / Math.sqrt((1 + 2 * s) * (1 + 2 * t) - 4 * c * c),
  },
}

/** NNGP and NTK of one pair by the textbook recursion: Σ ← σ_w² E σσ + σ_b², Θ ← Σ' + σ_w² Θ E σ'σ'. */
function pairKernels(
  x: Float64Array,
  y: Float64Array,
  depth: number,
  wVar: number,
  bVar: number,
  name: string,
): number[] {
  const { product, slopes } = formulas[name]
  const inner = (u: Float64Array, v: Float64Array): number =>
    (wVar * u.reduce((sum, value, i) => sum + value * v[i], 0)) / u.length + bVar
  let [s, t, c] = [inner(x, x), inner(y, y), inner(x, y)]
  let theta = c
  for (let h = 0; h < depth; h++) {
    const slope = wVar * slopes(s, t, c)
    const next = [product(s, s, s), product(t, t, t), product(s, t, c)].map((value) => wVar * value + bVar)
    theta = next[2] + slope * theta
    ;[s, t, c] = next
  }
  return [c, theta]
}

/** Closed forms of NNGP and NTK in the usual parametrization. */
const closedForms: Claim = {
  id: 'kernel-closed-forms',
  topic,
  statement:
    'The kernels of infinitely wide networks (NNGP and NTK) have closed forms for ReLU and erf, by recursion over layers.',
  source: { text: 'Cho & Saul 2009; Williams 1997; Lee et al. 2018; Jacot et al. 2018', reference: 'arXiv:1806.07572' },
  experiment:
    'NNGP and NTK of 30 normal inputs of 8 dimensions, σ_w² = 1.7, σ_b² = 0.1, depth 1 … 10, against the recursion written out; Θ(x, x) = H + 1 for ReLU with c_σ scaling and unit inputs.',
  expected: 'holds',
  estimateSeconds: 2,
  run: async ({ seed, progress }) => {
    const n = 30
    const x = matrix(n, 8, randomStream(seed, 'claims/kernel inputs').normals(n * 8))
    const depths = [1, 2, 3, 5, 10]
    const errors: Record<string, number[]> = { relu: [], erf: [] }
    depths.forEach((depth, at) => {
      for (const name of ['relu', 'erf']) errors[name].push(closedFormError(x, depth, name))
      progress(at + 1, depths.length)
    })
    const unit = unitRows(x, true)
    const { tangent } = infiniteKernel(unit, { architecture: 'fc', depth: 5, activation: 'relu', layers: false })
    const measurements = [
      atMost('ReLU: largest relative error of an entry', Math.max(...errors['relu']), 1e-12),
      atMost('erf: largest relative error of an entry', Math.max(...errors['erf']), 1e-12),
      near('Θ(x, x) at depth 5', tangent.data[0], 6, 1e-12),
    ]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `Kernels agree with the recursions to ${Math.max(...errors['relu'], ...errors['erf']).toExponential(0)}.`,
      measurements,
      figure: {
        title: 'Error of the kernels over depth',
        xLabel: 'hidden layers',
        yLabel: 'largest relative error',
        yScale: 'log',
        series: [
          { name: 'ReLU', mark: 'line', x: depths, y: errors['relu'] },
          { name: 'erf', mark: 'line', x: depths, y: errors['erf'] },
        ],
      },
    }
  },
}

function closedFormError(x: Matrix, depth: number, activation: string): number {
  const { nngp, ntk } = standardKernel(x, { depth, activation, weightVariance: 1.7, biasVariance: 0.1 })
  let worst = 0
  for (let i = 0; i < x.rows; i++)
    for (let j = 0; j < x.rows; j++) {
      const rows = [i, j].map((row) => x.data.subarray(row * x.cols, (row + 1) * x.cols))
      const [c, theta] = pairKernels(rows[0], rows[1], depth, 1.7, 0.1, activation)
      const at = i * x.rows + j
      const scale = Math.sqrt(ntk.data[i * x.rows + i] * ntk.data[j * x.rows + j])
      // the textbook angle of equal vectors loses half of its digits: compare it off the diagonal
      if (i !== j) worst = Math.max(worst, Math.abs(nngp.data[at] - c) / scale, Math.abs(ntk.data[at] - theta) / scale)
    }
  return worst
}

const monteCarloWidths = [64, 192, 512]
const networks = 20

/** The tangent kernel of a finite network tends to that of the limit. */
const tangentLimit: Claim = {
  id: 'ntk-limit',
  topic,
  statement: 'At a random start the tangent kernel J Jᵀ of a wide network tends to a deterministic limit.',
  source: { text: 'Jacot, Gabriel, Hongler 2018', place: 'Theorem 1', reference: 'arXiv:1806.07572' },
  experiment: `J Jᵀ by automatic differentiation, ${networks} plain networks of depth 2 for each width of ${monteCarloWidths.join(', ')}, ReLU and softplus, 8 unit vectors: mean distance of one kernel from the limit, and distance of the mean kernel.`,
  expected: 'holds',
  estimateSeconds: 20,
  run: tangentFinding,
}

async function tangentFinding(context: ClaimContext): Promise<ClaimFinding> {
  const activations = ['relu', 'softplus'] as const
  const done = partCounter(context, activations.length * monteCarloWidths.length)
  const measurements: ClaimMeasurement[] = []
  const series: ClaimFinding['figure']['series'][number][] = []
  for (const activation of activations) {
    const single: number[] = []
    let ofMean = 0
    for (const width of monteCarloWidths) {
      const found = await tangentDistances(context, activation, width)
      single.push(found.single)
      ofMean = found.ofMean
      done()
    }
    const law = powerLaw(monteCarloWidths, single)
    measurements.push(
      near(`${activation}: exponent of the distance`, law.exponent, -0.5, 0.12),
      atMost(
        `${activation}: distance of the mean over that of one, m = ${monteCarloWidths.at(-1)}`,
        ofMean / single.at(-1)!,
        0.5,
      ),
    )
    series.push({ name: activation, mark: 'line', x: monteCarloWidths, y: single })
  }
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `The distance of one kernel from the limit falls with exponents ${measurements
      .filter((_, i) => i % 2 === 0)
      .map(({ measured }) => Number(measured).toFixed(2))
      .join(' and ')}; the mean over networks lies closer.`,
    measurements,
    figure: {
      title: 'Distance of the tangent kernel from its limit',
      xLabel: 'width m',
      yLabel: '‖J Jᵀ − Θ‖ / ‖Θ‖',
      xScale: 'log',
      yScale: 'log',
      series,
    },
  }
}

async function tangentDistances(
  { engine, seed }: ClaimContext,
  activation: 'relu' | 'softplus',
  width: number,
): Promise<{ single: number; ofMean: number }> {
  const dataset = eightPoints(seed)
  const { tangent } = infiniteKernel(inputRows(dataset), { architecture: 'fc', depth: 2, activation, layers: false })
  const scale = spectralNorm(tangent)
  const model = scaledMlp({ depth: 2, width, inputs: 6, activation })
  const loss = halfSumLoss(engine, model, dataset)
  const mean = { ...tangent, data: new Float64Array(tangent.data.length) }
  let single = 0
  try {
    for (let network = 0; network < networks; network++) {
      const { total } = await networkGram(loss, model.initialize(firstStart(seed) + network))
      single += spectralNorm(difference(total, tangent)) / scale / networks
      total.data.forEach((value, at) => {
        mean.data[at] += value / networks
      })
    }
  } finally {
    await loss.dispose()
  }
  return { single, ofMean: spectralNorm(difference(mean, tangent)) / scale }
}

export const kernelClaims: readonly Claim[] = [positiveDefinite, closedForms, tangentLimit]
