import { DomainError } from '@thalweg/graph'
import { frobenius, matmul, row, zeros } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import type { RandomStream } from '../../random/index.ts'
import type { LinearWeights } from './linear-weights.ts'
import { endToEndMap } from './linear-weights.ts'

/** Paths through a network: one hidden unit per hidden layer, for every input and output. */
const pathsMax: number = 1_000_000

/** Ψ · d_y = d_x d_1 ⋯ d_L, the number of all paths.
 * @throws {DomainError} above `pathsMax`. */
function countPaths(weights: LinearWeights): number {
  const count = weights.reduce((product, w) => product * w.rows, weights[0].cols)
  if (count > pathsMax) {
    throw new DomainError(`path gates: at most ${pathsMax} paths can be enumerated, got ${count}. Use narrower layers.`)
  }
  return count
}

/** Calls `visit(units, product)` for each way through hidden layers: `units` [H] is reused; `product` = Π of the weights
 * between the first and the last hidden unit. */
function eachHiddenWay(weights: LinearWeights, visit: (units: Int32Array, product: number) => void): void {
  const hidden = weights.length - 1
  const units = new Int32Array(hidden)
  const descend = (level: number, product: number): void => {
    if (level === hidden) {
      visit(units, product)
      return
    }
    for (let unit = 0; unit < weights[level].rows; unit++) {
      units[level] = unit
      const factor = level === 0 ? 1 : weights[level].data[unit * weights[level].cols + units[level - 1]]
      descend(level + 1, product * factor)
    }
  }
  descend(0, 1)
}

export interface PathGateRun {
  /** Draws of all gates. */
  readonly draws: number
  /** ‖mean over draws of Ŷ − W_L ⋯ W_1 X‖ / ‖W_L ⋯ W_1 X‖. */
  readonly error: number
  /** The root of the mean square of `error` for independent gates, in closed form: it falls like draws^{−1/2}. */
  readonly expectedError: number
}

export interface PathGateOptions {
  /** P(gate open), in (0, 1]. */
  readonly openProbability: number
  /** Increasing numbers of draws at which to report. */
  readonly draws: readonly number[]
  readonly random: RandomStream
}

/** The path form of a ReLU network with independent random gates,
 *
 *      Ŷ_j(x) = (1/ρ) Σ_γ x_{i(γ)} Z_γ Π_k w_k(γ) ,   Z_γ ~ Bernoulli(ρ) ,
 *
 * whose mean over the gates is the linear network exactly. Measures how fast the mean of N draws approaches it.
 *
 * @param x  X [d_x × m].
 * @throws {DomainError} if ρ is not in (0, 1], draws do not increase, or there are more than `pathsMax` paths.
 * Cost: all paths for each draw. Source: Choromanska et al. 2015 as reduced by Kawaguchi 2016, §3. */
export function pathGateMonteCarlo(weights: LinearWeights, x: Matrix, options: PathGateOptions): PathGateRun[] {
  const { openProbability: rho, draws, random } = options
  if (!(rho > 0 && rho <= 1)) {
    throw new DomainError(`pathGateMonteCarlo: openProbability must be in (0, 1], got ${rho}.`)
  }
  if (draws.length === 0 || draws.some((n, i) => !(Number.isInteger(n) && n > (draws[i - 1] ?? 0)))) {
    throw new DomainError(`pathGateMonteCarlo: draws must be increasing positive integers, got [${draws}].`)
  }
  countPaths(weights)
  const linear = matmul(endToEndMap(weights), x)
  const size = frobenius(linear)
  const oneDraw = Math.sqrt(((1 - rho) / rho) * weightedSquares(weights, x)) / size
  const total = zeros(linear.rows, weights[0].cols)
  const runs: PathGateRun[] = []
  let done = 0
  for (const count of draws) {
    for (; done < count; done++) addGatedMap(total, weights, rho, random)
    const mean = matmul({ ...total, data: total.data.map((v) => v / done) }, x)
    const error = frobenius({ ...mean, data: mean.data.map((v, i) => v - linear.data[i]) }) / size
    runs.push({ draws: count, error, expectedError: oneDraw / Math.sqrt(count) })
  }
  return runs
}

/** total += (1/ρ) Σ_γ Z_γ Π w(γ) as a map [d_y × d_x], with fresh gates. */
function addGatedMap(total: Matrix, weights: LinearWeights, rho: number, random: RandomStream): void {
  const first = weights[0]
  const last = weights[weights.length - 1]
  eachHiddenWay(weights, (units, product) => {
    const [entry, exit] = [units[0], units[units.length - 1]]
    for (let j = 0; j < last.rows; j++) {
      const carried = (product * last.data[j * last.cols + exit]) / rho
      for (let i = 0; i < first.cols; i++) {
        if (random.uniform() < rho) total.data[j * first.cols + i] += carried * first.data[entry * first.cols + i]
      }
    }
  })
}

