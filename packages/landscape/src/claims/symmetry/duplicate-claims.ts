import { hessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import { objectiveOf } from '../../critical/finders/objective.ts'
import { polish } from '../../critical/finders/polish.ts'
import { teacherStudent } from '../../data/teacher-student.ts'
import { norm } from '../../linalg/vector.ts'
import { mlp } from '../../model/mlp.ts'
import { lbfgs } from '../../train/lbfgs-stepper.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atMost, near } from '../claim.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { symmetryTopic as topic } from './copy-claims.ts'

const shares = Array.from({ length: 17 }, (_, i) => -0.5 + i / 8)

interface DuplicatePoint {
  readonly share: number
  readonly gradientNorm: number
  readonly lossChange: number
  /** Eigenvalues of the Hessian, ascending. */
  readonly eigenvalues: Float64Array
}

/** θ of the network 2-2-1 in which the only unit (w, b, v) of 2-1-1 stands twice, with outgoing weights μv and (1 − μ)v. */
function duplicated(theta: Float64Array, share: number): Float64Array {
  const [w0, w1, b, v, c] = theta
  return Float64Array.of(w0, w1, w0, w1, b, b, share * v, (1 - share) * v, c)
}

function pointsOnLine(
  context: ClaimContext,
  part: () => void,
): Promise<{ narrowGradient: number; points: DuplicatePoint[] }> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const dataset = teacherStudent({ samples: 60, inputs: 2, hidden: 3, outputs: 1, noise: 0.1, seed })
    const spec = { name: 'mse', reduction: 'mean' } as const
    const narrow = make(mlp({ widths: [2, 1, 1], activation: 'tanh' }), dataset, spec)
    const { theta: start } = await train({ loss: narrow, optimizer: lbfgs(), steps: 200, seed })
    const minimum = await polish(objectiveOf(narrow), start)
    part()
    const wide = make(mlp({ widths: [2, 2, 1], activation: 'tanh' }), dataset, spec)
    const objective = objectiveOf(wide)
    const points: DuplicatePoint[] = []
    for (const share of shares) {
      const theta = duplicated(minimum.theta, share)
      const { value, gradient } = await wide.valueAndGradient(theta)
      const { values } = await hessianSpectrum(objective.at(theta).hessian)
      points.push({
        share,
        gradientNorm: norm(gradient),
        lossChange: Math.abs(value - minimum.value),
        eigenvalues: values,
      })
    }
    part()
    return { narrowGradient: minimum.gradientNorm, points }
  })
}

async function runLine(context: ClaimContext): Promise<ClaimFinding> {
  const { narrowGradient, points } = await pointsOnLine(context, partCounter(context, 2))
  const cut = 1e-9
  const zeros = points.map(({ eigenvalues }) => eigenvalues.filter((v) => Math.abs(v) <= cut * eigenvalues[8]).length)
  const least = points.map(({ eigenvalues }) => eigenvalues[0])
  const saddle = (i: number): boolean => least[i] < -cut * points[i].eigenvalues[8]
  const inside = points.flatMap(({ share }, i) => (share > 0 && share < 1 ? [i] : []))
  const outside = points.flatMap(({ share }, i) => (share < 0 || share > 1 ? [i] : []))
  const kind = (group: readonly number[]): string =>
    group.every(saddle) ? 'strict saddles' : group.some(saddle) ? 'mixed' : 'no negative curvature'
  const measurements = [
    atMost('largest ‖∇L‖ on the line', Math.max(...points.map((p) => p.gradientNorm)), 1e-9),
    atMost('largest change of the loss on the line', Math.max(...points.map((p) => p.lossChange)), 1e-13),
    near('points without a zero eigenvalue (the line’s own direction)', zeros.filter((z) => z === 0).length, 0, 0),
    { name: '0 < μ < 1', measured: kind(inside) },
    { name: 'μ < 0 or μ > 1', measured: kind(outside) },
    { name: 'λ_min at μ = ½', measured: least[8], literature: 'reference run on other data: −0.179' },
    { name: '‖∇L‖ of the narrow network', measured: narrowGradient },
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All ${points.length} points have the loss of the narrow network and no gradient; for 0 < μ < 1: ${kind(inside)}, outside: ${kind(outside)}.`,
    measurements,
    figure: {
      title: 'Least Hessian eigenvalue along the line of critical points',
      xLabel: 'μ',
      yLabel: 'λ_min',
      series: [{ name: 'λ_min', mark: 'line', x: shares, y: least }],
      levels: [{ label: 'zero', value: 0 }],
    },
  }
}

export const duplicateClaims: readonly Claim[] = [
  {
    id: 'S-4',
    topic,
    statement:
      'A critical point of a network becomes a line of critical points of a wider one when a unit stands twice, with outgoing weights μv and (1 − μ)v.',
    source: { text: 'Fukumizu & Amari 2000', place: 'embedding of a smaller network' },
    experiment:
      'The minimum of a tanh network 2-1-1 on 60 samples of a three-unit teacher (L-BFGS, polished), its unit doubled for μ = −½ … 1½ in 17 steps; gradient and exact Hessian of the network 2-2-1.',
    expected: 'holds',
    remark:
      'Whether a part of the line consists of saddles or of minima depends on the definiteness of a matrix that the data decide.',
    estimateSeconds: 0.2,
    run: runLine,
  },
]
