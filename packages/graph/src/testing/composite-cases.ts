import { activationCases } from './activation-cases.ts'
import { assemblyCases } from './assembly-cases.ts'
import type { CompositeName } from './composite-names.ts'
import { layerCases } from './layer-cases.ts'
import type { OperatorCase } from './operator-case.ts'

/** Cases of every builder that composes operators. A builder without cases does not compile. */
export const compositeCases: { readonly [K in CompositeName]: readonly OperatorCase[] } = {
  ...activationCases,
  ...layerCases,
  ...assemblyCases,
}
