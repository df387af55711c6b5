import { matrixFromRows } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { residualMlp, scaledMlp } from '../../model/residual-mlp.ts'
import { convergenceTheorem } from '../../theory/gram/convergence-theorem.ts'
import { depthBehavior } from '../../theory/gram/depth-behavior.ts'
import { depthSweep } from '../../theory/gram/depth-sweep.ts'
import type { DepthSweep } from '../../theory/gram/depth-sweep.ts'
import { powerLaw } from '../../theory/gram/power-law.ts'
import type { SweepRun } from '../../theory/gram/sweep-runs.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { eightPoints, firstStart } from './theory-networks.ts'
import { deepGlobalMinima, topic } from './source.ts'

const depths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** B-5: λ_min of the limit over depth, by computation. */
const depthOfLimit: Claim = {
  id: 'B-5',
  topic,
  statement:
    'The smallest eigenvalue of the limiting Gram matrix K⁽ᴴ⁾, and with it the width that the theorem asks for, gets exponentially worse with depth in plain networks, but only polynomially in residual ones.',
  source: deepGlobalMinima('Theorems 5.1 and 6.1, Definitions 5.1 and 6.1'),
  experiment:
    'λ_min(K⁽ᴴ⁾) for H = 1 … 10, softplus and ReLU, inputs (1, 0), (0.6, 0.8), (0, 1), c_res = ½: recursions, no training.',
  expected: 'holds-with-conditions',
  remark:
    'For smooth activations with χ = c_σ E σ′² < 1, such as softplus, the decay is geometric with ratio → χ. For ReLU χ = 1: the decay is only polynomial, so "exponential in depth" depends on the activation.',
  estimateSeconds: 2,
  run: depthFinding,
}

function threePoints(): Matrix {
  return matrixFromRows([
    [1, 0],
    [0.6, 0.8],
    [0, 1],
  ])
}

async function depthFinding({ progress }: ClaimContext): Promise<ClaimFinding> {
  const x = threePoints()
  const softplus = await depthBehavior(x, depths)
  progress(1, 2)
  const relu = await depthBehavior(x, depths, { activation: 'relu' })
  progress(2, 2)
  const last = softplus.points[softplus.points.length - 1]
  const scaled = softplus.points.slice(1).map((point) => point.scaledResnet)
  const reluLast = relu.points[relu.points.length - 1]
  const measurements = [
    near('χ of softplus', softplus.chi, 0.318458983683693, 1e-12),
    near('softplus, plain: λ_min(10)/λ_min(9)', last.ratio ?? Number.NaN, softplus.chi, 0.01),
    atLeast('softplus, residual: smallest λ_min H²/c_res², H = 2 … 10', Math.min(...scaled), 0.0068),
    atMost('softplus, residual: largest λ_min H²/c_res², H = 2 … 10', Math.max(...scaled), 0.0082),
    near('χ of ReLU', relu.chi, 1, 1e-12),
    atLeast('ReLU, plain: λ_min(10)/λ_min(9)', reluLast.ratio ?? Number.NaN, 0.7),
  ]
  return {
    outcome: allMet(measurements) ? 'holds-with-conditions' : 'false',
    summary:
      `With softplus λ_min falls by a factor ${(last.ratio ?? Number.NaN).toFixed(4)} a layer in plain networks (χ = ${softplus.chi.toFixed(4)}), ` +
      `while λ_min H²/c_res² of residual ones stays between ${Math.min(...scaled).toFixed(4)} and ${Math.max(...scaled).toFixed(4)}. ` +
      `With ReLU the ratio at depth 10 is ${(reluLast.ratio ?? Number.NaN).toFixed(3)} and tends to 1.`,
    measurements,
    figure: {
      title: 'Smallest eigenvalue of the limit over depth',
      xLabel: 'hidden layers H',
      yLabel: 'λ_min(K⁽ᴴ⁾)',
      yScale: 'log',
      series: [
        { name: 'softplus, plain', mark: 'line', x: depths, y: softplus.points.map(({ fc }) => fc.value) },
        { name: 'softplus, residual', mark: 'line', x: depths, y: softplus.points.map(({ resnet }) => resnet.value) },
        { name: 'ReLU, plain', mark: 'line', x: depths, y: relu.points.map(({ fc }) => fc.value) },
        { name: 'ReLU, residual', mark: 'line', x: depths, y: relu.points.map(({ resnet }) => resnet.value) },
      ],
    },
  }
}

const claimedDepths = [2, 3, 4, 6, 8, 10]

