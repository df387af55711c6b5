import { unitSphere } from '../../data/unit-sphere.ts'
import { matrix } from '../../linalg/matrix.ts'
import { norm } from '../../linalg/vector.ts'
import { scaledMlp } from '../../model/residual-mlp.ts'
import { randomStream } from '../../random/random-stream.ts'
import { predictedBound } from '../../theory/gram/convergence-theorem.ts'
import { kernelOfModel } from '../../theory/gram/gram-problem.ts'
import { inputRows } from '../../theory/gram/kernel-inputs.ts'
import { labelComparison } from '../../theory/gram/label-comparison.ts'
import type { LabelRun } from '../../theory/gram/label-comparison.ts'
import { smallestEigenvalue } from '../../theory/gram/smallest-eigenvalue.ts'
import { allMet, atLeast, atMost } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { firstStart, places } from './theory-networks.ts'
import { deepGlobalMinima, topic } from './source.ts'

const samples = 24
const dimension = 10

interface LabelStudy {
  readonly runs: readonly LabelRun[]
  /** λ_min(K), the same for all labels. */
  readonly lambda: number
}

/** One network and one start on a teacher's labels and on random ones, all of norm √n. */
async function study({ engine, seed }: ClaimContext, width: number, steps: number): Promise<LabelStudy> {
  const dataset = unitSphere({ samples, dimension, seed })
  const x = inputRows(dataset)
  const model = scaledMlp({ depth: 1, width, inputs: dimension })
  const direction = randomStream(seed, 'claims/label teacher').normals(dimension)
  const teacher = Float64Array.from({ length: samples }, (_, i) =>
    direction.reduce((sum, value, j) => sum + value * x.data[i * dimension + j], 0),
  )
  const size = Math.sqrt(samples) / norm(teacher)
  const labels: Record<string, Float64Array> = { 'linear teacher': teacher.map((value) => size * value) }
  for (let k = 1; k <= 4; k++)
    labels[`random ±1, ${k}`] = randomStream(seed, 'claims/random labels', k).rademacher(samples)
  const runs = await labelComparison({ engine, model, dataset, labels, steps, seed: firstStart(seed) })
  const { gram, errors } = kernelOfModel(model, dataset)
  return { runs, lambda: (await smallestEigenvalue(gram, errors.gram)).value }
}

const setting = (width: number, steps: number): string =>
  `n = ${samples} unit vectors in ${dimension} dimensions, one hidden layer of ${width} softplus units, one start; a linear teacher and four draws of random ±1 labels, all of norm √n; ${steps} steps with η = 1/λ_max(G(0)).`

function violationsOf({ losses, stepSize }: LabelRun, lambda: number): number {
  return losses.filter((value, k) => value > predictedBound(losses[0], stepSize, lambda, k) * (1 + 1e-12)).length
}

function lossFigure(title: string, runs: readonly LabelRun[]): ClaimFinding['figure'] {
  return {
    title,
    xLabel: 'step k',
    yLabel: 'L(θ(k)) / L(θ(0))',
    yScale: 'log',
    series: runs.map(({ name, losses }) => {
      const x = places(losses.length)
      return { name, mark: 'line', x, y: x.map((k) => losses[k] / losses[0]) }
    }),
  }
}

const longSteps = 6000

/** 0.13 */
const anyLabels: Claim = {
  id: '0.13',
  topic,
  statement: 'The labels do not matter for reaching zero training loss: wide networks fit random labels as well.',
  source: deepGlobalMinima('Section 1 and Theorem 5.1; Zhang et al. 2016'),
  experiment: setting(512, longSteps),
  expected: 'holds',
  remark:
    'λ_min(K) depends on the inputs only, and it alone enters the rate. How long it takes does depend on the labels: see B-7.',
  estimateSeconds: 10,
  run: async (context) => {
    const { runs, lambda } = await study(context, 512, longSteps)
    const measurements: ClaimMeasurement[] = [
      { name: 'λ_min(K), for all labels', measured: lambda },
      ...runs.flatMap((run) => [
        atMost(`${run.name}: L(${longSteps})/L(0)`, run.finalLoss / run.initialLoss, 1e-4),
        atMost(`${run.name}: steps above the bound`, violationsOf(run, lambda), 0),
      ]),
    ]
    const worst = Math.max(...runs.map(({ finalLoss, initialLoss }) => finalLoss / initialLoss))
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `After ${longSteps} steps every loss, of true and of random labels, is below ${worst.toExponential(1)} of its start and still falling geometrically.`,
      measurements,
      figure: lossFigure('True and random labels', runs),
    }
  },
}

const wideWidth = 4096
const shortSteps = 1600

