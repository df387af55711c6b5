import type { Expr } from '../core/expr.ts'
import { range } from '../core/shape.ts'
import { expand, reshape } from '../build/structure.ts'
import type { BatchedOperand } from './rule.ts'

/** The operand with the batch axis in front, repeated where it had none. */
export function stacked({ value, batched }: BatchedOperand, size: number): Expr {
  return batched ? value : expand(reshape(value, [1, ...value.shape]), [size, ...value.shape])
}

/** Operands ready to broadcast: batched ones get axes of length 1 after the batch axis, up to `rank`. */
export function alignBatched(operands: readonly BatchedOperand[], rank: number): Expr[] {
  return operands.map(({ value, batched }) => {
    if (!batched) return value
    const [size, ...rest] = value.shape
    return reshape(value, [size, ...range(rank - rest.length).map(() => 1), ...rest])
  })
}
