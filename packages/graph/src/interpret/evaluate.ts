import { DomainError, ShapeError } from '../core/errors.ts'
import type { AnyOperation, Expr } from '../core/expr.ts'
import { sameShape } from '../core/shape.ts'
import type { Tensor } from '../core/tensor.ts'
import { topologicalOrder } from '../core/traversal.ts'
import { operators } from '../operators/table.ts'
import type { Rule } from '../operators/rule.ts'
import { ndArray, ndArrayOf, tensorOfNdArray } from './nd-array.ts'
import type { NdArray } from './nd-array.ts'

/** One operator applied to known operands; float32 results are rounded to float32.
 * @throws {DomainError} for an index outside its axis, and where an int64 result is no integer below 2⁵³. */
export function interpretOperation(node: AnyOperation, operands: readonly NdArray[]): NdArray {
  const rule = operators[node.op] as unknown as Rule<'Add'>
  const value = rule.interpret(operands, node.attributes, node)
  if (node.dtype === 'int64') {
    const bad = value.data.find((v) => !Number.isSafeInteger(v))
    if (bad !== undefined) throw new DomainError(`${node.op}: int64 results must be integers below 2^53, got ${bad}.`)
  }
  return node.dtype === 'float32' ? ndArray('float32', value.shape, value.data.map(Math.fround)) : value
}

function bind(node: Expr & { op: 'Input' }, values: Readonly<Record<string, Tensor>>): NdArray {
  const { name } = node.attributes
  const value = values[name]
  if (!value) throw new DomainError(`evaluate: input ${name} has no value. Pass one.`)
  if (value.dtype !== node.dtype || !sameShape(value.shape, node.shape))
    throw new ShapeError(
      `evaluate: input ${name} must be ${node.dtype}[${node.shape}], got ${value.dtype}[${value.shape}].`,
    )
  return ndArrayOf(value)
}

/** The reference interpreter: plain float64 TypeScript, operator by operator. For tests and for folding constants;
 * engines are what computes. */
export function evaluate(outputs: readonly Expr[], values: Readonly<Record<string, Tensor>> = {}): Tensor[] {
  const known = new Map<Expr, NdArray>()
  for (const node of topologicalOrder(outputs)) {
    if (node.op === 'Input') known.set(node, bind(node, values))
    else if (node.op === 'Constant') known.set(node, ndArrayOf(node.attributes.value))
    else
      known.set(
        node,
        interpretOperation(
          node,
          node.inputs.map((x) => known.get(x)!),
        ),
      )
  }
  return outputs.map((y) => tensorOfNdArray(known.get(y)!))
}
