import {
  constant,
  expand,
  graphOf,
  input,
  reshape,
  simplify,
  sizeOf,
  tensor,
  UnsupportedError,
  vjp,
  vmap,
} from '@thalweg/graph'
import type { Expr, InputExpr, Shape } from '@thalweg/graph'
import type { Loss } from '../../loss/loss.ts'
import { parameterRanges, parameterViews } from '../../model/model.ts'

/** The Jacobian of a block of samples by one parameter, a row for each sample and output. The weight of a layer that
 * meets a sample once has rows that are outer products, of what comes back and what goes in: they are never formed. */
export interface JacobianRows {
  /** The parameter's place in θ. */
  readonly start: number
  readonly end: number
  /** [rows × size]. */
  readonly dense: Expr
  /** [rows × a] and [rows × b], a b = size: row i is vec(left_i right_iᵀ) up to one order of entries for all rows. */
  readonly outer: { readonly left: Expr; readonly right: Expr } | null
}

/** Numbers that a row is held in. */
export function rowWidth({ start, end, outer }: JacobianRows): number {
  return outer ? outer.left.shape[1] + outer.right.shape[1] : end - start
}

/** J of `size` samples by each parameter in the order of θ: the vjp of one sample, batched over cotangents, then over
 * samples, which are the inputs `SIDE_NAME`.
 * @throws {UnsupportedError} if the model ties samples together, so that it cannot run on one. */
export function jacobianRows({ model, dtype }: Loss, theta: InputExpr, size: number, side: string): JacobianRows[] {
  const k = sizeOf(model.outputShape)
  const single = model.inputs.map((i) => input(`one_${i.name}`, i.dtype === 'float' ? dtype : i.dtype, [1, ...i.shape]))
  const stacks = model.inputs.map((i, at) => {
    const all = input(`${side}_${i.name}`, single[at].dtype, [size, ...i.shape])
    return [single[at], reshape(all, [size, 1, ...i.shape])] as const
  })
  const parameters = parameterViews(model, theta)
  const output = model.forward(parameters, single)
  if (output.shape[0] !== 1)
    throw new UnsupportedError(`networkGram: the model must run on one sample, got outputs [${output.shape}].`)
  const cotangent = input('cotangent', dtype, output.shape)
  const perOutput = vmap(vjp([output], parameters, [cotangent]), [[cotangent, unitCotangents(dtype, output, k)]])
  const all = vmap(perOutput, stacks)
  // simplified, so that outer products show
  const { outputs } = simplify(graphOf(Object.fromEntries(all.map((rows, at) => [`rows_${at}`, rows]))))
  return parameterRanges(model).map(({ start, end }, at) => {
    const rows = outputs[`rows_${at}`]
    const outer = outerFactors(rows, size, k)
    const kept = outer && outer.left.shape[1] + outer.right.shape[1] < end - start ? outer : null
    return { start, end, dense: reshape(rows, [size * k, end - start]), outer: kept }
  })
}

function unitCotangents(dtype: Loss['dtype'], output: Expr, k: number): Expr {
  const data = dtype === 'float64' ? new Float64Array(k * k) : new Float32Array(k * k)
  for (let c = 0; c < k; c++) data[c * k + c] = 1
  return constant(tensor(dtype, [k, ...output.shape], data as Float64Array))
}

/** The factors of rows [n × k × …] that are products with an inner axis of length 1; null for any other expression.
 * Between the product and the rows there may be what moves entries within a row in the same way for all rows. */
function outerFactors(rows: Expr, n: number, k: number): JacobianRows['outer'] {
  let product = rows
  while (product.op === 'Reshape' || product.op === 'Transpose') {
    const [from] = product.inputs
    if (from.shape[0] !== n) return null
    if (product.op === 'Transpose') {
      const { perm } = product.attributes
      if (perm[0] !== 0 || (k > 1 && (perm[1] !== 1 || from.shape[1] !== k))) return null
    }
    product = from
  }
  if (product.op !== 'MatMul' || product.shape.length < 3 || product.shape[0] !== n) return null
  const [a, b] = product.inputs
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape[a.shape.length - 1] !== 1) return null
  const batch = product.shape.slice(0, -2)
  const left = expand(reshape(a, a.shape.slice(0, -1)), [...batch, product.shape[product.shape.length - 2]])
  const inputRow = reshape(b, [...b.shape.slice(0, -2), b.shape[b.shape.length - 1]])
  const right = expand(inputRow, [...batch, product.shape[product.shape.length - 1]])
  return factorsPerOutput(left, right, batch, n, k)
}

/** Both as [nk × …]: outputs are an axis of the product's batch, or the outer part of the rows of its left factor. */
function factorsPerOutput(left: Expr, right: Expr, batch: Shape, n: number, k: number): JacobianRows['outer'] {
  const [a, b] = [left, right].map(({ shape }) => shape[shape.length - 1])
  if (sizeOf(batch) === n * k) return { left: reshape(left, [n * k, a]), right: reshape(right, [n * k, b]) }
  if (sizeOf(batch) !== n || a % k !== 0) return null
  const repeated = expand(reshape(right, [n, 1, b]), [n, k, b])
  return { left: reshape(left, [n * k, a / k]), right: reshape(repeated, [n * k, b]) }
}
