import { matmulTransposedRight, matrix, svd } from '../../linalg/index.ts'
import type { Inertia, Matrix } from '../../linalg/index.ts'
import { enumerateCriticalClasses } from './critical-classes.ts'
import type { CriticalClass, LinearKind } from './critical-classes.ts'
import { criticalPoint, representatives } from './critical-point.ts'
import type { HiddenBasis, Representative } from './critical-point.ts'
import type { LinearAssumptions } from './linear-assumptions.ts'
import { linearProblem } from './linear-problem.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearSpectrum } from './linear-spectrum.ts'
import { verifyCriticalPoint } from './verify-critical-point.ts'
import type { CriticalPointCheck } from './verify-critical-point.ts'

export interface LinearReportOptions {
  /** Classes listed at most; default 4096. */
  readonly limit?: number
  /** Representatives with their spectrum computed at most, in the order of the classes; default 256. */
  readonly verifiedMax?: number
  /** Above this many parameters no spectrum is computed; default 600. */
  readonly parametersMax?: number
}

/** All critical points of a problem as plain data, half-sum loss. */
export interface LinearReport {
  readonly widths: readonly number[]
  readonly sigmaEigenvalues: readonly number[]
  readonly globalMinimum: number
  readonly assumptions: LinearAssumptions
  /** The number of all classes in decimal digits (it may exceed 2⁵³), and whether `classes` holds them all. */
  readonly classCount: string
  readonly complete: boolean
  readonly classes: readonly ReportedClass[]
  /** Maxima over the verified representatives. */
  readonly verification: {
    readonly representatives: number
    readonly spectra: number
    /** Representatives whose spectrum was taken in other units, see `inBalancedUnits`. */
    readonly rescaled: number
    readonly relativeGradientMax: number
    readonly relativeLossErrorMax: number
    /** Each with its class; empty when theory and measurement agree. */
    readonly disagreements: readonly string[]
  }
}

export interface ReportedClass {
  /** 1-based, descending eigenvalues. */
  readonly subset: readonly number[]
  readonly rank: number
  readonly loss: number
  readonly kinds: readonly LinearKind[]
  readonly representatives: readonly ReportedRepresentative[]
}

export interface ReportedRepresentative {
  readonly kind: LinearKind
  /** Measured by the dense eigenvalue solver, or null where it did not run. */
  readonly inertia: Inertia | null
  /** Null also where the data are so badly scaled that the solver cannot resolve it. */
  readonly minEigenvalue: number | null
  readonly gradientNorm: number
  readonly lossError: number
  /** Z = 0 and D = I. */
  readonly canonical: boolean
}

/** Enumerates the classes, builds a representative of every kind and verifies each.
 * @throws {DomainError} if `limit` is not a positive integer.
 * Cost: one dense eigenvalue problem of size p for each of at most `verifiedMax` representatives. */
export function linearReport(problem: LinearProblem, options: LinearReportOptions = {}): LinearReport {
  const { limit = 4096, verifiedMax = 256, parametersMax = 600 } = options
  const { classes, count, complete } = enumerateCriticalClasses(problem, { limit })
  const totals = { representatives: 0, spectra: 0, rescaled: 0, relativeGradientMax: 0, relativeLossErrorMax: 0 }
  const disagreements: string[] = []
  const reported = classes.map((each) => {
    const points = representatives(problem, each.subset).map((point) => {
      const allowed = totals.spectra < verifiedMax ? parametersMax : 0
      const own = verifyCriticalPoint(problem, point, { parametersMax: allowed })
      const doubtful = own.spectrum && (own.disagreements.length > 0 || hasDoubtfulEigenvalues(own.spectrum))
      const balanced = doubtful ? inBalancedUnits(problem, point) : undefined
      const check = balanced ?? own
      if (balanced) totals.rescaled++
      totals.representatives++
      if (check.spectrum) totals.spectra++
      totals.relativeGradientMax = Math.max(totals.relativeGradientMax, check.relativeGradient)
      totals.relativeLossErrorMax = Math.max(totals.relativeLossErrorMax, check.relativeLossError)
      disagreements.push(...check.disagreements.map((d) => `{${each.subset}}: ${d}`))
      return {
        kind: point.kind,
        inertia: check.spectrum?.inertia ?? null,
        minEigenvalue: own.spectrum && resolvesLowest(own.spectrum, check) ? own.spectrum.minEigenvalue : null,
        gradientNorm: own.gradientNorm,
        lossError: own.lossError,
        canonical: point.canonical,
      }
    })
    return reportedClass(each, points)
  })
  return {
    widths: problem.widths,
    sigmaEigenvalues: [...problem.eigenvalues],
    globalMinimum: problem.globalMinimum,
    assumptions: problem.assumptions,
    classCount: String(count),
    complete,
    classes: reported,
    verification: { ...totals, disagreements },
  }
}

