import type { Inertia } from '../../linalg/index.ts'
import { enumerateCriticalClasses } from './critical-classes.ts'
import type { CriticalClass, LinearKind } from './critical-classes.ts'
import { representatives } from './critical-point.ts'
import type { LinearAssumptions } from './linear-assumptions.ts'
import type { LinearProblem } from './linear-problem.ts'
import { verifyCriticalPoint } from './verify-critical-point.ts'

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
  const totals = { representatives: 0, spectra: 0, relativeGradientMax: 0, relativeLossErrorMax: 0 }
  const disagreements: string[] = []
  const reported = classes.map((each) => {
    const points = representatives(problem, each.subset).map((point) => {
      const allowed = totals.spectra < verifiedMax ? parametersMax : 0
      const check = verifyCriticalPoint(problem, point, { parametersMax: allowed })
      totals.representatives++
      if (check.spectrum) totals.spectra++
      totals.relativeGradientMax = Math.max(totals.relativeGradientMax, check.relativeGradient)
      totals.relativeLossErrorMax = Math.max(totals.relativeLossErrorMax, check.relativeLossError)
      disagreements.push(...check.disagreements.map((d) => `{${each.subset}}: ${d}`))
      return {
        kind: point.kind,
        inertia: check.spectrum?.inertia ?? null,
        minEigenvalue: check.spectrum?.minEigenvalue ?? null,
        gradientNorm: check.gradientNorm,
        lossError: check.lossError,
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

function reportedClass({ subset, rank, loss, kinds }: CriticalClass, points: ReportedRepresentative[]): ReportedClass {
  return { subset, rank, loss, kinds, representatives: points }
}
