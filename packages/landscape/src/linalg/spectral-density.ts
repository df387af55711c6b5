import { DomainError } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import { orthogonalize } from './orthogonalize.ts'
import { meanAndError } from './trace-estimators.ts'
import { tridiagonalEigen } from './tridiagonal.ts'
import { norm, scale } from './vector.ts'

/** Gauss quadrature of the spectral measure that one probe sees: Σ_k weights_k f(nodes_k) ≈ zᵀ f(A) z / ‖z‖². */
export interface ProbeMeasure {
  /** Ritz values, ascending. */
  readonly nodes: Float64Array
  /** Not negative, of sum 1. */
  readonly weights: Float64Array
}

export interface QuadratureOptions {
  /** Random probes; default 10. */
  readonly probes?: number
  /** Lanczos steps per probe; default 80, at most p. */
  readonly steps?: number
  /** Default 0. */
  readonly seed?: number
  readonly onProgress?: (products: number, total: number) => void
  /** Ends early with the probes and steps so far: fewer nodes or probes, none of them wrong. */
  readonly signal?: { readonly aborted: boolean }
}

export interface StochasticQuadrature {
  readonly measures: readonly ProbeMeasure[]
  /** The same after one third and after two thirds of each probe's steps: how fast the quadrature settles. */
  readonly earlier: readonly (readonly [ProbeMeasure, ProbeMeasure])[]
  readonly products: number
  /** False where the signal ended it early. */
  readonly complete: boolean
}

/** Numbers of Krylov basis entries to hold at once: 512 MB. */
const basisEntriesMax = 2 ** 26

/** Stochastic Lanczos quadrature: for random sign vectors z, the measure whose Gauss nodes and weights are the
 * eigenvalues of the Lanczos matrix and the squared first components of its eigenvectors. Fully reorthogonalized; a
 * Krylov space that ends early gives fewer nodes and an exact measure.
 *
 * @param operator  symmetric, [p × p].
 * @throws {DomainError} if an option is out of range or a product is not finite.
 * Cost: probes · steps products, O(p · steps²) time per probe, batched over as many probes as fit in 512 MB.
 * Source: Golub and Meurant (2010); Ubaru, Chen, Saad, SIAM J. Matrix Anal. Appl. 38 (2017). */
export async function stochasticQuadrature(
  operator: LinearOperator,
  options: QuadratureOptions = {},
): Promise<StochasticQuadrature> {
  const { size } = operator
  const count = requireWhole('probes', options.probes ?? 10)
  const steps = Math.min(size, requireWhole('steps', options.steps ?? 80))
  const group = Math.max(1, Math.min(count, Math.floor(basisEntriesMax / (steps * size))))
  const measures: ProbeMeasure[] = []
  const earlier: [ProbeMeasure, ProbeMeasure][] = []
  let products = 0
  let complete = true
  for (let start = 0; start < count && complete; start += group) {
    const runs = Array.from({ length: Math.min(group, count - start) }, (_, i) => {
      const z = randomStream(options.seed ?? 0, 'stochastic quadrature', start + i).rademacher(size)
      return new LanczosRun(z, steps)
    })
    for (let step = 0; step < steps; step++) {
      const open = runs.filter((run) => !run.ended)
      if (open.length === 0) break
      // One step at least, so that there is a measure.
      if (options.signal?.aborted && products > 0) {
        complete = false
        break
      }
      const vectors = new Float64Array(open.length * size)
      open.forEach((run, i) => vectors.set(run.current(), i * size))
      const images = await applyRows('stochasticQuadrature', operator, vectors, open.length)
      open.forEach((run, i) => run.advance(images.slice(i * size, (i + 1) * size)))
      products += open.length
      options.onProgress?.(products, count * steps)
    }
    for (const run of runs.filter(({ steps: done }) => done > 0)) {
      measures.push(run.measure())
      earlier.push([run.measure(Math.ceil(run.steps / 3)), run.measure(Math.ceil((2 * run.steps) / 3))])
    }
  }
  return { measures, earlier, products, complete }
}

function requireWhole(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new DomainError(`stochasticQuadrature: ${name} must be a positive integer, got ${value}.`)
}

/** Lanczos from one vector, with the whole basis. */
class LanczosRun {
  ended = false
  readonly #size: number
  readonly #basis: Float64Array
  readonly #alpha: number[] = []
  readonly #beta: number[] = []
  readonly #steps: number
  #largest = 0

  constructor(start: Float64Array, steps: number) {
    this.#size = start.length
    this.#steps = steps
    this.#basis = new Float64Array(start.length * steps)
    scale(1 / norm(start), start)
    this.#basis.set(start)
  }

  get steps(): number {
    return this.#alpha.length
  }

  current(): Float64Array {
    const k = this.#alpha.length
    return this.#basis.subarray(k * this.#size, (k + 1) * this.#size)
  }

