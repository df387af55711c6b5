import type { OperatorName } from '../core/operator-attributes.ts'
import { contractions } from './contraction.ts'
import { elementwise } from './elementwise.ts'
import { reductions } from './reduction.ts'
import { structures } from './structure.ts'
import type { Rule } from './rule.ts'

/** The table of operators. A missing operator or rule does not compile. */
export const operators: { readonly [K in OperatorName]: Rule<K> } = {
  ...elementwise,
  ...reductions,
  ...contractions,
  ...structures,
}
