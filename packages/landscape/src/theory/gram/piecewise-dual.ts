import { erfOf } from '@thalweg/graph'
import { angleOf } from './dual-activation.ts'
import type { DualActivation, DualLayer } from './dual-activation.ts'
import { kinksOf, piecewiseActivations, slopePieces, squaredJumps, valueAt } from './piecewise-activation.ts'
import type { Piece } from './piecewise-activation.ts'

/** Sixteen-point Gauss–Legendre rule on [−1, 1], positive half (Abramowitz & Stegun, table 25.4). */
const legendre: readonly (readonly [node: number, weight: number])[] = [
  [0.0950125098376374, 0.1894506104550685],
  [0.2816035507792589, 0.1826034150449236],
  [0.4580167776572274, 0.1691565193950025],
  [0.6178762444026438, 0.149595988816576],
  [0.755404408355003, 0.1246289712555339],
  [0.8656312023878318, 0.0951585116824928],
  [0.9445750230732326, 0.0622535239386479],
  [0.9894009349916499, 0.0271524594117541],
]

/** Beyond this many deviations nothing counts: φ(9) = 1e-18. */
const reach = 9
/** Edges of panels around the image of a kink, in widths of the smoothed kink. */
const smoothedEdges = [-9, -7, -5, -3.5, -2, -1, 0, 1, 2, 3.5, 5, 7, 9]

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
const cumulative = (x: number): number => (1 + erfOf(x * Math.SQRT1_2)) / 2

/** An activation with kinks. */
interface Kinked {
  readonly value: (x: number) => number
  readonly slope: (x: number) => number
  readonly kinks: readonly number[]
  /** Writes E σ(μ + τZ) and E σ'(μ + τZ), τ > 0, to `out`. */
  readonly conditional: (mu: number, tau: number, out: Float64Array) => void
}

function kinkedOf(values: readonly Piece[]): Kinked {
  const slopes = slopePieces(values)
  return {
    value: (x) => valueAt(values, x),
    slope: (x) => valueAt(slopes, x),
    kinks: kinksOf(values),
    conditional: (mu, tau, out) => truncatedMeans({ values, slopes }, mu, tau, out),
  }
}

/** x/(1 + |x|), whose second derivative jumps at 0; its conditional expectation has no closed form. */
const softsign: Kinked = {
  value: (x) => x / (1 + Math.abs(x)),
  slope: (x) => 1 / (1 + Math.abs(x)) ** 2,
  kinks: [0],
  conditional: (mu, tau, out) => {
    let value = 0
    let slope = 0
    overPanels(sortedEdges([-mu / tau], 2), (x, mass) => {
      const v = mu + tau * x
      value += mass * softsign.value(v)
      slope += mass * softsign.slope(v)
    })
    out[0] = value
    out[1] = slope
  },
}

/** Panels of one length on [−9, 9], and the edges given. */
function sortedEdges(extra: readonly number[], panel: number): number[] {
  const edges = extra.filter((x) => x > -reach && x < reach)
  for (let x = -reach; x <= reach; x += panel) edges.push(x)
  return edges.sort((a, b) => a - b)
}

/** Hands over the nodes of E f(Z), Z ~ N(0, 1), with their weights. */
function overPanels(edges: readonly number[], take: (x: number, mass: number) => void): void {
  for (let e = 0; e + 1 < edges.length; e++) {
    const half = (edges[e + 1] - edges[e]) / 2
    if (half === 0) continue
    const middle = edges[e] + half
    for (const [node, weight] of legendre)
      for (const x of [middle - half * node, middle + half * node]) take(x, half * weight * density(x))
  }
}

