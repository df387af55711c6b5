import { numbersOf } from '@thalweg/graph'
import { isAnalyticModel } from '../../critical/index.ts'
import type { Loss } from '../../loss/loss.ts'
import { parameterRanges } from '../../model/model.ts'
import type { Model } from '../../model/model.ts'
import { randomStream } from '../../random/index.ts'
import { isAffineInInputs, linearArchitectureOf } from './linear-verdict.ts'
import type { LinearArchitecture } from './linear-verdict.ts'

/** A linear network found in a model, and its parameters in the order W_1, (b_1), W_2, … with W_k [out × in]. */
export interface RecognizedLinearNetwork extends LinearArchitecture {
  standardTheta(theta: Float64Array): Float64Array
}

interface Layer {
  readonly start: number
  readonly rows: number
  readonly cols: number
  /** Whether the model multiplies by the matrix as x W, so that W_k is its transpose. */
  readonly flipped: boolean
  readonly biasStart: number | null
}

/** Square matrices may act as W or as Wᵀ: all choices are tried, up to this many. */
const layoutsMax = 64

/** The linear network that a model computes, also where a file tells nothing but its graph: its parameters are matrices that
 * chain from inputs to outputs, with vectors between them; the outputs are affine in the inputs and the graph does
 * not branch (no clipped or rounded weights); and at random parameters they are those of the product of the matrices, to
 * rounding.
 * @returns `undefined` for anything else. Cost: one evaluation per candidate layout. */
export async function recognizeLinearNetwork(loss: Loss): Promise<RecognizedLinearNetwork | undefined> {
  const { model } = loss
  const known = linearArchitectureOf(model)
  if (known) return { ...known, standardTheta: (theta) => theta }
  if (model.architecture.kind !== 'unknown' || model.inputs.length !== 1 || loss.dtype !== 'float64') return undefined
  const layouts = layoutsOf(model)
  if (layouts.length === 0 || layouts.length > layoutsMax) return undefined
  if (!isAffineInInputs(model) || !isAnalyticModel(model)) return undefined
  const theta = randomStream(0, 'recognize linear network').normals(loss.size)
  const outputs = await loss.outputs(theta)
  const x = numbersOf(Object.values(loss.dataset.inputs)[0])
  const found = layouts.find((layers) => agrees(outputs, linearOutputs(layers, theta, x, loss.samples)))
  if (!found) return undefined
  return {
    widths: [found[0].cols, ...found.map(({ rows }) => rows)],
    biases: found.map(({ biasStart }) => biasStart !== null),
    standardTheta: (at) => standardTheta(found, at),
  }
}

/** Every way to read the parameters as layers that chain. */
function layoutsOf(model: Model): Layer[][] {
  let open: Layer[][] = [[]]
  const inputs = model.inputs[0].shape
  if (inputs.length !== 1 || model.outputShape.length !== 1) return []
  for (const { parameter, start } of parameterRanges(model)) {
    const { shape } = parameter
    open = open.flatMap((layers) => {
      const last = layers.at(-1)
      const width = last?.rows ?? inputs[0]
      if (shape.length === 1 && last && last.biasStart === null && shape[0] === last.rows)
        return [[...layers.slice(0, -1), { ...last, biasStart: start }]]
      if (shape.length !== 2) return []
      const [r, c] = shape
      const straight = c === width ? [[...layers, { start, rows: r, cols: c, flipped: false, biasStart: null }]] : []
      const flipped = r === width ? [[...layers, { start, rows: c, cols: r, flipped: true, biasStart: null }]] : []
      return [...straight, ...flipped]
    })
    if (open.length > layoutsMax) return []
  }
  return open.filter((layers) => layers.at(-1)?.rows === model.outputShape[0])
}

function weightOf({ start, rows, cols, flipped }: Layer, theta: Float64Array, row: number, col: number): number {
  return theta[start + (flipped ? col * rows + row : row * cols + col)]
}

function linearOutputs(layers: readonly Layer[], theta: Float64Array, x: Float64Array, samples: number): Float64Array {
  let signal = x
  for (const layer of layers) {
    const { rows, cols, biasStart } = layer
    const next = new Float64Array(samples * rows)
    for (let s = 0; s < samples; s++)
      for (let i = 0; i < rows; i++) {
        let sum = biasStart === null ? 0 : theta[biasStart + i]
        for (let j = 0; j < cols; j++) sum += weightOf(layer, theta, i, j) * signal[s * cols + j]
        next[s * rows + i] = sum
      }
    signal = next
  }
  return signal
}

function agrees(outputs: Float64Array, expected: Float64Array): boolean {
  const size = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  return outputs.every((v, i) => Math.abs(v - expected[i]) <= 1e-10 * size)
}

function standardTheta(layers: readonly Layer[], theta: Float64Array): Float64Array {
  const out: number[] = []
  for (const layer of layers) {
    for (let i = 0; i < layer.rows; i++) for (let j = 0; j < layer.cols; j++) out.push(weightOf(layer, theta, i, j))
    if (layer.biasStart !== null) out.push(...theta.subarray(layer.biasStart, layer.biasStart + layer.rows))
  }
  return Float64Array.from(out)
}