/** B-7 */
const spectralContent: Claim = {
  id: 'B-7',
  topic,
  statement:
    'Random labels are learned more slowly than true ones only because of their spectral content: more of y − u(0) lies in eigenvectors of the Gram matrix with small eigenvalues.',
  source: {
    text: 'Zhang et al. 2016; Arora, Du, Hu, Li, Wang 2019',
    place: 'Theorem 4.1 of the latter',
    reference: 'arXiv:1901.08584',
  },
  experiment: `${setting(wideWidth, shortSteps)} Steps until the loss is 1 % of its start, measured and predicted from the spectrum of G(0) alone.`,
  expected: 'holds',
  remark:
    'Exact in the limit of infinite width. At width 512 the kernel changes enough in training to learn random labels about a third faster than the spectrum of the start predicts.',
  estimateSeconds: 15,
  run: async (context) => {
    const { runs } = await study(context, wideWidth, shortSteps)
    const [teacher, ...random] = runs
    const known = (value: number | null): number => value ?? Number.NaN
    const slowest = Math.min(...random.map(({ stepsToTarget }) => known(stepsToTarget)))
    const measurements: ClaimMeasurement[] = [
      ...runs.map((run) =>
        atMost(
          `${run.name}: |measured/predicted steps − 1| (${known(run.stepsToTarget)} against ${known(run.predictedSteps)})`,
          Math.abs(known(run.stepsToTarget) / known(run.predictedSteps) - 1),
          0.15,
        ),
      ),
      atLeast(
        'steps of the fastest random labels over those of the teacher',
        slowest / known(teacher.stepsToTarget),
        1,
      ),
      atLeast(
        'share of ‖y − u(0)‖² in the upper half of the spectrum: teacher minus mean of random',
        teacher.fastShare - random.reduce((sum, { fastShare }) => sum + fastShare, 0) / random.length,
        0,
      ),
    ]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `The teacher’s labels take ${known(teacher.stepsToTarget)} steps, random ones ${random.map(({ stepsToTarget }) => known(stepsToTarget)).join(', ')}; the spectrum of G(0) predicts ${runs.map(({ predictedSteps }) => known(predictedSteps)).join(', ')}.`,
      measurements,
      figure: lossFigure('Time depends on the spectral content of the labels', runs),
    }
  },
}

/** Zhang et al.: any labels are fit exactly by 2n + d weights. */
const expressivity: Claim = {
  id: 'zhang-expressivity',
  topic,
  statement:
    'A two-layer ReLU network with 2n + d weights represents any labels on any n distinct inputs of d dimensions exactly.',
  source: { text: 'Zhang, Bengio, Hardt, Recht, Vinyals 2016', place: 'Theorem 1', reference: 'arXiv:1611.03530' },
  experiment:
    'The construction, carried out: project on a random direction, put kinks between the sorted projections, solve the triangular system. n = 12 … 200 normal inputs of 5 dimensions, normal labels, 20 draws each.',
  expected: 'holds',
  remark:
    'Exact in real arithmetic; in float64 the error grows with n as projections come close. Says nothing about what training finds.',
  estimateSeconds: 1,
  run: async ({ seed, progress }) => {
    const counts = [12, 25, 50, 100, 200]
    const errors = counts.map((n, i) => {
      const draws = Array.from({ length: 20 }, (_, draw) => fitError(n, 5, seed, draw))
      progress(i + 1, counts.length)
      return draws
    })
    const worst = errors.map((values) => Math.max(...values))
    const measurements = [
      atMost('largest error, n = 12', worst[0], 1e-9),
      atMost('largest error, n = 200', worst[4], 1e-4),
    ]
    return {
      outcome: allMet(measurements) ? 'holds' : 'false',
      summary: `All labels were met: the largest error of 20 draws is ${worst[0].toExponential(0)} at n = 12 and ${worst[4].toExponential(0)} at n = 200.`,
      measurements,
      figure: {
        title: 'Error of the network with 2n + d weights',
        xLabel: 'samples n',
        yLabel: 'largest |c(x_i) − y_i|',
        xScale: 'log',
        yScale: 'log',
        series: [
          { name: 'largest of 20 draws', mark: 'line', x: counts, y: worst },
          { name: 'median', mark: 'line', x: counts, y: errors.map((values) => values.toSorted((a, b) => a - b)[10]) },
        ],
      },
    }
  },
}

/** c(x) = Σ_j w_j relu(aᵀx − b_j) with b_1 < aᵀx_1 < b_2 < …; the weights by forward substitution. */
function fitError(n: number, d: number, seed: number, draw: number): number {
  const stream = randomStream(seed, 'claims/expressivity', 1000 * n + draw)
  const x = matrix(n, d, stream.normals(n * d))
  const a = stream.normals(d)
  const y = stream.normals(n)
  const projections = Float64Array.from({ length: n }, (_, i) =>
    a.reduce((sum, value, j) => sum + value * x.data[i * d + j], 0),
  )
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => projections[i] - projections[j])
  const z = order.map((i) => projections[i])
  const kinks = z.map((value, i) => (i === 0 ? value - 1 : (value + z[i - 1]) / 2))
  const network = (value: number, weights: readonly number[]): number =>
    weights.reduce((sum, weight, j) => sum + weight * Math.max(0, value - kinks[j]), 0)
  const weights: number[] = []
  for (let i = 0; i < n; i++) weights.push((y[order[i]] - network(z[i], weights)) / (z[i] - kinks[i]))
  return Math.max(...z.map((value, i) => Math.abs(network(value, weights) - y[order[i]])))
}

export const labelClaims: readonly Claim[] = [anyLabels, spectralContent, expressivity]
