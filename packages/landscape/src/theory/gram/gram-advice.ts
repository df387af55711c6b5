import type { ConvergenceRun } from './convergence-run.ts'
import type { ConvergenceTheorem } from './convergence-theorem.ts'
import type { NearPair } from './kernel-inputs.ts'
import type { LabelRun } from './label-comparison.ts'
import type { SmallestEigenvalue } from './smallest-eigenvalue.ts'
import type { WidthSweep } from './width-sweep.ts'

/** An angle, in degrees, below which a pair of inputs is called nearly parallel. */
const nearlyParallel = 5

const short = (value: number): string =>
  value !== 0 && (value < 1e-3 || value >= 1e5) ? value.toExponential(2) : value.toPrecision(4)

/** What a smallest eigenvalue says: positive beyond its error or not, and which inputs make it small. */
export function eigenvalueAdvice(lambda: SmallestEigenvalue, pairs: readonly NearPair[], kinked: boolean): string[] {
  const sentences = [
    lambda.value > lambda.bound
      ? `λ_min = ${short(lambda.value)} is positive beyond its error ${short(lambda.bound)}: no direction of output space is out of reach.`
      : `λ_min = ${short(lambda.value)} is zero within its error ${short(lambda.bound)}: the theory is silent on these data.`,
  ]
  // a kinked activation tells x from −x
  const told = pairs.filter(({ opposite }) => !(opposite && kinked))
  const near = told.filter(({ angle }) => angle < nearlyParallel)
  for (const { samples, angle, opposite } of near)
    sentences.push(
      `Samples ${samples[0]} and ${samples[1]} are ${angle < 1e-6 ? '' : 'nearly '}${opposite ? 'opposite' : 'parallel'} (${short(angle)}°): they hold λ_min down. Remove one, or add a feature that tells them apart.`,
    )
  if (near.length === 0 && told.length > 0)
    sentences.push(
      `The closest pair of inputs, samples ${told[0].samples.join(' and ')}, is ${short(told[0].angle)}° apart: no nearly parallel pair spoils λ_min.`,
    )
  const holders = largestEntries(lambda.vector)
  if (near.length > 0 && holders.length > 0)
    sentences.push(`The eigenvector of λ_min lies mostly on samples ${holders.join(', ')}.`)
  return sentences
}

/** Indices of entries that together carry 80 % of a unit vector, at most five. */
function largestEntries(vector: Float64Array | null): number[] {
  if (!vector) return []
  const order = Array.from(vector, (value, i) => [value * value, i] as const).sort((a, b) => b[0] - a[0])
  const found: number[] = []
  let mass = 0
  for (const [share, i] of order.slice(0, 5)) {
    if (mass > 0.8) break
    mass += share
    found.push(i)
  }
  return found
}

/** What a measured width sweep says about the width that is needed. */
export function sweepAdvice({ threshold, theorem, exponents, runs, lambdaMin }: WidthSweep): string[] {
  const swept = runs.map(({ width }) => width)
  const sentences = [
    threshold.bound === null
      ? `At the largest width swept, ${Math.max(...swept)}, some network still exceeded the bound or did not train: go wider.`
      : `From width ${threshold.bound} on every network obeyed the bound and trained${theorem ? `; the theorem asks for ${short(theorem.width.value)}` : ''}.`,
  ]
  if (threshold.proof === null && exponents.initialDistance.exponent < -0.1) {
    const law = exponents.initialDistance
    const needed = (lambdaMin.value / 4 / law.factor) ** (1 / law.exponent)
    sentences.push(
      `The proof's first condition, ‖G(0) − K‖ ≤ λ/4, was met at no width; the measured law m^(${law.exponent.toFixed(2)}) reaches it at a width of about ${short(needed)}.`,
    )
  }
  return sentences
}

/** What a comparison of labels says: which take longer, and whether the spectrum of the Gram matrix knows it. */
export function labelAdvice(runs: readonly LabelRun[]): string[] {
  return runs.map(({ name, stepsToTarget, predictedSteps, fastShare, finalLoss, initialLoss }) => {
    const took =
      stepsToTarget === null
        ? `were not learned in time (loss at ${short((100 * finalLoss) / initialLoss)} % of its start)`
        : `took ${stepsToTarget} steps`
    const predicted = predictedSteps === null ? 'more than were taken' : String(predictedSteps)
    return `Labels “${name}” ${took}, predicted ${predicted}; ${short(100 * fastShare)} % of the error lay in the upper half of the spectrum.`
  })
}

/** Whether the theorem speaks about a net of this width, and how wide one would have to be. */
export function widthAdvice(theorem: ConvergenceTheorem | null, width: number): string[] {
  if (!theorem) return ['λ_min(K) is not positive beyond its error: no theorem applies, whatever the width.']
  const needed = theorem.width.value
  return [
    width >= needed
      ? `Width ${width} reaches the order ${short(needed)} that ${theorem.name} asks for (constants taken as 1).`
      : `${theorem.name} asks for a width of order ${short(needed)} (${theorem.width.formula}, constants taken as 1); this net has ${width}. The sufficient width is known to be pessimistic: what follows is measured, not implied.`,
    `Its step size is of order ${short(theorem.stepSize.value)}, and then ${short(theorem.stepsPerFactorE)} steps lower the bound by a factor e.`,
  ]
}

/** What a measured run says about the regime the network was in.
 * @param width  of the network, where it has one. */
export function runAdvice(run: ConvergenceRun, width?: number): string[] {
  const last = run.points[run.points.length - 1]
  const worst = Math.max(...run.points.map(({ predictionError }) => predictionError))
  const sentences = [
    run.linearized
      ? `The net moved as its linearization: outputs stayed within ${short(100 * worst)} % of what the fixed Gram matrix predicts (kernel regime).`
      : `The net left the kernel regime: outputs differ by up to ${short(100 * worst)} % from what the fixed Gram matrix predicts, which moved by ${short(100 * last.gramDrift)} %. Rates taken from the start do not describe this run.`,
  ]
  if (!run.linearized && width !== undefined)
    sentences.push(
      `The error of the linear prediction falls at least like 1/√width: by a width of about ${short(width * (worst / 0.1) ** 2)} it would be below 10 %.`,
    )
  if (run.linearized && !run.flowing)
    sentences.push(
      `Gradient flow is no description of these steps (off by up to ${short(100 * Math.max(...run.points.map(({ flowError }) => flowError)))} %): they are too large for it, not for descent. Take smaller ones to compare with u(t).`,
    )
  if (run.stepSize.used > run.stepSize.stability)
    sentences.push(
      `The step size ${short(run.stepSize.used)} exceeds the stability limit ${short(run.stepSize.stability)} of the linear dynamics.`,
    )
  if (run.check?.theorem)
    sentences.push(
      run.check.violations === 0
        ? `The bound (1 − ηλ/2)^k L(0) held at all ${run.losses.length - 1} steps; the loss fell to ${short(run.losses[run.losses.length - 1])}, the bound allows ${short(last.bound ?? Number.NaN)}.`
        : `The bound (1 − ηλ/2)^k L(0) was exceeded at ${run.check.violations} of ${run.losses.length - 1} steps.`,
      run.check.initialDistance <= run.check.lambdaMin.value / 4
        ? 'The first condition of the proof holds: the start is within λ/4 of the limit.'
        : `The proof's condition ‖G(0) − K‖ ≤ λ/4 does not hold (${short(run.check.initialDistance)} against ${short(run.check.lambdaMin.value / 4)}): the proof does not cover this width.`,
    )
  return sentences
}
