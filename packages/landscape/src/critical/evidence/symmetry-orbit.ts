import { numbersOf, sizeOf } from '@thalweg/graph'
import { column, gemv, matmulTransposedLeft, matrix, row, zeros } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { orthogonalize } from '../../linalg/orthogonalize.ts'
import { symmetricEigen } from '../../linalg/symmetric-eigen.ts'
import { norm, scale } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import { fullyConnected, weightEntry } from './fully-connected.ts'
import type { DenseLayer, FullyConnected } from './fully-connected.ts'
import type { KinkReport } from './kinks.ts'

/** Families of continuous changes of θ that leave the loss on these data unchanged:
 *
 *     general-linear    linear units: W_h → A W_h, W_{h+1} → W_{h+1} A⁻¹ (rotations only under weight decay); ReLU units
 *                       that are on for every sample are linear, too
 *     translation       linear units with biases: b_h → b_h + c, b_{h+1} → b_{h+1} − W_{h+1} c
 *     positive-scaling  (leaky) ReLU units: incoming weights and bias times c, outgoing weights divided by c
 *     softmax-shift     cross-entropy: the same amount added to the scores of all classes
 *     uniform-shift     layer normalization: the same added to all units before it
 *     data-null-space   first layer: weights moved along directions in which no sample has an extent
 *     dead-unit         ReLU units that are off on every sample: all their weights
 *     duplicated-units  two hidden units with equal incoming weights: outgoing weight moved from one to the other */
export type SymmetryKind =
  | 'general-linear'
  | 'translation'
  | 'positive-scaling'
  | 'softmax-shift'
  | 'uniform-shift'
  | 'data-null-space'
  | 'dead-unit'
  | 'duplicated-units'

export interface SymmetryOrbit {
  /** Dimension of the manifold of critical points with equal loss that the symmetries sweep out at θ. */
  readonly dimension: number
  /** Its tangent space, orthonormal rows [dimension × p]. */
  readonly tangents: Matrix
  /** The family that added each row of `tangents`. */
  readonly rowKinds: readonly SymmetryKind[]
  /** Dimensions that each family adds to those before it. */
  readonly kinds: readonly { readonly kind: SymmetryKind; readonly dimension: number }[]
  /** Whether the architecture is one whose symmetries are known; if not, only what the data and the loss imply. */
  readonly known: boolean
  /** max ‖H t‖ / ‖t‖ over the tangents: rounding if they are what they claim to be. NaN without a Hessian. */
  readonly residual: number
}

/** A sparse generator: entries of θ that move, with their speeds. */
type Generator = readonly (readonly [entry: number, speed: number])[]

/** Directions that add less than this to the span so far, relative to their length, do not count as new. */
const independence = 1e-8
/** Largest number of generators formed, to bound time; beyond, the dimension is a lower bound. */
const generatorMax = 4000

/** A vector field on θ along which the loss is constant everywhere, not only at one point:
 *
 *     δθ[to] += factor · θ[from]   (`from` null: += factor)
 *
 * Fields of a network whose structure only its graph shows are found by `invariantFields`. */
export interface InvariantField {
  readonly kind: SymmetryKind
  readonly terms: readonly { readonly to: number; readonly from: number | null; readonly factor: number }[]
}

/** The continuous symmetry orbit through θ, for fully connected networks and, by `fields`, any other; and what loss and
 * data add to it.
 *
 * Each family is an exact invariance of the loss near θ, so all points it reaches from a critical point are critical
 * with the same loss. If H ⪰ 0 and dim ker H equals the dimension of what the families reach together, the loss is
 * positive definite across the manifold and θ is a local minimum (Morse–Bott).
 * @param kinks   where ReLU units are off; without it dead units are not counted.
 * @param fields  of the loss without weight decay; not used with it.
 * Cost: O(generators² p). */
export function symmetryOrbit(
  loss: Loss,
  theta: Float64Array,
  kinks: KinkReport | null,
  fields: readonly InvariantField[] = [],
): SymmetryOrbit {
  const network = fullyConnected(loss.model)
  const span = new Span(theta.length)
  const rowKinds: SymmetryKind[] = []
  const include: Include = (kind, generators) => {
    for (const generator of generators) span.add(generator)
    while (rowKinds.length < span.rank) rowKinds.push(kind)
  }
  if (network) layeredFamilies(loss, network, theta, kinks, include)
  if (loss.weightDecay === 0) for (const { kind, terms } of fields) include(kind, [generatorAt(terms, theta)])
  return orbitOf(rowKinds, span.basis(), network !== null || fields.length > 0, Number.NaN)
}

type Include = (kind: SymmetryKind, generators: Iterable<Generator>) => void

function generatorAt(terms: InvariantField['terms'], theta: Float64Array): Generator {
  return terms.map(({ to, from, factor }) => [to, from === null ? factor : factor * theta[from]] as const)
}