/** Σ_{j,i} (Σ_{γ: i→j} Π w(γ)²) ‖x_i‖², from the squared weights multiplied like the weights. */
function weightedSquares(weights: LinearWeights, x: Matrix): number {
  const squares = endToEndMap(weights.map((w) => ({ ...w, data: w.data.map((v) => v * v) })))
  let sum = 0
  for (let i = 0; i < x.rows; i++) {
    const energy = frobenius({ rows: 1, cols: x.cols, data: row(x, i) }) ** 2
    for (let j = 0; j < squares.rows; j++) sum += squares.data[j * squares.cols + i] * energy
  }
  return sum
}

/** How far a real ReLU network, whose gates depend on input and weights, is from the gated model. */
export interface ReluDiscrepancy {
  /** ρ̂: share of open paths over samples and hidden ways. */
  readonly openShare: number
  /** ‖ReLU net − ρ̂ W_L ⋯ W_1 X‖ / ‖ReLU net‖: what the reduction to a linear net misses. */
  readonly linearError: number
  /** The same with the best single factor c in place of ρ̂, and that factor. */
  readonly bestFactor: number
  readonly bestFactorError: number
  /** ‖net with every path's gate replaced by its mean over the samples − ReLU net‖ / ‖ReLU net‖: the part that is due to
   * gates depending on the sample. */
  readonly meanGateError: number
  /** Mean over paths of |correlation of the gate with the path's input|; 0 if gates were independent of the inputs. */
  readonly gateInputCorrelation: number
  readonly paths: number
}

/** Compares the bias-free ReLU network W_L σ(W_{L−1} ⋯ σ(W_1 X)) with its linear reduction (assumptions A1p-m and A5u-m).
 * @param x  X [d_x × m].
 * @throws {DomainError} if there is no hidden layer or there are more than `pathsMax` paths. Cost: hidden ways · m. */
export function reluDiscrepancy(weights: LinearWeights, x: Matrix): ReluDiscrepancy {
  if (weights.length < 2) throw new DomainError('reluDiscrepancy: needs at least one hidden layer, got one matrix.')
  const paths = countPaths(weights)
  const { output, open } = reluForward(weights, x)
  const linear = matmul(endToEndMap(weights), x)
  const ways = gatedWays(weights, x, open)
  const size = frobenius(output)
  const distance = (a: Matrix, factor: number): number =>
    size === 0 ? 0 : frobenius({ ...a, data: a.data.map((v, i) => factor * v - output.data[i]) }) / size
  const product = output.data.reduce((s, v, i) => s + v * linear.data[i], 0)
  const bestFactor = frobenius(linear) === 0 ? 0 : product / frobenius(linear) ** 2
  return {
    openShare: ways.openShare,
    linearError: distance(linear, ways.openShare),
    bestFactor,
    bestFactorError: distance(linear, bestFactor),
    meanGateError: distance(matmul(ways.meanGateMap, x), 1),
    gateInputCorrelation: ways.correlation,
    paths,
  }
}

/** The ReLU network's output and, for each hidden layer, which units are open, [d_k × m]. */
function reluForward(weights: LinearWeights, x: Matrix): { output: Matrix; open: Matrix[] } {
  const open: Matrix[] = []
  let signal = x
  weights.forEach((w, k) => {
    signal = matmul(w, signal)
    if (k === weights.length - 1) return
    open.push({ ...signal, data: signal.data.map((v) => (v > 0 ? 1 : 0)) })
    signal = { ...signal, data: signal.data.map((v) => Math.max(0, v)) }
  })
  return { output: signal, open }
}

function gatedWays(
  weights: LinearWeights,
  x: Matrix,
  open: readonly Matrix[],
): { openShare: number; correlation: number; meanGateMap: Matrix } {
  const samples = x.cols
  const first = weights[0]
  const last = weights[weights.length - 1]
  const meanGateMap = zeros(last.rows, first.cols)
  const centered = Array.from({ length: x.rows }, (_, i) => standardized(row(x, i)))
  let ways = 0
  let openTotal = 0
  let correlationTotal = 0
  eachHiddenWay(weights, (units, product) => {
    const gate = new Float64Array(samples).fill(1)
    units.forEach((unit, k) => {
      const layer = row(open[k], unit)
      for (let s = 0; s < samples; s++) gate[s] *= layer[s]
    })
    const share = gate.reduce((sum, g) => sum + g, 0) / samples
    ways++
    openTotal += share
    const unitGate = standardized(gate)
    for (let i = 0; i < first.cols; i++) {
      correlationTotal += Math.abs(unitGate.reduce((sum, g, s) => sum + g * centered[i][s], 0))
      const carried = share * product * first.data[units[0] * first.cols + i]
      for (let j = 0; j < last.rows; j++) {
        meanGateMap.data[j * first.cols + i] += carried * last.data[j * last.cols + units[units.length - 1]]
      }
    }
  })
  return { openShare: openTotal / ways, correlation: correlationTotal / (ways * first.cols), meanGateMap }
}

/** (v − mean) / norm; zeros where v is constant. */
function standardized(v: Float64Array): Float64Array {
  const mean = v.reduce((s, e) => s + e, 0) / v.length
  const shifted = v.map((e) => e - mean)
  const length = Math.hypot(...shifted)
  return shifted.map((e) => (length > 0 ? e / length : 0))
}