/** What the dense solver may move an eigenvalue by: observed are some 1e-16 of the largest. */
function solverNoise({ eigenvalues, minEigenvalue, maxEigenvalue }: LinearSpectrum): number {
  return 1e-13 * Math.max(-minEigenvalue, maxEigenvalue, eigenvalues.length * Number.MIN_VALUE)
}

/** Whether an eigenvalue that counts as zero stands out of the solver's noise: where units differ by many powers of ten. */
function hasDoubtfulEigenvalues(spectrum: LinearSpectrum): boolean {
  const noise = solverNoise(spectrum)
  return spectrum.eigenvalues.some((value) => Math.abs(value) > noise && Math.abs(value) <= spectrum.threshold)
}

/** Whether the smallest eigenvalue has the sign that the inertia says. */
function resolvesLowest(spectrum: LinearSpectrum, { spectrum: counted }: CriticalPointCheck): boolean {
  return spectrum.minEigenvalue < -solverNoise(spectrum) === (counted !== undefined && counted.inertia.negative > 0)
}

/** The check of the same representative for data in units in which X has singular values 1 (or 0) and Σ a largest eigenvalue 1,
 * every layer with an equal share of a kept singular value: W_1 and W_L change by invertible factors and the hidden bases are
 * scaled, so classes, kinds and inertia are the same, and the solver can tell eigenvalues from zero that differ by too many
 * powers of ten in the given units. Undefined where that does not agree either. */
function inBalancedUnits(problem: LinearProblem, point: Representative): CriticalPointCheck | undefined {
  const { x, y, widths, eigenvalues, squaredTargets, inputRank } = problem
  const { u, values, v } = svd(x)
  const kept = (a: Matrix): Matrix => ({
    ...a,
    data: a.data.map((entry, i) => (i % a.cols < inputRank && values[i % a.cols] > 0 ? entry : 0)),
  })
  const scale = Math.sqrt(eigenvalues[0] || squaredTargets || 1)
  const scaled = linearProblem(
    matmulTransposedRight(kept(u), kept(v)),
    { ...y, data: y.data.map((entry) => entry / scale) },
    widths,
  )
  if (scaled.signalRank !== problem.signalRank) return undefined
  const same = representatives(scaled, point.subset).find(
    (p) => p.canonical === point.canonical && p.kind === point.kind,
  )
  if (!same) return undefined
  const weights = criticalPoint(scaled, point.subset, { z: same.z, bases: sharingBases(scaled, point.subset) })
  const check = verifyCriticalPoint(scaled, { ...same, weights })
  return check.disagreements.length === 0 ? check : undefined
}

/** D_k = diag(σ_i^{k/L − 1} for i ∈ S, 1 …): with them every layer has σ_i^{1/L} where the canonical point has σ_i in the first. */
function sharingBases({ widths, layers, eigenvalues }: LinearProblem, subset: readonly number[]): HiddenBasis[] {
  return widths.slice(1, -1).map((width, index) => {
    const powers = Array.from({ length: width }, (_, i) =>
      i < subset.length ? Math.sqrt(eigenvalues[subset[i] - 1]) ** ((index + 1) / layers - 1) : 1,
    )
    const diagonal = (entries: readonly number[]): Matrix =>
      matrix(
        width,
        width,
        Float64Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? entries[i / (width + 1)] : 0)),
      )
    return { forward: diagonal(powers), inverse: diagonal(powers.map((p) => 1 / p)) }
  })
}

function reportedClass({ subset, rank, loss, kinds }: CriticalClass, points: ReportedRepresentative[]): ReportedClass {
  return { subset, rank, loss, kinds, representatives: points }
}
