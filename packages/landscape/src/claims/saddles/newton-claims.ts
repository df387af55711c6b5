import { constant, matmul, mul, reduceSum, reshape, selectAt, sub, tensor } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { dampedNewton, saddleFreeNewton } from '../../critical/finders/dense-newton.ts'
import { hessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import { expressionObjective, objectiveOf } from '../../critical/finders/objective.ts'
import type { ExpressionObjective } from '../../critical/finders/objective.ts'
import { testFunctions } from '../../critical/finders/test-functions.ts'
import { twoMoons } from '../../data/planar.ts'
import { gemv, gemvTransposed, matmul as product, matmulTransposedLeft, diagonalMatrix } from '../../linalg/matrix.ts'
import { orthonormalRows } from '../../linalg/qr.ts'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import { mlp } from '../../model/mlp.ts'
import { randomStream } from '../../random/random-stream.ts'
import { sgd } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimSeries } from '../claim.ts'
import { allMet, atLeast, atMost } from '../claim.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { dauphin, saddlesTopic as topic } from './source.ts'

const eigenvalues = [-3, -1, -0.25, 0.5, 2, 6]

/** Largest deviations over the starts from c_i → 0 (λ_i > 0), 2c_i (λ_i < 0), and of Newton's step from the saddle itself. */
async function quadraticErrors(context: ClaimContext): Promise<{ saddleFree: number; newton: number }> {
  const size = eigenvalues.length
  const basis = orthonormalRows({
    rows: size,
    cols: size,
    data: randomStream(context.seed, 'one-step map').normals(size * size),
  })
  const a = matmulTransposedLeft(basis, product(diagonalMatrix(Float64Array.from(eigenvalues)), basis))
  const build = (theta: Expr): Expr => {
    const image = matmul(constant(tensor('float64', [size, size], a.data)), reshape(theta, [size, 1]))
    return mul(0.5, reduceSum(mul(theta, reshape(image, [size]))))
  }
  const objective = expressionObjective({ engine: context.engine, name: 'quadratic', size, build })
  let [saddleFree, newton] = [0, 0]
  try {
    for (let i = 0; i < 5; i++) {
      const start = randomStream(context.seed, 'one-step start', i).normals(size)
      const c = gemv(basis, start)
      const once = { maxIterations: 1, gradientTolerance: 0 }
      const step = await saddleFreeNewton(objective, start, { ...once, damping: [0] })
      const target = gemvTransposed(
        basis,
        c.map((v, k) => (eigenvalues[k] > 0 ? 0 : 2 * v)),
      )
      saddleFree = Math.max(saddleFree, norm(step.theta.map((t, k) => t - target[k])) / norm(start))
      newton = Math.max(newton, norm((await dampedNewton(objective, start, once)).theta) / norm(start))
    }
  } finally {
    await objective.dispose()
  }
  return { saddleFree, newton }
}

async function inPlane<T>(
  context: ClaimContext,
  name: string,
  build: (theta: Expr) => Expr,
  work: (objective: ExpressionObjective) => Promise<T>,
): Promise<T> {
  const objective = expressionObjective({ engine: context.engine, name, size: 2, build })
  try {
    return await work(objective)
  } finally {
    await objective.dispose()
  }
}

const hyperbola = (theta: Expr): Expr => {
  const [x, y] = [selectAt(theta, 0, 0), selectAt(theta, 0, 1)]
  return sub(mul(5, mul(x, x)), mul(y, y))
}

interface PlanePaths {
  readonly newton: readonly number[]
  readonly saddleFree: readonly number[]
}

/** Losses along eight steps of both methods from the same start next to the saddle. */
function pathsOn(context: ClaimContext, name: string, build: (theta: Expr) => Expr): Promise<PlanePaths> {
  const start = Float64Array.of(0.8, 0.05)
  const eight = { maxIterations: 8, gradientTolerance: 0 }
  return inPlane(context, name, build, async (objective) => ({
    newton: (await dampedNewton(objective, start, eight)).history.map(({ value }) => value),
    saddleFree: (await saddleFreeNewton(objective, start, eight)).history.map(({ value }) => value),
  }))
}

async function runOneStep(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 3)
  const { saddleFree, newton } = await quadraticErrors(context)
  part()
  const saddle = await pathsOn(context, '5x² − y²', hyperbola)
  part()
  const monkey = await pathsOn(context, 'monkey saddle', testFunctions['monkey-saddle'].build)
  part()
  const last = (values: readonly number[]): number => values[values.length - 1]
  const measurements = [
    atMost('‖saddle-free step − (0 up, 2c down)‖ / ‖start‖', saddleFree, 1e-12),
    atMost('‖end of one Newton step‖ / ‖start‖: the saddle', newton, 1e-12),
    atMost('|loss| where Newton ends on 5x² − y²', Math.abs(last(saddle.newton)), 1e-12),
    atMost('loss after 8 saddle-free steps on 5x² − y²', last(saddle.saddleFree), -10),
    atMost('|loss| where Newton ends on x³ − 3xy²', Math.abs(last(monkey.newton)), 1e-3),
    atMost('loss after 8 saddle-free steps on x³ − 3xy²', last(monkey.saddleFree), -10),
  ]
  const series = (name: string, y: readonly number[]): ClaimSeries => ({
    name,
    mark: 'line',
    x: y.map((_, i) => i),
    y: y.map((v) => Math.asinh(v)),
  })
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `One step maps eigencoordinates as the formula says (error ${saddleFree.toExponential(1)}); Newton ends on both saddles, saddle-free Newton leaves both.`,
    measurements,
    figure: {
      title: 'Newton and saddle-free Newton next to saddles',
      xLabel: 'step',
      yLabel: 'asinh of the loss',
      series: [
        series('Newton, 5x² − y²', saddle.newton),
        series('saddle-free, 5x² − y²', saddle.saddleFree),
        series('Newton, x³ − 3xy²', monkey.newton),
        series('saddle-free, x³ − 3xy²', monkey.saddleFree),
      ],
    },
  }
}