/** 0.10 */
const residualWidth: Claim = {
  id: '0.10',
  topic,
  statement: 'The dependence of residual networks on depth is exponentially rising.',
  source: { text: 'Popular accounts of Du, Lee, Li, Wang, Zhai 2019', reference: 'arXiv:1811.03804' },
  experiment:
    'The sufficient width of Theorems 5.1 (plain) and 6.1 (residual) for inputs (1, 0), (0.6, 0.8), (0, 1), softplus, with λ_min(K⁽ᴴ⁾) computed at depth 2 … 10.',
  expected: 'false',
  remark:
    'A mistranslation: by residual connections the dependence improves exponentially, from 2^O(H) to a polynomial.',
  estimateSeconds: 2,
  run: async ({ progress }) => {
    const x = threePoints()
    const { points } = await depthBehavior(x, claimedDepths)
    progress(1, 1)
    const width = (architecture: 'fc' | 'resnet'): number[] =>
      points.map(
        (point) =>
          convergenceTheorem({ architecture, samples: 3, depth: point.depth, lambda: point[architecture].value }).width
            .value,
      )
    const [plain, residual] = [width('fc'), width('resnet')]
    const last = claimedDepths.length - 1
    const growth = (plain[last] / plain[last - 1]) ** (1 / (claimedDepths[last] - claimedDepths[last - 1]))
    const law = powerLaw(claimedDepths.slice(2), residual.slice(2))
    const local = claimedDepths.slice(1).map((depth, i) => slope(claimedDepths[i], depth, residual[i], residual[i + 1]))
    const measurements = [
      atLeast('plain: factor by which the sufficient width grows per layer', growth, 2),
      near('residual: sufficient width is a power of the depth, exponent', law.exponent, 2, 1),
      atMost('residual: growth of the local exponent, depth 4 to 10', local[last - 1] - local[2], 0.5),
    ]
    return {
      outcome: allMet(measurements) ? 'false' : 'not-decided',
      summary: `The sufficient width of plain networks grows by a factor ${growth.toPrecision(3)} with every layer; that of residual networks grows like H^${law.exponent.toFixed(1)}: a power, not an exponential.`,
      measurements,
      figure: {
        title: 'Sufficient width over depth',
        xLabel: 'hidden layers H',
        yLabel: 'width by the theorem, constants 1',
        yScale: 'log',
        series: [
          { name: 'plain (Theorem 5.1)', mark: 'line', x: claimedDepths, y: plain },
          { name: 'residual (Theorem 6.1)', mark: 'line', x: claimedDepths, y: residual },
        ],
      },
    }
  },
}

function slope(x: number, x2: number, y: number, y2: number): number {
  return Math.log(y2 / y) / Math.log(x2 / x)
}

/** 0.11: no experiment but an identifier. */
const residualDate: Claim = {
  id: '0.11',
  topic,
  statement: 'The article on residual networks is of 2006.',
  source: { text: 'Popular accounts', place: 'meant is He, Zhang, Ren, Sun', reference: 'arXiv:1512.03385' },
  experiment: 'None: the number of an arXiv article begins with year and month of its submission.',
  expected: 'false',
  remark: 'Submitted in December 2015, published at CVPR 2016. A slip of one digit.',
  estimateSeconds: 1,
  run: async ({ progress }) => {
    progress(1, 1)
    const identifier = '1512.03385'
    const year = 2000 + Number(identifier.slice(0, 2))
    const month = Number(identifier.slice(2, 4))
    return {
      outcome: year === 2006 ? 'holds' : 'false',
      summary: `arXiv:${identifier} was submitted in month ${month} of ${year}; the conference was in 2016.`,
      measurements: [
        near('year of submission', year, 2015, 0),
        { name: 'year as claimed', measured: 2006, literature: 'CVPR 2016, pages 770 to 778' },
      ],
      figure: {
        title: 'Year claimed and years documented',
        xLabel: '1: claimed; 2: arXiv; 3: conference',
        yLabel: 'year',
        series: [{ name: 'year', mark: 'points', x: [1, 2, 3], y: [2006, year, 2016] }],
      },
    }
  },
}

const trainedDepths = [1, 2, 3, 4, 6, 8]
const trainedWidth = 128
const trainedSteps = 1500