function layeredFamilies(
  loss: Loss,
  { layers, activation, skip, linearOutput }: FullyConnected,
  theta: Float64Array,
  kinks: KinkReport | null,
  include: Include,
): void {
  const decayed = loss.weightDecay > 0
  const always = (): boolean => true
  if (activation === 'linear' && !skip) {
    include('general-linear', generalLinear(layers, theta, decayed, always))
    if (!decayed) include('translation', translations(layers, theta, always))
  }
  if (decayed) return
  if ((activation === 'relu' || activation === 'leaky-relu') && !skip)
    include('positive-scaling', scalings(layers, theta))
  if (activation === 'relu' && !skip && kinks) {
    const linear = (layer: number, unit: number): boolean =>
      kinks.linearUnits.some((u) => u.layer === layer && u.unit === unit)
    include('dead-unit', deadUnits(layers, kinks))
    include('general-linear', generalLinear(layers, theta, false, linear))
    include('translation', translations(layers, theta, linear))
  }
  if (activation !== 'linear' && !skip) include('duplicated-units', duplicates(layers, theta))
  include('data-null-space', dataNullSpace(loss, layers[0]))
  if (loss.spec.name === 'cross-entropy' && linearOutput)
    include('softmax-shift', softmaxShifts(layers[layers.length - 1]))
}

function orbitOf(rowKinds: readonly SymmetryKind[], tangents: Matrix, known: boolean, residual: number): SymmetryOrbit {
  const dimensions = new Map<SymmetryKind, number>()
  for (const kind of rowKinds) dimensions.set(kind, (dimensions.get(kind) ?? 0) + 1)
  const kinds = [...dimensions].map(([kind, dimension]) => ({ kind, dimension }))
  return { dimension: rowKinds.length, tangents, rowKinds, kinds, known, residual }
}

/** The orbit through a critical point with those tangents only that the Hessian there maps to zero, as it must: an output
 * activation, say, breaks the shift of the scores.
 * @param tolerance  for ‖H t‖. */
export function verifiedOrbit(orbit: SymmetryOrbit, hessian: Matrix, tolerance: number): SymmetryOrbit {
  const size = orbit.tangents.cols
  const kept: number[] = []
  let residual = 0
  for (let i = 0; i < orbit.dimension; i++) {
    const moved = norm(gemv(hessian, row(orbit.tangents, i)))
    if (moved > tolerance) continue
    residual = Math.max(residual, moved)
    kept.push(i)
  }
  const data = new Float64Array(kept.length * size)
  kept.forEach((from, to) => data.set(row(orbit.tangents, from), to * size))
  const rowKinds = kept.map((i) => orbit.rowKinds[i])
  return orbitOf(rowKinds, matrix(kept.length, size, data), orbit.known, residual)
}

function* rowOf(layer: DenseLayer, unit: number): IterableIterator<number> {
  for (let i = 0; i < layer.inputs; i++) yield weightEntry(layer, unit, i)
  if (layer.bias !== null) yield layer.bias + unit
}

function* columnOf(layer: DenseLayer, unit: number): IterableIterator<number> {
  for (let r = 0; r < layer.outputs; r++) yield weightEntry(layer, r, unit)
}

/** δW_h = A W_h, δW_{h+1} = −W_{h+1} A with A = E_ij, or E_ij − E_ji where only rotations remain. */
function* generalLinear(
  layers: readonly DenseLayer[],
  theta: Float64Array,
  rotationsOnly: boolean,
  linear: (layer: number, unit: number) => boolean,
): Iterable<Generator> {
  const unitMatrix = (from: DenseLayer, to: DenseLayer, i: number, j: number): [number, number][] => {
    const target = [...rowOf(from, i)]
    const source = [...rowOf(from, j)]
    const incoming = target.map((entry, k): [number, number] => [entry, theta[source[k]]])
    const outgoingTarget = [...columnOf(to, j)]
    const outgoingSource = [...columnOf(to, i)]
    return [...incoming, ...outgoingTarget.map((entry, k): [number, number] => [entry, -theta[outgoingSource[k]]])]
  }
  for (let h = 0; h + 1 < layers.length; h++) {
    const width = layers[h].outputs
    for (let i = 0; i < width; i++)
      for (let j = rotationsOnly ? i + 1 : 0; j < width; j++) {
        if (!linear(h, i) || !linear(h, j)) continue
        const forward = unitMatrix(layers[h], layers[h + 1], i, j)
        if (!rotationsOnly) yield forward
        else
          yield [...forward, ...unitMatrix(layers[h], layers[h + 1], j, i).map(([e, s]): [number, number] => [e, -s])]
      }
  }
}

function* translations(
  layers: readonly DenseLayer[],
  theta: Float64Array,
  linear: (layer: number, unit: number) => boolean,
): Iterable<Generator> {
  for (let h = 0; h + 1 < layers.length; h++) {
    const [from, to] = [layers[h], layers[h + 1]]
    if (from.bias === null || to.bias === null) continue
    for (let unit = 0; unit < from.outputs; unit++) {
      if (!linear(h, unit)) continue
      const shift = [...columnOf(to, unit)].map((entry, r): [number, number] => [to.bias! + r, -theta[entry]])
      yield [[from.bias + unit, 1], ...shift]
    }
  }
}