const hiddenUnits = [5, 25, 50] as const
const methods = ['SGD', 'damped Newton', 'saddle-free Newton'] as const

interface MethodEnd {
  readonly loss: number
  readonly least: number
  readonly curve: readonly number[]
}

async function endOf(loss: Loss, theta: Float64Array, curve: readonly number[]): Promise<MethodEnd> {
  const { values } = await hessianSpectrum(objectiveOf(loss).at(theta).hessian)
  return { loss: await loss.value(theta), least: values[0], curve }
}

/** The ends of the three methods from one start, in the order of `methods`. */
async function compare(loss: Loss, seed: number): Promise<MethodEnd[]> {
  const start = loss.model.initialize(seed)
  const descent = await train({
    loss,
    optimizer: sgd(),
    learningRate: 0.1,
    steps: 3000,
    batchSize: 10,
    seed,
    theta: start,
    evaluateEvery: 100,
  })
  const objective = objectiveOf(loss)
  const options = { maxIterations: 40 }
  const newton = await dampedNewton(objective, start, options)
  const saddleFree = await saddleFreeNewton(objective, start, options)
  return [
    await endOf(
      loss,
      descent.theta,
      descent.history.map((point) => point.loss),
    ),
    await endOf(
      loss,
      newton.theta,
      newton.history.map(({ value }) => value),
    ),
    await endOf(
      loss,
      saddleFree.theta,
      saddleFree.history.map(({ value }) => value),
    ),
  ]
}

async function runComparison(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, hiddenUnits.length)
  const ends: MethodEnd[][] = []
  for (const hidden of hiddenUnits) {
    const dataset = twoMoons({ samples: 60, noise: 0.2, seed: context.seed })
    const model = mlp({ widths: [2, hidden, 2], activation: 'tanh' })
    ends.push(
      await withLosses(context, (make) =>
        compare(
          make(model, dataset, { name: 'cross-entropy', reduction: 'mean' }, { weightDecay: 1e-3 }),
          context.seed,
        ),
      ),
    )
    part()
  }
  const measurements = hiddenUnits.flatMap((hidden, i) => {
    const [descent, newton, saddleFree] = ends[i]
    return [
      atMost(
        `saddle-free loss minus the better of the others, ${hidden} units`,
        saddleFree.loss - Math.min(descent.loss, newton.loss),
        1e-3,
      ),
      atLeast(`least eigenvalue where saddle-free Newton ends, ${hidden} units`, saddleFree.least, -1e-6),
      { name: `least eigenvalue where damped Newton ends, ${hidden} units`, measured: newton.least },
      { name: `least eigenvalue where SGD ends, ${hidden} units`, measured: descent.least },
      ...methods.map((method, m) => ({ name: `loss of ${method}, ${hidden} units`, measured: ends[i][m].loss })),
    ]
  })
  const attracted = ends.filter(
    ([, newton, saddleFree]) => newton.least < -1e-6 && newton.loss > saddleFree.loss,
  ).length
  measurements.push(atLeast('sizes at which damped Newton ends at a saddle above', attracted, 2))
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `With 50 units: SGD ${ends[2][0].loss.toFixed(4)}, damped Newton ${ends[2][1].loss.toFixed(4)}, saddle-free Newton ${ends[2][2].loss.toFixed(4)}; damped Newton ends at a saddle in ${attracted} of 3 sizes, saddle-free Newton in none.`,
    measurements,
    figure: {
      title: 'From one start, 50 hidden units',
      xLabel: 'iteration (SGD: hundreds of steps)',
      yLabel: 'loss',
      yScale: 'log',
      series: methods.map((name, m) => ({
        name,
        mark: 'line' as const,
        x: ends[2][m].curve.map((_, i) => i),
        y: [...ends[2][m].curve],
      })),
    },
  }
}

export const newtonClaims: readonly Claim[] = [
  {
    id: 'D-1',
    topic,
    statement:
      'Newton’s method is attracted by saddles; saddle-free Newton, −|H|⁻¹∇L, is repelled by them along every direction of negative curvature.',
    source: dauphin('saddle-free Newton method on two-dimensional examples'),
    experiment:
      'One step on a random quadratic with eigenvalues −3 … 6 from 5 starts, compared with the exact map; eight steps on 5x² − y² and on the monkey saddle x³ − 3xy².',
    expected: 'holds',
    estimateSeconds: 0.2,
    run: runOneStep,
  },
  {
    id: 'D-4',
    topic,
    statement:
      'Saddle-free Newton ends at lower losses and without negative curvature where damped Newton ends at saddles and SGD is slow.',
    source: dauphin('experiments with the saddle-free Newton method'),
    experiment:
      'Tanh networks 2-h-2 with h = 5, 25, 50 on 60 points of two moons (cross-entropy, weight decay 1e−3): 3000 SGD steps of 10 samples at 0.1, 40 iterations of damped Newton and of saddle-free Newton, from one start.',
    expected: 'holds',
    remark:
      'The source compares on MNIST and CIFAR-10 at 10×10 pixels. Damped Newton here looks for ∇L = 0 by the smallest gradient, so it is a finder of saddles by design.',
    estimateSeconds: 6,
    run: runComparison,
  },
]