/** Both kinds of networks over depth, trained. */
async function trainedOverDepth(context: ClaimContext): Promise<{ plain: DepthSweep; residual: DepthSweep }> {
  const { engine, seed } = context
  const common = {
    ...{ engine, dataset: eightPoints(seed), depths: trainedDepths, firstSeed: firstStart(seed) },
    ...{ seeds: 3, steps: trainedSteps, target: 0.01 },
  }
  const report =
    (from: number) =>
    ({ done }: { readonly done: number }): void => {
      context.progress(from + done, 2 * trainedDepths.length)
      context.throwIfStopped()
    }
  const size = { width: trainedWidth, inputs: 6 }
  return {
    plain: await depthSweep({ ...common, modelOf: (depth) => scaledMlp({ depth, ...size }), onProgress: report(0) }),
    residual: await depthSweep({
      ...{ ...common, modelOf: (depth: number) => residualMlp({ depth, ...size }) },
      onProgress: report(trainedDepths.length),
    }),
  }
}

/** Geometric means over the networks of each depth. */
function overDepth({ points }: DepthSweep, number: (run: SweepRun) => number): number[] {
  return points.map(({ runs }) => Math.exp(runs.reduce((sum, run) => sum + Math.log(number(run)), 0) / runs.length))
}

/** Steps to 1 % of the first loss; where all steps were not enough, all steps. */
const stepsTaken = (run: SweepRun): number => run.stepsToTarget ?? trainedSteps

const trainingText = `n = 8 unit vectors in 6 dimensions, labels ±1, softplus, width ${trainedWidth}, depth ${trainedDepths.join(', ')}, 3 starts each, trained together for ${trainedSteps} steps with η = 1/λ_max(G(0)).`

/** 0.12 */
const inputKernel: Claim = {
  id: '0.12',
  topic,
  statement: 'For residual networks the rate constant of the theorem depends only on K⁽⁰⁾, the kernel of the inputs.',
  source: deepGlobalMinima('the first version, arXiv:1811.03804v1, against Theorem 6.1 of v4 and ICML'),
  experiment: `Residual networks: λ_min(K⁽ᴴ⁾) of the published theorem, and λ₀ = λ_min(c_σ K⁽⁰⁾ ∘ E σ′σ′) made of K⁽⁰⁾ alone, beside the measured λ_min of the whole Gram matrix G(0). ${trainingText}`,
  expected: 'false',
  remark:
    'A property of the first version. The published constant is λ_min(K⁽ᴴ⁾) of the residual recursion: it changes with depth, like 1/H² and not exponentially. What is measured, λ_min of the whole G(0), hardly depends on depth, because the first layer enters it undamped; both bounds therefore held here.',
  estimateSeconds: 30,
  run: inputKernelFinding,
}

async function inputKernelFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { residual } = await trainedOverDepth(context)
  const lambdas = residual.points.map(({ lambdaMin }) => lambdaMin.value)
  const deep = residual.points.slice(1)
  const scaled = deep.map(({ depth, lambdaMin }) => (lambdaMin.value * depth * depth) / 0.25)
  const whole = overDepth(residual, (run) => run.initialLambdaMin)
  const lambda0 = residual.lambdaOfInputs!.value
  const violations = residual.points.flatMap(({ runs }) => runs).reduce((sum, run) => sum + run.violations, 0)
  const last = lambdas.length - 1
  const measurements: ClaimMeasurement[] = [
    atLeast('λ_min(K⁽ᴴ⁾): H = 2 over H = 8 (1 if it depended on K⁽⁰⁾ alone)', lambdas[1] / lambdas[last], 4),
    atMost('λ_min(K⁽ᴴ⁾) H²/c_res²: largest over smallest, H ≥ 2', Math.max(...scaled) / Math.min(...scaled), 1.5),
    { name: 'λ₀ of K⁽⁰⁾, at every depth', measured: lambda0 },
    {
      name: 'measured λ_min(G(0)): H = 2 and H = 8',
      measured: `${whole[1].toPrecision(3)}, ${whole[last].toPrecision(3)}`,
    },
    atMost('steps above the bound with λ_min(K⁽ᴴ⁾), all networks', violations, 0),
  ]
  return {
    outcome: allMet(measurements) ? 'false' : 'not-decided',
    summary: `The published constant λ_min(K⁽ᴴ⁾) falls by a factor ${(lambdas[1] / lambdas[last]).toFixed(1)} from depth 2 to 8, like 1/H²; a constant of K⁽⁰⁾ alone would be ${lambda0.toPrecision(3)} at every depth. The measured λ_min(G(0)) goes from ${whole[1].toPrecision(2)} to ${whole[last].toPrecision(2)}.`,
    measurements,
    figure: {
      title: 'Constants of the rate over depth, residual networks',
      xLabel: 'hidden layers H',
      yLabel: 'eigenvalue',
      yScale: 'log',
      series: [
        { name: 'λ_min(K⁽ᴴ⁾), published', mark: 'line', x: trainedDepths, y: lambdas },
        { name: 'λ_min(G(0)), measured', mark: 'line', x: trainedDepths, y: whole },
      ],
      levels: [{ label: 'λ₀ of K⁽⁰⁾', value: lambda0 }],
    },
  }
}