/** The conditional expectations in closed form: truncated moments of the normal distribution. */
function truncatedMeans(
  side: { readonly values: readonly Piece[]; readonly slopes: readonly Piece[] },
  mu: number,
  tau: number,
  out: Float64Array,
): void {
  let value = 0
  let slope = 0
  let below = 0
  let densityBelow = 0
  let shiftedBelow = 0
  let edgeBelow = 0
  side.values.forEach(({ to, polynomial, exponential }, i) => {
    const last = to === Number.POSITIVE_INFINITY
    const edge = last ? 0 : (to - mu) / tau
    const upTo = last ? 1 : cumulative(edge)
    const densityAt = last ? 0 : density(edge)
    const mass = upTo - below
    const first = mu * mass + tau * (densityBelow - densityAt)
    const second =
      mu * mu * mass +
      2 * mu * tau * (densityBelow - densityAt) +
      tau * tau * (mass + edgeBelow * densityBelow - edge * densityAt)
    const c = side.slopes[i].polynomial
    value += polynomial[0] * mass + polynomial[1] * first + polynomial[2] * second
    slope += c[0] * mass + c[1] * first
    if (exponential !== 0) {
      // E e^x over a piece is the mass of the piece under the normal distribution with mean μ + τ²
      const shifted = last ? 1 : cumulative(edge - tau)
      const mean = exponential * Math.exp(mu + (tau * tau) / 2) * (shifted - shiftedBelow)
      value += mean
      slope += mean
      shiftedBelow = shifted
    } else shiftedBelow = last ? 1 : cumulative(edge - tau)
    below = upTo
    densityBelow = densityAt
    edgeBelow = edge
  })
  out[0] = value
  out[1] = slope
}

/** Edges of the panels of the outer integral over x = u/√s: the kinks of σ(√s x), and around the places where the inner
 * expectation bends, as finely as it does. */
function outerEdges(kinks: readonly number[], s: number, t: number, rho: number, sine: number): number[] {
  const width = sine / Math.abs(rho)
  const extra = kinks.map((b) => b / Math.sqrt(s))
  if (width < reach)
    for (const b of kinks) for (const edge of smoothedEdges) extra.push(b / (Math.sqrt(t) * rho) + edge * width)
  return sortedEdges(extra, 1)
}

/** E σ(u)σ(v) and E σ'(u)σ'(v): the outer integral by panels, the inner expectation given u as `conditional` has it. */
function pairExpectations(sigma: Kinked, s: number, t: number, gap: number, out: Float64Array): void {
  const rho = 1 - gap
  const sine = Math.sqrt(gap * (2 - gap))
  const rootS = Math.sqrt(s)
  const rootT = Math.sqrt(t)
  const tau = rootT * sine
  const inner = new Float64Array(2)
  let product = 0
  let slopes = 0
  overPanels(outerEdges(sigma.kinks, s, t, rho, sine), (x, mass) => {
    const u = rootS * x
    const mu = rootT * rho * x
    if (tau > 0) sigma.conditional(mu, tau, inner)
    else {
      inner[0] = sigma.value(mu)
      inner[1] = sigma.slope(mu)
    }
    product += mass * sigma.value(u) * inner[0]
    slopes += mass * sigma.slope(u) * inner[1]
  })
  out[0] = product
  out[1] = slopes
}

/** E σ(N(0, s)). */
function meanOf(sigma: Kinked, s: number): number {
  if (s === 0) return sigma.value(0)
  const out = new Float64Array(2)
  sigma.conditional(0, Math.sqrt(s), out)
  return out[0]
}

/** An activation with kinks, made of polynomial and exponential pieces (or softsign). The expectation of σ(v) given u has a closed form;
 * the one integral left is done by panels that resolve every kink and its smoothed image, so that the accuracy does not
 * depend on ρ. Where all variances are equal (inputs of norm 1) the two functions of the angle are interpolated by
 * Chebyshev polynomials once, and a pair costs a short series.
 * Cost: about 50 µs a pair of unequal variances; softsign, whose inner expectation is an integral too, 3 ms. */
export function piecewiseDual(name: string): DualActivation {
  if (name === 'softsign') return { name, method: 'piecewise', kink: 0, layer: (v) => piecewiseLayer(softsign, v) }
  const pieces = piecewiseActivations[name]
  const kink = squaredJumps(pieces) / (2 * Math.PI)
  const sigma = kinkedOf(pieces)
  return { name, method: 'piecewise', kink, layer: (v) => piecewiseLayer(sigma, v) }
}

