import {
  canonicalEscape,
  convexityWitnesses,
  enumerateCriticalClasses,
  flattenWeights,
  linearGradientFlow,
  linearHessian,
  linearLoss,
  linearProblem,
  linearReport,
  linearSpectrum,
  matrixFromRows,
  measureEscape,
  norm,
  plateausOf,
  randomStream,
  representatives,
  unflattenWeights,
  verifyCriticalPoint,
} from '@thalweg/landscape'
import type {
  EscapePath,
  LinearKind,
  LinearProblem,
  MeasuredEscape,
  Plateau,
  ReportedRepresentative,
  Representative,
} from '@thalweg/landscape'

/** Data and architecture of the room; columns of x and y are samples, `hidden` the widths between them. */
export interface LinearInput {
  readonly x: readonly (readonly number[])[]
  readonly y: readonly (readonly number[])[]
  readonly hidden: readonly number[]
}

export interface Rung {
  /** Positions in S joined by commas, '' for the empty set. */
  readonly key: string
  readonly subset: readonly number[]
  readonly rank: number
  readonly loss: number
  readonly kinds: readonly LinearKind[]
  readonly points: readonly ReportedRepresentative[]
}

export interface LadderScene {
  /** What it is the ladder of. */
  readonly input: LinearInput
  readonly widths: readonly number[]
  readonly parameters: number
  readonly eigenvalues: readonly number[]
  readonly globalMinimum: number
  readonly rungs: readonly Rung[]
  readonly count: string
  readonly complete: boolean
  readonly warnings: readonly string[]
  readonly assumptionsHold: boolean
  /** What the verification found in disagreement with theory; empty as it should be. */
  readonly disagreements: readonly string[]
  readonly spectra: number
  /** Between a best point (t = 0) and its mirror image (t = 1); null where there is no hidden layer or Σ = 0. */
  readonly bowl: { readonly t: readonly number[]; readonly loss: readonly number[] } | null
  /** "Every saddle has negative curvature", tested on the representatives. */
  readonly claim: {
    readonly holds: boolean
    /** The non-strict saddles: key of the rung and smallest eigenvalue. */
    readonly witnesses: readonly { readonly key: string; readonly minEigenvalue: number }[]
    readonly saddles: number
  }
}

function problemOf({ x, y, hidden }: LinearInput): LinearProblem {
  return linearProblem(matrixFromRows(x), matrixFromRows(y), [x.length, ...hidden, y.length])
}

const rungsMax = 40

/** All critical points of the network as a ladder of losses. */
export function ladderScene(input: LinearInput): LadderScene {
  const problem = problemOf(input)
  const report = linearReport(problem, { limit: rungsMax, parametersMax: 160 })
  const { classes, count, complete } = enumerateCriticalClasses(problem, { limit: rungsMax })
  const rungs = classes.map(({ subset, rank, loss, kinds }, i) => ({
    key: subset.join(','),
    subset,
    rank,
    loss,
    kinds,
    points: report.classes[i].representatives,
  }))
  const saddles = rungs.flatMap(({ key, points }) =>
    points.filter(({ kind }) => kind !== 'global-minimum').map((point) => ({ key, ...point })),
  )
  const witnesses = saddles
    .filter(({ kind, minEigenvalue }) => kind === 'non-strict-saddle' && minEigenvalue !== null)
    .map(({ key, minEigenvalue }) => ({ key, minEigenvalue: minEigenvalue ?? Number.NaN }))
  return {
    input,
    widths: problem.widths,
    parameters: problem.parameterCount,
    eigenvalues: [...problem.eigenvalues],
    globalMinimum: problem.globalMinimum,
    rungs,
    count: String(count),
    complete,
    warnings: problem.assumptions.warnings,
    assumptionsHold: problem.assumptions.hold,
    disagreements: report.verification.disagreements,
    spectra: report.verification.spectra,
    bowl: bowlOf(problem),
    claim: { holds: witnesses.length === 0, witnesses, saddles: saddles.length },
  }
}

function bowlOf(problem: LinearProblem): LadderScene['bowl'] {
  if (problem.layers < 2 || problem.optimalRank === 0) return null
  const [first, second] = convexityWitnesses(problem).notConvex.ends.map(flattenWeights)
  const t = Array.from({ length: 81 }, (_, i) => -0.25 + (1.5 * i) / 80)
  const loss = t.map((s) =>
    linearLoss(
      problem,
      unflattenWeights(
        problem.widths,
        first.map((w, i) => w + s * (second[i] - w)),
      ),
    ),
  )
  return { t, loss }
}

/** Which point of the ladder is meant: a rung, and which of its representatives. */
export interface PointInput extends LinearInput {
  readonly subset: readonly number[]
  readonly representative: number
}