/** Plain against residual networks, trained. */
const trainability: Claim = {
  id: 'depth-trainability',
  topic,
  statement: 'Plain networks become hard to train as they get deeper; residual networks do not.',
  source: {
    text: 'He et al. 2016; Du, Lee, Li, Wang, Zhai 2019',
    place: 'Section 1; Theorems 5.1 and 6.1',
    reference: 'arXiv:1512.03385',
  },
  experiment: `${trainingText} Steps to 1 % of the first loss, with λ_min(K⁽ᴴ⁾) and λ₀ of K⁽⁰⁾ beside it.`,
  expected: 'holds-with-conditions',
  remark:
    'Of this smooth activation and this scaling, where χ < 1 makes deep plain layers forget the angles of the inputs. λ_min(K⁽ᴴ⁾) ranks the depths rightly in plain networks, but falls in residual ones too, which train equally well at every depth.',
  estimateSeconds: 45,
  run: trainabilityFinding,
}

async function trainabilityFinding(context: ClaimContext): Promise<ClaimFinding> {
  const { plain, residual } = await trainedOverDepth(context)
  const [stepsPlain, stepsResidual] = [overDepth(plain, stepsTaken), overDepth(residual, stepsTaken)]
  const [wholePlain, wholeResidual] = [plain, residual].map((sweep) => overDepth(sweep, (run) => run.initialLambdaMin))
  const last = trainedDepths.length - 1
  const kernels = [plain, residual].map(({ points }) => points.map(({ lambdaMin }) => lambdaMin.value))
  const measurements: ClaimMeasurement[] = [
    atLeast('plain: steps to 1 % of the first loss, H = 8 over H = 2', stepsPlain[last] / stepsPlain[1], 3),
    atMost('residual: steps to 1 % of the first loss, H = 8 over H = 2', stepsResidual[last] / stepsResidual[1], 2),
    atLeast('plain: λ_min(G(0)), H = 2 over H = 8', wholePlain[1] / wholePlain[last], 10),
    atMost('residual: λ_min(G(0)), H = 2 over H = 8', wholeResidual[1] / wholeResidual[last], 3),
    { name: 'plain: λ_min(K⁽ᴴ⁾), H = 2 and 8', measured: pair(kernels[0][1], kernels[0][last]) },
    { name: 'residual: λ_min(K⁽ᴴ⁾), H = 2 and 8', measured: pair(kernels[1][1], kernels[1][last]) },
    { name: 'λ₀ of K⁽⁰⁾, at every depth of both', measured: plain.lambdaOfInputs!.value },
  ]
  return {
    outcome: allMet(measurements) ? 'holds-with-conditions' : 'not-decided',
    summary: `To reach 1 % of their first loss plain networks of depth 2 and 8 need ${stepsPlain[1].toFixed(0)} and ${stepsPlain[last].toFixed(0)} steps, residual ones ${stepsResidual[1].toFixed(0)} and ${stepsResidual[last].toFixed(0)}.`,
    measurements,
    figure: {
      title: 'Steps to 1 % of the first loss over depth',
      xLabel: 'hidden layers H',
      yLabel: 'steps; eigenvalues',
      yScale: 'log',
      series: [
        { name: 'plain: steps', mark: 'line', x: trainedDepths, y: stepsPlain },
        { name: 'residual: steps', mark: 'line', x: trainedDepths, y: stepsResidual },
        { name: 'plain: λ_min(K⁽ᴴ⁾)', mark: 'points', x: trainedDepths, y: kernels[0] },
        { name: 'residual: λ_min(K⁽ᴴ⁾)', mark: 'points', x: trainedDepths, y: kernels[1] },
      ],
    },
  }
}

function pair(a: number, b: number): string {
  return `${a.toExponential(1)} and ${b.toExponential(1)}`
}

export const depthClaims: readonly Claim[] = [depthOfLimit, residualWidth, residualDate, inputKernel, trainability]
