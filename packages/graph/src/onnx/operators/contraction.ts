import { cast } from '../../build/elementwise.ts'
import { gemm, matmul } from '../../build/contraction.ts'
import type { Expr } from '../../core/expr.ts'
import { isFloat } from '../../core/tensor.ts'
import type { OperatorCall, OperatorFamily, OperatorImporter } from '../operator-call.ts'
import { einsum } from './einsum.ts'

/** Products of integers are computed in float64, exact below 2^53. */
const throughFloats =
  (build: (call: OperatorCall, operands: readonly Expr[]) => Expr): OperatorImporter =>
  (call) => {
    const operands = call.operands.filter((x) => x !== undefined)
    const { dtype } = call.input(0)
    if (isFloat(dtype)) return build(call, operands)
    return cast(
      build(
        call,
        operands.map((x) => cast(x, 'float64')),
      ),
      dtype,
    )
  }

/** Products of matrices and their relatives. */
export const contraction: OperatorFamily = {
  MatMul: throughFloats((_, [a, b]) => matmul(a, b)),
  Gemm: throughFloats((call, [a, b, c]) =>
    gemm(a, b, c, {
      transA: call.flag('transA'),
      transB: call.flag('transB'),
      alpha: call.float('alpha', 1),
      beta: call.float('beta', 1),
    }),
  ),
  Einsum: throughFloats((call, operands) => einsum(call.string('equation'), operands)),
}
