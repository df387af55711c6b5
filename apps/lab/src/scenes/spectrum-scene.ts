/** What the scenes need of the documents. */
interface KnownEigenvalue {
  readonly value: number | null
  readonly residualNorm: number | null
  readonly converged: boolean
}

interface Ends {
  readonly top: readonly KnownEigenvalue[]
  readonly bottom: readonly KnownEigenvalue[]
  readonly all?: readonly number[]
}

interface WithEigenvalues {
  readonly eigenvalues: Ends
}

/** Every eigenvalue that was computed, descending, with its place: all of them where the matrix was formed, else both ends. */
export function eigenvaluesOf(
  spectrum: WithEigenvalues | null,
  diagnosis: WithEigenvalues | null,
): (KnownEigenvalue & { readonly value: number; readonly rank: number })[] {
  const ends = (spectrum ?? diagnosis)?.eigenvalues
  if (!ends) return []
  const exact = ends.all?.map((value) => ({ value, residualNorm: null, converged: true }))
  const listed = exact ?? [...ends.top, ...ends.bottom]
  return listed
    .flatMap((each) => (each.value === null ? [] : [{ ...each, value: each.value }]))
    .toSorted((a, b) => b.value - a.value)
    .map((each, k) => ({ ...each, rank: k + 1 }))
}

export interface BandPoint {
  readonly at: number
  readonly value: number
  readonly lower: number
  readonly upper: number
}

/** A density with a band of two standard errors on each side; cut off where it is a hundred-thousandth of its top, because
 *  a logarithmic axis shows nothing smaller. */
export function densityBand(
  density:
    | {
        readonly grid: readonly number[]
        readonly values: readonly number[]
        readonly standardErrors: readonly (number | null)[]
      }
    | undefined,
): BandPoint[] {
  if (!density) return []
  const floor = 1e-5 * Math.max(...density.values)
  return density.grid.map((at, k) => {
    const error = 2 * (density.standardErrors[k] ?? 0)
    const value = density.values[k]
    return {
      at,
      value: Math.max(floor, value),
      lower: Math.max(floor, value - error),
      upper: Math.max(floor, value + error),
    }
  })
}