export interface PointScene {
  readonly kind: LinearKind
  readonly canonical: boolean
  readonly loss: number
  readonly gradientNorm: number
  readonly weights: readonly { readonly rows: number; readonly cols: number; readonly data: Float64Array }[]
  readonly hessian: { readonly size: number; readonly data: Float64Array; readonly largest: number }
  /** First parameter of each layer. */
  readonly layerStarts: readonly number[]
  readonly eigenvalues: Float64Array
  readonly threshold: number
  readonly inertia: { readonly negative: number; readonly zero: number; readonly positive: number }
  readonly disagreements: readonly string[]
  /** The way down; null at a global minimum. */
  readonly escape: EscapeScene | null
}

export interface EscapeScene extends MeasuredEscape {
  /** λ of the closed form: λ_j − λ_i of a rotation, λ_j of an order-L path. */
  readonly gain: number
  readonly layers: number
}

/** A point of a rung: its Hessian, its eigenvalues and the way down from it. */
export function pointScene(input: PointInput): PointScene {
  const problem = problemOf(input)
  const point = representativeOf(problem, input)
  const hessian = linearHessian(problem, point.weights)
  const spectrum = linearSpectrum(problem, point.weights)
  const check = verifyCriticalPoint(problem, point)
  let start = 0
  return {
    kind: point.kind,
    canonical: point.canonical,
    loss: linearLoss(problem, point.weights),
    gradientNorm: check.gradientNorm,
    weights: point.weights,
    hessian: {
      size: hessian.rows,
      data: hessian.data,
      largest: hessian.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0),
    },
    layerStarts: point.weights.map(({ data }) => {
      const here = start
      start += data.length
      return here
    }),
    eigenvalues: spectrum.eigenvalues,
    threshold: spectrum.threshold,
    inertia: spectrum.inertia,
    disagreements: check.disagreements,
    escape: escapeOf(problem, input.subset, point),
  }
}

function representativeOf(problem: LinearProblem, { subset, representative }: PointInput): Representative {
  const points = representatives(problem, subset)
  return points[Math.min(representative, points.length - 1)]
}

/** The closed-form path starts at the canonical point; from the other strict representative the lowest eigenvector leads
 * down, where theory has no formula for the whole way. */
function escapeOf(problem: LinearProblem, subset: readonly number[], point: Representative): EscapeScene | null {
  const path: EscapePath | undefined = canonicalEscape(problem, subset)
  if (!path) return null
  const measured = measureEscape(problem, path, 60)
  const drop = path.lossAt(0) - path.lossAt(path.tEnd)
  return { ...measured, gain: 2 * drop, layers: point.weights.length }
}

export interface WalkInput extends PointInput {
  /** Distance of the start from the saddle. */
  readonly distance: number
  readonly seed: number
}

export interface WalkScene {
  readonly time: readonly number[]
  readonly loss: readonly number[]
  readonly plateaus: readonly Plateau[]
  readonly status: string
  readonly finalLoss: number
}

const timeMax = 1e6
const stepsMax = 30_000

/** Gradient flow from near a critical point: it rests at saddles on its way down. */
export function walkScene(input: WalkInput): WalkScene {
  const problem = problemOf(input)
  const center = flattenWeights(representativeOf(problem, input).weights)
  const noise = randomStream(input.seed, 'rooms/linear walk', 0).normals(center.length)
  const length = norm(noise)
  const start = center.map((w, i) => w + (input.distance * noise[i]) / length)
  const scale = Math.max(problem.squaredTargets, 1e-12)
  const flow = linearGradientFlow(problem, unflattenWeights(problem.widths, start), {
    time: timeMax,
    tolerance: 1e-7,
    stepsMax,
    until: ({ loss, gradientNorm }) =>
      loss - problem.globalMinimum < 1e-9 * scale && gradientNorm < 1e-4 * Math.sqrt(scale),
  })
  const kept = thinned(flow.points, 500)
  return {
    time: kept.map((p) => p.time),
    loss: kept.map((p) => p.loss),
    plateaus: plateausOf(problem, flow),
    status: flow.status,
    finalLoss: kept[kept.length - 1].loss,
  }
}

/** Points that a curve needs: those where the loss has moved, and the last. */
function thinned<P extends { readonly time: number; readonly loss: number }>(points: readonly P[], most: number): P[] {
  const total = Math.max(points[0].loss - points[points.length - 1].loss, 1e-300)
  const end = points[points.length - 1].time
  const kept: P[] = [points[0]]
  for (const point of points) {
    const before = kept[kept.length - 1]
    if (before.loss - point.loss > (2 * total) / most || point.time - before.time > (2 * end) / most) kept.push(point)
  }
  kept.push(points[points.length - 1])
  return kept
}