function* scalings(layers: readonly DenseLayer[], theta: Float64Array): Iterable<Generator> {
  for (let h = 0; h + 1 < layers.length; h++)
    for (let unit = 0; unit < layers[h].outputs; unit++)
      yield [
        ...[...rowOf(layers[h], unit)].map((entry): [number, number] => [entry, theta[entry]]),
        ...[...columnOf(layers[h + 1], unit)].map((entry): [number, number] => [entry, -theta[entry]]),
      ]
}

function* deadUnits(layers: readonly DenseLayer[], kinks: KinkReport): Iterable<Generator> {
  for (const { layer, unit } of kinks.deadUnits) {
    if (layer + 1 >= layers.length) continue
    for (const entry of rowOf(layers[layer], unit)) yield [[entry, 1]]
    for (const entry of columnOf(layers[layer + 1], unit)) yield [[entry, 1]]
  }
}

/** Pairs of units with equal incoming weights; not where both send nothing on, since their weights are then free only
 * as long as nothing is sent. */
function* duplicates(layers: readonly DenseLayer[], theta: Float64Array): Iterable<Generator> {
  for (let h = 0; h + 1 < layers.length; h++) {
    const { outputs } = layers[h]
    const rows = Array.from({ length: outputs }, (_, unit) => [...rowOf(layers[h], unit)].map((e) => theta[e]))
    for (let i = 0; i < outputs; i++)
      for (let j = i + 1; j < outputs; j++) {
        const size = Math.hypot(...rows[i])
        const gap = Math.hypot(...rows[i].map((x, k) => x - rows[j][k]))
        if (!(gap <= 1e-12 * size)) continue
        const [a, b] = [[...columnOf(layers[h + 1], i)], [...columnOf(layers[h + 1], j)]]
        if ([...a, ...b].every((entry) => theta[entry] === 0)) continue
        for (let r = 0; r < a.length; r++)
          yield [
            [a[r], 1],
            [b[r], -1],
          ]
      }
  }
}

/** Null space of the rows (x, 1): the first layer's weights do nothing along it. */
function* dataNullSpace(loss: Loss, first: DenseLayer): Iterable<Generator> {
  const names = Object.keys(loss.dataset.inputs)
  const x = loss.dataset.inputs[names.includes('x') ? 'x' : names[0]]
  const d = sizeOf(x.shape.slice(1))
  if (d !== first.inputs) return
  const width = d + (first.bias === null ? 0 : 1)
  const rows = zeros(loss.samples, width)
  const values = numbersOf(x)
  for (let i = 0; i < loss.samples; i++) {
    rows.data.set(values.subarray(i * d, (i + 1) * d), i * width)
    if (first.bias !== null) rows.data[i * width + d] = 1
  }
  const { values: lambda, vectors } = symmetricEigen(matmulTransposedLeft(rows, rows))
  const largest = Math.max(...lambda)
  for (let k = 0; k < width && lambda[k] <= 1e-13 * width * largest; k++) {
    const direction = column(vectors, k)
    // XᵀX squares small features: one of size 1e-8 must not pass for none.
    if (norm(gemv(rows, direction)) > 1e-11 * Math.sqrt(largest)) continue
    for (let unit = 0; unit < first.outputs; unit++)
      yield Array.from(direction, (v, i): [number, number] => [
        i < d ? weightEntry(first, unit, i) : first.bias! + unit,
        v,
      ])
  }
}

function* softmaxShifts(last: DenseLayer): Iterable<Generator> {
  const ones = (entries: Iterable<number>): Generator => [...entries].map((entry): [number, number] => [entry, 1])
  for (let i = 0; i < last.inputs; i++) yield ones(columnOf(last, i))
  if (last.bias !== null) yield Array.from({ length: last.outputs }, (_, r): [number, number] => [last.bias! + r, 1])
}

/** The span of generators, by Gram–Schmidt. */
class Span {
  rank = 0
  #formed = 0
  readonly #size: number
  #rows: Float64Array

  constructor(size: number) {
    this.#size = size
    this.#rows = new Float64Array(16 * size)
  }

  add(generator: Generator): void {
    if (this.rank === this.#size || ++this.#formed > generatorMax) return
    const v = new Float64Array(this.#size)
    for (const [entry, speed] of generator) v[entry] += speed
    const length = norm(v)
    if (length === 0) return
    scale(1 / length, v)
    orthogonalize(this.#rows, this.rank, v)
    if (norm(v) <= independence) return
    scale(1 / norm(v), v)
    orthogonalize(this.#rows, this.rank, v)
    scale(1 / norm(v), v)
    if ((this.rank + 1) * this.#size > this.#rows.length) {
      const grown = new Float64Array(2 * this.#rows.length)
      grown.set(this.#rows)
      this.#rows = grown
    }
    this.#rows.set(v, this.rank * this.#size)
    this.rank++
  }

  basis(): Matrix {
    return matrix(this.rank, this.#size, this.#rows.slice(0, this.rank * this.#size))
  }
}
