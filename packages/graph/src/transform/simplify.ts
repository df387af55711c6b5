import { DomainError } from '../core/errors.ts'
import { constant } from '../core/expr.ts'
import type { AnyOperation, Expr, Graph } from '../core/expr.ts'
import { sameShape } from '../core/shape.ts'
import { isFloat, sizeOf } from '../core/tensor.ts'
import type { Tensor } from '../core/tensor.ts'
import { scalarValue } from '../build/elementwise.ts'
import { expand, pad, reshape, slice, transpose } from '../build/structure.ts'
import { ndArrayOf, tensorOfNdArray } from '../interpret/nd-array.ts'
import { interpretOperation } from '../interpret/evaluate.ts'
import { rebuild, withOperands } from './rebuild.ts'

export interface SimplifyOptions {
  /** Constants are folded while the result has at most this many elements; larger ones are left to the engine. */
  readonly foldLimit?: number
}

/** The same function with less to compute: constants folded, equal subexpressions shared, neutral operations removed.
 *
 * **Invariant:** outputs keep their types and their bits, NaN, infinities and −0 included: x·0, x − x and x + 0 (which
 * makes 0 of −0) stay; x·1, x/1, x¹, x − 0, −(−x), casts and moves that do nothing go. */
export function simplify(graph: Graph, options: SimplifyOptions = {}): Graph {
  const names = Object.keys(graph.outputs)
  const share = sharer()
  const limit = options.foldLimit ?? 4096
  const outputs = rebuild(Object.values(graph.outputs), (node, operands) => {
    if (node.op === 'Input') return node
    if (node.op === 'Constant') return share(node)
    const reduced = neutral(withOperands(node, operands))
    const folded = fold(reduced, limit)
    return share(folded)
  })
  return { inputs: graph.inputs, outputs: Object.fromEntries(names.map((name, i) => [name, outputs[i]])) }
}

/** A node whose operands are all constants becomes a constant. */
function fold(node: Expr, limit: number): Expr {
  if (node.op === 'Input' || node.op === 'Constant') return node
  if (sizeOf(node.shape) > limit || !node.inputs.every((x) => x.op === 'Constant')) return node
  const operands = node.inputs.map((x) => x.attributes.value)
  if (operands.some(isBeyondNumbers)) return node
  try {
    return constant(tensorOfNdArray(interpretOperation(node, operands.map(ndArrayOf))))
  } catch (error) {
    // an index outside its axis, an integer divided by 0: fails where it runs, not here
    if (error instanceof DomainError) return node
    throw error
  }
}

/** Holds integers that float64 numbers, which the interpreter computes with, cannot tell apart. */
function isBeyondNumbers({ dtype, data }: Tensor): boolean {
  return (
    dtype === 'int64' && (data as BigInt64Array).some((v) => v > Number.MAX_SAFE_INTEGER || v < Number.MIN_SAFE_INTEGER)
  )
}

/** x when the other operand is the neutral number, of this sign if it is 0, and does not widen the result. */
function unless(node: AnyOperation, x: Expr, other: Expr, value: number): Expr | undefined {
  return Object.is(scalarValue(other), value) && sameShape(x.shape, node.shape) ? x : undefined
}

/** Removes an operation that changes nothing. */
function neutral(node: Expr): Expr {
  const [a, b] = node.inputs
  switch (node.op) {
    case 'Add': {
      const nothing = isFloat(node.dtype) ? -0 : 0
      return unless(node, a, b, nothing) ?? unless(node, b, a, nothing) ?? node
    }
    case 'Sub':
      return unless(node, a, b, 0) ?? node
    case 'Mul':
      return unless(node, a, b, 1) ?? unless(node, b, a, 1) ?? node
    case 'Div':
      return unless(node, a, b, 1) ?? node
    case 'Pow':
      return unless(node, a, b, 1) ?? node
    case 'Neg':
      return a.op === 'Neg' ? a.inputs[0] : node
    case 'Cast':
      return a.dtype === node.dtype ? a : node
    case 'ReduceSum':
    case 'ReduceMax':
    case 'ReduceMin':
    case 'ReduceLogSumExp':
      return node.attributes.axes.length === 0 ? a : node
    case 'Reshape':
      return reshape(a.op === 'Reshape' ? a.inputs[0] : a, node.shape)
    case 'Transpose': {
      const { perm } = node.attributes
      return a.op === 'Transpose'
        ? transpose(
            a.inputs[0],
            perm.map((p) => a.attributes.perm[p]),
          )
        : transpose(a, perm)
    }
    case 'Expand':
      return expand(a, node.shape)
    case 'Slice':
      return slice(a, node.attributes.starts, node.attributes.ends, node.attributes.steps)
    case 'Pad':
      return pad(a, node.attributes.before, node.attributes.after, node.attributes.value)
    default:
      return node
  }
}

/** Returns, for each node, the first node seen that computes the same thing. */
function sharer(): (node: Expr) => Expr {
  const seen = new Map<string, Expr>()
  const ids = new Map<Expr, number>()
  const idOf = (node: Expr): number => {
    const known = ids.get(node)
    if (known !== undefined) return known
    ids.set(node, ids.size)
    return ids.size - 1
  }
  return (node) => {
    const key = keyOf(node, idOf)
    const first = seen.get(key)
    if (first) return first
    seen.set(key, node)
    idOf(node)
    return node
  }
}

function keyOf(node: Expr, idOf: (node: Expr) => number): string {
  if (node.op === 'Constant') {
    const { dtype, shape, data } = node.attributes.value
    return data.length <= 16 ? `const ${dtype}[${shape}] ${Array.from(data, exactText)}` : `const #${idOf(node)}`
  }
  if (node.op === 'Input') return `input #${idOf(node)}`
  return `${node.op} ${JSON.stringify(node.attributes, exactNumber)} ${node.inputs.map(idOf)}`
}

/** Numbers apart that print alike: −0 from 0. */
function exactText(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** JSON writes NaN and the infinities as null and −0 as 0; a pad value may be one of them. */
function exactNumber(_: string, value: unknown): unknown {
  return typeof value === 'number' && (!Number.isFinite(value) || value === 0) ? exactText(value) : value
}
