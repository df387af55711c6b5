import { DomainError } from '@thalweg/graph'

/** Where one model input comes from. */
export interface NamedInput {
  readonly name: string
  /** Array, or columns separated by commas. */
  readonly key: string
}

/** Parses `NAME=KEY`, once per input.
 * @throws {DomainError} for another form or a name given twice. */
export function parseInputs(input: readonly string[]): NamedInput[] {
  const parsed = input.map((text) => {
    const equals = text.indexOf('=')
    if (equals < 1 || equals === text.length - 1)
      throw new DomainError(`input: must have the form NAME=KEY, got '${text}'. For example x=images.`)
    return { name: text.slice(0, equals), key: text.slice(equals + 1) }
  })
  const repeated = parsed.find(({ name }, i) => parsed.findIndex((other) => other.name === name) !== i)
  if (repeated) throw new DomainError(`input: names must differ, got '${repeated.name}' twice.`)
  return parsed
}
