import { hessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import { objectiveOf } from '../../critical/finders/objective.ts'
import { polish } from '../../critical/finders/polish.ts'
import { symmetryOrbit } from '../../critical/evidence/symmetry-orbit.ts'
import { teacherStudent } from '../../data/teacher-student.ts'
import { mlp } from '../../model/mlp.ts'
import { lbfgs } from '../../train/lbfgs-stepper.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, near } from '../claim.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { saddlesTopic as topic } from './source.ts'

interface FlatMinimum {
  readonly name: string
  readonly loss: number
  readonly gradientNorm: number
  /** Relative to the largest, ascending. */
  readonly eigenvalues: readonly number[]
  readonly zero: number
  readonly negative: number
  /** Dimensions that exact symmetries of the loss explain. */
  readonly symmetry: number
}

interface MinimumPlan {
  readonly name: string
  readonly activation: 'relu' | 'tanh'
  readonly samples: number
  readonly weightDecay: number
}

/** Networks 3-6-1 (31 parameters): fewer samples than parameters, ReLU and tanh; and a ridge. */
const plans: readonly MinimumPlan[] = [
  { name: 'ReLU, 12 samples, interpolating', activation: 'relu', samples: 12, weightDecay: 0 },
  { name: 'tanh, 12 samples, interpolating', activation: 'tanh', samples: 12, weightDecay: 0 },
  { name: 'tanh, 100 samples, weight decay', activation: 'tanh', samples: 100, weightDecay: 1e-2 },
]

const zeroCut = 1e-8

function minimumOf(context: ClaimContext, plan: MinimumPlan, attempt: number): Promise<FlatMinimum> {
  return withLosses(context, async (make) => {
    const { name, activation, samples, weightDecay } = plan
    const dataset = teacherStudent({
      ...{ samples, inputs: 3, hidden: 3, outputs: 1, activation, noise: samples > 12 ? 0.1 : 0 },
      seed: context.seed,
    })
    const model = mlp({ widths: [3, 6, 1], activation })
    const loss = make(model, dataset, { name: 'mse', reduction: 'mean' }, { weightDecay })
    const descent = await train({ loss, optimizer: lbfgs(), steps: 600, seed: 100 * context.seed + attempt })
    const objective = objectiveOf(loss)
    const { theta, value, gradientNorm } = await polish(objective, descent.theta)
    const { values, size, norm } = await hessianSpectrum(objective.at(theta).hessian)
    const orbit = symmetryOrbit(loss, theta, null)
    return {
      ...{ name, loss: value, gradientNorm, symmetry: orbit.dimension },
      eigenvalues: Array.from(values, (v) => v / values[size - 1]),
      zero: values.filter((v) => Math.abs(v) <= zeroCut * norm).length,
      negative: values.filter((v) => v < -zeroCut * norm).length,
    }
  })
}

async function runFlatMinima(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, plans.length)
  const found: FlatMinimum[] = []
  for (const plan of plans) {
    let end = await minimumOf(context, plan, 0)
    // a descent may stop at a kink or a saddle: another start is another experiment on the same statement
    for (let attempt = 1; attempt < 8 && !isMinimum(end); attempt++) end = await minimumOf(context, plan, attempt)
    found.push(end)
    part()
  }
  const [relu, interpolating, ridge] = found
  const measurements = [
    ...found.map((end) => ({
      name: `a minimum: ${end.name}`,
      measured: isMinimum(end) ? 'yes' : 'no',
      expected: 'yes',
      met: isMinimum(end),
    })),
    atLeast('zero eigenvalues, ReLU, 12 samples (31 parameters: 31 − 12)', relu.zero, 19),
    atLeast('dimensions of exact symmetry at the ReLU minimum (6 rescalings)', relu.symmetry, 6),
    atLeast('zero eigenvalues, tanh, 12 samples (31 parameters: 31 − 12)', interpolating.zero, 19),
    near('zero eigenvalues, tanh with weight decay', ridge.zero, 0, 0),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Of 31 eigenvalues ${relu.zero} are zero at a minimum of the ReLU network (at least ${relu.symmetry} by symmetry) and ${interpolating.zero} of the tanh network, both interpolating 12 samples; weight decay leaves ${ridge.zero}.`,
    measurements,
    figure: {
      title: 'Hessian eigenvalues at minima of networks 3-6-1',
      xLabel: 'eigenvalue number, ascending',
      yLabel: 'eigenvalue over the largest',
      yScale: 'log',
      series: found.map(({ name, eigenvalues }) => ({
        name,
        mark: 'points' as const,
        x: eigenvalues.map((_, i) => i + 1),
        y: eigenvalues.map((v) => Math.max(Math.abs(v), 1e-18)),
      })),
    },
  }
}

function isMinimum({ negative, gradientNorm }: FlatMinimum): boolean {
  return negative === 0 && gradientNorm < 1e-8
}

export const flatnessClaims: readonly Claim[] = [
  {
    id: 'flat-minima',
    topic,
    statement:
      'Minima of networks are flat: zero eigenvalues come with every ReLU unit and with every parameter beyond the samples.',
    source: { text: 'Sagun et al. 2018; Dinh et al. 2017', reference: 'arXiv:1706.04454; arXiv:1703.04933' },
    experiment:
      'Networks 3-6-1 (31 parameters) fitted to a teacher by L-BFGS and polished: ReLU and tanh on 12 samples, tanh on 100 with weight decay 1e−2; all eigenvalues of the Hessian.',
    expected: 'holds',
    remark: 'Weight decay removes the flat directions: with it the minimum of the tanh network is non-degenerate.',
    estimateSeconds: 0.3,
    run: runFlatMinima,
  },
]
