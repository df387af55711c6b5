import { linearAssignment } from '../../linalg/linear-assignment.ts'
import { matmul, matrix } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { svd } from '../../linalg/svd.ts'
import { norm } from '../../linalg/vector.ts'
import type { Model } from '../../model/model.ts'
import { fullyConnected, weightEntry } from '../evidence/fully-connected.ts'
import type { FullyConnected } from '../evidence/fully-connected.ts'
import { distanceBetween } from '../finders/search.ts'
import type { Sameness } from './merge-searches.ts'

/** Whether two points of a fully connected network, in a file or not, are one modulo its symmetries: hidden units permuted; for
 * odd activations signs of units; for ReLU positive scalings of units; for linear units any change of basis (then the
 * affine maps from input to output are compared, and the ranks of all partial products, which tell saddles with one map apart). For other architectures: whether they are equal.
 *
 * Units are brought to a standard scale and sign, then matched layer by layer from the inputs on by an assignment; exact
 * where no two units of a layer receive the same.
 * @returns a test for points of this model. */
export function sameCriticalPoint(model: Model, tolerance: number = 1e-6): Sameness {
  const close = (a: Float64Array, b: Float64Array): boolean => distanceBetween(a, b) <= tolerance * Math.max(1, norm(a))
  const network = fullyConnected(model)
  if (!network || network.skip) return close
  const { activation } = network
  if (activation === 'linear')
    return (a, b) => {
      const [left, right] = [partialProducts(network, a), partialProducts(network, b)]
      // Entries of degenerate points are known to less than those of others.
      const ranks = (products: readonly Matrix[]): string =>
        products.map((m) => svd(m).values.filter((s) => s > rankTolerance * Math.max(1, norm(a))).length).join()
      return close(left[0].data, right[0].data) && ranks(left) === ranks(right)
    }
  return (a, b) => {
    const [left, right] = [layersOf(network, a), layersOf(network, b)]
    for (const layers of [left, right]) standardize(layers, activation)
    for (let h = 0; h + 1 < left.length; h++) matchUnits(left[h], right[h], right[h + 1])
    return left.every((layer, h) => close(layer.incoming.data, right[h].incoming.data))
  }
}

/** Whether two points of a linear network, in a file or not, are one map from input to output; null for other models. */
export function sameLinearMap(model: Model, tolerance: number = 1e-6): Sameness | null {
  const network = fullyConnected(model)
  if (!network || network.skip || network.activation !== 'linear') return null
  return (a, b) => {
    const [left, right] = [wholeMap(network, a), wholeMap(network, b)]
    return distanceBetween(left.data, right.data) <= tolerance * Math.max(1, norm(left.data))
  }
}

/** Singular values below this count as zero. */
const rankTolerance = 1e-4

/** Of each layer, [W b; 0 1]. */
function affineMaps(network: FullyConnected, theta: Float64Array): Matrix[] {
  return layersOf(network, theta).map(({ incoming, inputs }) => {
    const { rows, cols, data } = incoming
    const square = new Float64Array((rows + 1) * (inputs + 1))
    for (let r = 0; r < rows; r++) square.set(data.subarray(r * cols, (r + 1) * cols), r * (inputs + 1))
    square[square.length - 1] = 1
    return matrix(rows + 1, inputs + 1, square)
  })
}

const wholeMap = (network: FullyConnected, theta: Float64Array): Matrix =>
  affineMaps(network, theta).reduce((product, next) => matmul(next, product))

/** The affine maps from each layer's input to each later output of a linear network, [W b; 0 1]; the whole network's first. */
function partialProducts(network: FullyConnected, theta: Float64Array): Matrix[] {
  const augmented = affineMaps(network, theta)
  return augmented.flatMap((first, from) => {
    const products = [first]
    for (const w of augmented.slice(from + 1)) products.push(matmul(w, products[products.length - 1]))
    return products.toReversed()
  })
}

/** A layer's weights, the bias as last column; rows are units. */
interface LayerWeights {
  incoming: Matrix
  readonly inputs: number
}

function layersOf({ layers }: FullyConnected, theta: Float64Array): LayerWeights[] {
  return layers.map((layer) => {
    const { inputs, outputs, bias } = layer
    const cols = inputs + (bias === null ? 0 : 1)
    const data = new Float64Array(outputs * cols)
    for (let r = 0; r < outputs; r++) {
      for (let i = 0; i < inputs; i++) data[r * cols + i] = theta[weightEntry(layer, r, i)]
      if (bias !== null) data[r * cols + inputs] = theta[bias + r]
    }
    return { incoming: matrix(outputs, cols, data), inputs }
  })
}

const oddActivations = new Set(['tanh', 'linear', 'erf', 'sin', 'softsign', 'hard-tanh'])
const scalableActivations = new Set(['relu', 'leaky-relu'])

/** Divides each unit's incoming row by a number and multiplies what it sends on by the same. */
function standardize(layers: readonly LayerWeights[], activation: string): void {
  for (let h = 0; h + 1 < layers.length; h++) {
    const { incoming } = layers[h]
    const next = layers[h + 1].incoming
    for (let unit = 0; unit < incoming.rows; unit++) {
      const row = incoming.data.subarray(unit * incoming.cols, (unit + 1) * incoming.cols)
      const largest = row.reduce((best, x) => (Math.abs(x) > Math.abs(best) * (1 + 1e-9) ? x : best), 0)
      const sign = oddActivations.has(activation) && largest < 0 ? -1 : 1
      const factor = sign * (scalableActivations.has(activation) && norm(row) > 0 ? norm(row) : 1)
      for (let i = 0; i < row.length; i++) row[i] /= factor
      for (let r = 0; r < next.rows; r++) next.data[r * next.cols + unit] *= factor
    }
  }
}

/** Permutes the units of `right` to the nearest units of `left`, and the columns of the layer after. */
function matchUnits(left: LayerWeights, right: LayerWeights, after: LayerWeights): void {
  const { rows, cols } = left.incoming
  const cost = matrix(rows, rows, new Float64Array(rows * rows))
  const rowOf = (layer: LayerWeights, i: number): Float64Array => layer.incoming.data.subarray(i * cols, (i + 1) * cols)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) cost.data[i * rows + j] = distanceBetween(rowOf(left, i), rowOf(right, j)) ** 2
  const { columnOfRow } = linearAssignment(cost)
  const permuted = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) permuted.set(rowOf(right, columnOfRow[i]), i * cols)
  right.incoming = matrix(rows, cols, permuted)
  const next = after.incoming
  const data = next.data.slice()
  for (let r = 0; r < next.rows; r++)
    for (let i = 0; i < rows; i++) data[r * next.cols + i] = next.data[r * next.cols + columnOfRow[i]]
  after.incoming = matrix(next.rows, next.cols, data)
}
