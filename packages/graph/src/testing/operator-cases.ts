import type { OperatorName } from '../core/operator-attributes.ts'
import { contractionCases } from './contraction-cases.ts'
import { elementwiseCases } from './elementwise-cases.ts'
import type { OperatorCase } from './operator-case.ts'
import { reductionCases } from './reduction-cases.ts'
import { structureCases } from './structure-cases.ts'

/** Cases of every operator of the table. An operator without cases does not compile. */
export const operatorCases: { readonly [K in OperatorName]: readonly OperatorCase[] } = {
  ...elementwiseCases,
  ...reductionCases,
  ...contractionCases,
  ...structureCases,
}