  advance(image: Float64Array): void {
    const k = this.#alpha.length
    this.#largest = Math.max(this.#largest, norm(image))
    const coefficients = orthogonalize(this.#basis, k + 1, image)
    this.#alpha.push(coefficients[k])
    const beta = norm(image)
    if (k + 1 === this.#steps || beta <= 2 ** -47 * Math.sqrt(this.#size) * this.#largest) {
      this.ended = true
      return
    }
    this.#beta.push(beta)
    scale(1 / beta, image)
    this.#basis.set(image, (k + 1) * this.#size)
  }

  /** Of the first so many steps. */
  measure(steps = this.steps): ProbeMeasure {
    const { values, firstComponents } = tridiagonalEigen(
      Float64Array.from(this.#alpha.slice(0, steps)),
      // A run that was ended early has one coefficient too many.
      Float64Array.from(this.#beta.slice(0, steps - 1)),
      { vectors: 'first' },
    )
    const weights = (firstComponents as Float64Array).map((x) => x * x)
    const total = weights.reduce((sum, w) => sum + w, 0)
    return { nodes: values, weights: weights.map((w) => w / total) }
  }
}

export interface TraceFunctionEstimate {
  /** Estimate of tr f(A). */
  readonly value: number
  /** Of the probes and the quadrature together: √(probeError² + quadratureError²). */
  readonly standardError: number
  /** One standard error over the probes. */
  readonly probeError: number
  /** What further Lanczos steps would still change, extrapolated from the last two thirds of them. An estimate, not a
   * bound: a part of the spectrum that no step has felt is not in it. */
  readonly quadratureError: number
  readonly products: number
  readonly probes: number
  readonly complete: boolean
  readonly method: 'stochastic-lanczos-quadrature'
}

/** tr f(A) of a symmetric operator, for instance log det A = tr log A with `f = Math.log`.
 *
 * @param f  evaluated at Ritz values, which lie within the spectrum of A.
 * @throws {DomainError} as `stochasticQuadrature`, and if f is not finite at a node that has weight. */
export async function stochasticTraceFunction(
  operator: LinearOperator,
  f: (eigenvalue: number) => number,
  options: QuadratureOptions = {},
): Promise<TraceFunctionEstimate> {
  const { measures, earlier, products, complete } = await stochasticQuadrature(operator, options)
  const { size } = operator
  const { mean, standardError: probeError } = meanAndError(measures.map((measure) => size * integral(measure, f)))
  const before = ([0, 1] as const).map(
    (third) => meanAndError(earlier.map((pair) => size * integral(pair[third], f))).mean,
  )
  const quadratureError = remainder(before[1] - before[0], mean - before[1])
  return {
    value: mean,
    standardError: Math.hypot(probeError, quadratureError),
    probeError,
    quadratureError,
    products,
    probes: measures.length,
    complete,
    method: 'stochastic-lanczos-quadrature',
  }
}

function integral({ nodes, weights }: ProbeMeasure, f: (eigenvalue: number) => number): number {
  let sum = 0
  for (let k = 0; k < nodes.length; k++) {
    const value = f(nodes[k])
    if (!Number.isFinite(value)) {
      throw new DomainError(
        `stochasticTraceFunction: f must be finite on the spectrum, got ${value} at ${nodes[k]}. ` +
          'Shift the operator, or restrict f.',
        { node: nodes[k], value },
      )
    }
    sum += weights[k] * value
  }
  return sum
}

/** What is left of a sequence v(m) = v + c·m⁻ᵃ after three equal stretches of m of which the last two changed it by
 * `first` and `second`. Errors of quadratures of a logarithm fall like a power before they fall geometrically, and a
 * power that fits a geometric sequence only overestimates what is left. */
function remainder(first: number, second: number): number {
  const ratio = Math.abs(first / second)
  if (second === 0 || ratio === Number.POSITIVE_INFINITY) return 0
  const left = (a: number): number => 1 / (1.5 ** a - 1)
  // first / second = (3ᵃ − 1.5ᵃ) / (1.5ᵃ − 1) grows with a.
  let [low, high] = [0.5, 100]
  for (let i = 0; i < 50; i++) {
    const a = (low + high) / 2
    if (1.5 ** a * (2 ** a - 1) * left(a) < ratio) low = a
    else high = a
  }
  return Math.abs(second) * left(low)
}

export interface SpectralDensityOptions extends QuadratureOptions {
  /** Points of the grid; default 1024. */
  readonly gridSize?: number
  /** Standard deviation of the Gaussian that replaces each node; default a hundredth of the width of the spectrum. At
   * least the distance of grid points. */
  readonly sigma?: number
}

export interface SpectralDensity {
  /** [g], ascending and equidistant, from the smallest to the largest Ritz value. */
  readonly grid: Float64Array
  /** [g], the density of eigenvalues: its trapezoidal sum over the grid is 1. Multiply by p for a count. */
  readonly values: Float64Array
  /** [g], one standard error of `values` over the probes. */
  readonly standardErrors: Float64Array
  readonly sigma: number
  /** Smallest and largest Ritz value: both lie within the spectrum of A. */
  readonly support: readonly [number, number]
  /** The quadratures before broadening: mean weights are fractions of eigenvalues. */
  readonly measures: readonly ProbeMeasure[]
  readonly products: number
  readonly complete: boolean
}

/** Density of the eigenvalues of a symmetric operator, (1/p) Σ_i δ(t − λ_i) broadened by a Gaussian, by stochastic
 * Lanczos quadrature.
 *
 * Each Gaussian is cut off at the ends of the support and normalized on the grid, so that no mass appears where there
 * are no eigenvalues and the total is 1. Where all Ritz values agree, the grid is one σ to either side of them.
 *
 * @throws {DomainError} if an option is out of range or a product is not finite.
 * Cost: that of `stochasticQuadrature`. Source: Lin, Saad, Yang, SIAM Rev. 58 (2016); Ghorbani et al., ICML 2019. */
export async function spectralDensity(
  operator: LinearOperator,
  options: SpectralDensityOptions = {},
): Promise<SpectralDensity> {
  requireGrid(options)
  const { measures, products, complete } = await stochasticQuadrature(operator, options)
  return { ...broadened(measures, options), measures, products, complete }
}

/** The same from all eigenvalues, ascending: without error, `standardErrors` are zero.
 * @throws {DomainError} if an option is out of range. */
export function densityOf(
  eigenvalues: Float64Array,
  options: Pick<SpectralDensityOptions, 'gridSize' | 'sigma'> = {},
): SpectralDensity {
  requireGrid(options)
  const measures = [{ nodes: eigenvalues, weights: eigenvalues.map(() => 1 / eigenvalues.length) }]
  const density = broadened(measures, options)
  return { ...density, standardErrors: new Float64Array(density.grid.length), measures, products: 0, complete: true }
}

function requireGrid({ gridSize = 1024, sigma }: SpectralDensityOptions): void {
  if (!(Number.isInteger(gridSize) && gridSize >= 2)) {
    throw new DomainError(`spectralDensity: gridSize must be an integer of at least 2, got ${gridSize}.`)
  }
  if (sigma !== undefined && !(sigma > 0)) {
    throw new DomainError(`spectralDensity: sigma must be positive, got ${sigma}.`)
  }
}

function broadened(
  measures: readonly ProbeMeasure[],
  options: SpectralDensityOptions,
): Omit<SpectralDensity, 'measures' | 'products' | 'complete'> {
  const gridSize = options.gridSize ?? 1024
  const least = measures.reduce((value, { nodes }) => Math.min(value, nodes[0]), Number.POSITIVE_INFINITY)
  const most = measures.reduce((value, { nodes }) => Math.max(value, nodes[nodes.length - 1]), Number.NEGATIVE_INFINITY)
  const magnitude = Math.max(Math.abs(least), Math.abs(most))
  const point = most - least <= 1e-12 * magnitude
  const width = point ? (magnitude === 0 ? 1 : 0.01 * magnitude) : (most - least) / 100
  const start = point ? least - width : least
  const spacing = ((point ? most + width : most) - start) / (gridSize - 1)
  const sigma = Math.max(spacing, options.sigma ?? width)
  const grid = Float64Array.from({ length: gridSize }, (_, i) => start + i * spacing)
  if (!point) grid[gridSize - 1] = most
  const densities = measures.map((measure) => broaden(measure, start, spacing, gridSize, sigma))
  const values = new Float64Array(gridSize)
  const standardErrors = new Float64Array(gridSize)
  for (let i = 0; i < gridSize; i++) {
    const { mean, standardError } = meanAndError(densities.map((density) => density[i]))
    values[i] = mean
    standardErrors[i] = standardError
  }
  return { grid, values, standardErrors, sigma, support: [least, most] }
}

/** Density of one measure on the grid, each node's Gaussian with trapezoidal sum 1. */
function broaden(
  { nodes, weights }: ProbeMeasure,
  start: number,
  spacing: number,
  gridSize: number,
  sigma: number,
): Float64Array {
  const density = new Float64Array(gridSize)
  const kernel = new Float64Array(gridSize)
  for (let k = 0; k < nodes.length; k++) {
    // Beyond 9 σ the Gaussian is below 3e-18 of its peak.
    const from = Math.max(0, Math.floor((nodes[k] - 9 * sigma - start) / spacing))
    const to = Math.min(gridSize - 1, Math.ceil((nodes[k] + 9 * sigma - start) / spacing))
    let mass = 0
    for (let i = from; i <= to; i++) {
      kernel[i] = Math.exp(-0.5 * ((start + i * spacing - nodes[k]) / sigma) ** 2)
      mass += (i === 0 || i === gridSize - 1 ? 0.5 : 1) * kernel[i] * spacing
    }
    for (let i = from; i <= to; i++) density[i] += (weights[k] * kernel[i]) / mass
  }
  return density
}
