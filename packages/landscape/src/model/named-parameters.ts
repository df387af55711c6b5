import type { Expr } from '@thalweg/graph'
import type { Parameter } from './model.ts'

/** A model's parameters by name: `require` for those that must be there, `find` for those that an option removes. */
export interface NamedParameters {
  require(name: string): Expr
  find(name: string): Expr | undefined
}

export function namedParameters(parameters: readonly Parameter[], values: readonly Expr[]): NamedParameters {
  const positions = new Map(parameters.map((p, i) => [p.name, i]))
  return {
    require: (name) => values[positions.get(name)!],
    find: (name) => values[positions.get(name) ?? -1],
  }
}