function piecewiseLayer(sigma: Kinked, variances: Float64Array): DualLayer {
  const out = new Float64Array(2)
  const moments = new Map<number, readonly [mean: number, square: number, slopeSquare: number]>()
  for (const s of variances)
    if (!moments.has(s)) {
      if (s > 0) pairExpectations(sigma, s, s, 0, out)
      else out.set([sigma.value(0) ** 2, sigma.slope(0) ** 2])
      moments.set(s, [meanOf(sigma, s), out[0], out[1]])
    }
  const pick = (which: 0 | 1 | 2): Float64Array => variances.map((s) => moments.get(s)![which])
  const [means, squares, slopeSquares] = [pick(0), pick(1), pick(2)]
  const size = squares.reduce((most, value) => Math.max(most, value), 0)
  const base = { means, squares, slopeSquares }
  const pairs = (variances.length * (variances.length + 1)) / 2
  if (moments.size === 1 && variances[0] > 0 && pairs > 4 * interpolationDegrees[0])
    return { ...base, ...interpolated(sigma, variances[0], squares[0]) }
  const rounding = 2 ** -46 * Math.max(1, size)
  const pair = (a: number, b: number, gap: number, result: Float64Array): void => {
    if (variances[a] > 0 && variances[b] > 0) pairExpectations(sigma, variances[a], variances[b], gap, result)
    else {
      result[0] = means[a] * means[b]
      result[1] = 0
    }
    result[2] = (squares[a] + squares[b]) / 2 - result[0]
  }
  return { ...base, pair, error: rounding, slopeError: rounding }
}

const interpolationDegrees = [64, 128, 256] as const

/** Both expectations as Chebyshev series in the angle θ ∈ [0, π], smooth there although not in ρ. */
function interpolated(sigma: Kinked, s: number, square: number): Pick<DualLayer, 'pair' | 'error' | 'slopeError'> {
  const sampled = (degree: number): [Float64Array, Float64Array] => {
    const out = new Float64Array(2)
    const values: [Float64Array, Float64Array] = [new Float64Array(degree + 1), new Float64Array(degree + 1)]
    for (let k = 0; k <= degree; k++) {
      const angle = (Math.PI / 2) * (1 + Math.cos((Math.PI * k) / degree))
      pairExpectations(sigma, s, s, 2 * Math.sin(angle / 2) ** 2, out)
      values[0][k] = out[0]
      values[1][k] = out[1]
    }
    return [chebyshev(values[0]), chebyshev(values[1])]
  }
  let [products, slopes] = sampled(interpolationDegrees[0])
  for (const degree of interpolationDegrees.slice(1)) {
    if (Math.max(tailOf(products), tailOf(slopes)) < 2 ** -48) break
    ;[products, slopes] = sampled(degree)
  }
  const rounding = 2 ** -46 * Math.max(1, square)
  const pair = (_a: number, _b: number, gap: number, out: Float64Array): void => {
    const x = (2 / Math.PI) * angleOf(gap) - 1
    out[0] = clenshaw(products, x)
    out[1] = clenshaw(slopes, x)
    out[2] = square - out[0]
  }
  return { pair, error: tailOf(products) + rounding, slopeError: tailOf(slopes) + rounding }
}

/** Coefficients of the interpolant through the Chebyshev points cos(πk/N), the first and last halved. */
function chebyshev(values: Float64Array): Float64Array {
  const degree = values.length - 1
  const coefficients = new Float64Array(degree + 1)
  for (let j = 0; j <= degree; j++) {
    let sum = (values[0] + values[degree] * (j % 2 === 0 ? 1 : -1)) / 2
    for (let k = 1; k < degree; k++) sum += values[k] * Math.cos((Math.PI * ((j * k) % (2 * degree))) / degree)
    coefficients[j] = ((j === 0 || j === degree ? 1 : 2) * sum) / degree
  }
  return coefficients
}

/** The last eighth of the coefficients, summed: what the next ones may add. */
function tailOf(coefficients: Float64Array): number {
  return coefficients.slice(-(coefficients.length >> 3)).reduce((sum, c) => sum + Math.abs(c), 0)
}

function clenshaw(coefficients: Float64Array, x: number): number {
  let next = 0
  let afterNext = 0
  for (let k = coefficients.length - 1; k >= 1; k--) {
    const current = coefficients[k] + 2 * x * next - afterNext
    afterNext = next
    next = current
  }
  return coefficients[0] + x * next - afterNext
}
