import { compositeCases } from './composite-cases.ts'
import type { OperatorCase } from './operator-case.ts'
import { operatorCases } from './operator-cases.ts'

/** All cases with their full names: `Conv: 2-D, groups`. */
export const everyCase: readonly (readonly [label: string, it: OperatorCase])[] = Object.entries({
  ...operatorCases,
  ...compositeCases,
}).flatMap(([name, cases]) => cases.map((it) => [`${name}: ${it.name}`, it] as const))
