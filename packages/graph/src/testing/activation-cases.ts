import {
  celu,
  clip,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  logSigmoid,
  mish,
  selu,
  shrink,
  silu,
  softsign,
  thresholdedRelu,
} from '../build/activation.ts'
import type { Expr } from '../core/expr.ts'
import type { ActivationName } from './composite-names.ts'
import { operatorCase } from './operator-case.ts'
import type { OperatorCase } from './operator-case.ts'

/** A matrix and a wide range, apart from the kinks. */
function activationAt(kinks: readonly number[], f: (x: Expr) => Expr, reach = 4): OperatorCase[] {
  return [
    operatorCase('a matrix', (n) => f(n.avoiding(kinks, [2, 3], -reach, reach))),
    operatorCase('a wide range', (n) => f(n.avoiding(kinks, [8], -20, 20))),
  ]
}

export const activationCases: { readonly [K in ActivationName]: readonly OperatorCase[] } = {
  clip: [
    ...activationAt([-1, 0.5], (x) => clip(x, -1, 0.5), 2),
    operatorCase('one bound', (n) => clip(n.avoiding([0.5], [5]), undefined, 0.5)),
    operatorCase('bounds that move', (n) => clip(n.float([2, 4], -2, 2), n.float([4], -3, -2.2), n.float([], 2.2, 3))),
    operatorCase('bounds that bind', (n) => clip(n.spaced([2, 4]), n.spaced([4], 0.2), 0.7)),
  ],
  hardTanh: activationAt([-1, 2], (x) => hardTanh(x, -1, 2)),
  leakyRelu: [
    ...activationAt([0], leakyRelu),
    operatorCase('a slope per channel', (n) => leakyRelu(n.avoiding([0], [2, 3]), n.float([3]))),
  ],
  elu: activationAt([0], (x) => elu(x, 0.7)),
  selu: activationAt([0], selu),
  celu: activationAt([0], (x) => celu(x, 2)),
  hardSigmoid: [
    ...activationAt([-3, 3], hardSigmoid),
    operatorCase('with the numbers of ONNX', (n) => hardSigmoid(n.avoiding([-2.5, 2.5], [6], -4, 4), 0.2, 0.5)),
  ],
  hardSwish: activationAt([-3, 3], hardSwish),
  softsign: activationAt([0], softsign),
  silu: activationAt([], silu),
  mish: activationAt([], mish),
  logSigmoid: activationAt([], logSigmoid),
  gelu: [
    ...activationAt([], gelu),
    ...activationAt([], (x) => gelu(x, 'tanh')).map((c) => ({ ...c, name: `${c.name}, by tanh` })),
  ],
  thresholdedRelu: activationAt([1.5], (x) => thresholdedRelu(x, 1.5)),
  shrink: activationAt([-0.5, 0.5], (x) => shrink(x, 0.5, 0.25)),
}
