import { DomainError } from '@thalweg/graph'
import type { OnnxValue } from '@thalweg/graph'
import { parseInputs } from '../formats/named-inputs.ts'

/** Which arrays of a file feed a model. */
export interface ArrayChoice {
  /** `NAME=KEY` for model inputs. */
  readonly input?: readonly string[]
  readonly target?: string
  readonly sampleWeights?: string
}

export interface ArrayMatch {
  /** `NAME=KEY` for every model input. */
  readonly input: readonly string[]
  readonly target: string
}

/** Arrays for the inputs and the target of a model: those named by the user, else those of the same name, else `x` and `y`,
 * else the only one left. Anything less clear is an error that lists the choices: nothing is guessed.
 * @throws {DomainError} */
export function matchArrays(
  inputs: readonly Pick<OnnxValue, 'name'>[],
  names: readonly string[],
  choice: ArrayChoice,
  file: string,
): ArrayMatch {
  const modelNames = inputs.map(({ name }) => name)
  const given = new Map(parseInputs(choice.input ?? []).map(({ name, key }) => [name, key]))
  for (const name of given.keys())
    if (!modelNames.includes(name))
      throw new DomainError(
        `--input ${name}=${given.get(name)}: the model has no input '${name}'. Its inputs are: ${modelNames.join(', ')}.`,
      )
  for (const key of [...given.values(), choice.target, choice.sampleWeights]) requireArray(names, key, file)
  const reserved = new Set([choice.target, choice.sampleWeights, ...given.values()].filter((key) => key !== undefined))
  const free = names.filter((name) => !reserved.has(name))
  const keyOf = (name: string): string | undefined => {
    const own = given.get(name) ?? free.find((key) => key === name)
    if (own !== undefined || inputs.length > 1) return own
    const others = free.filter((key) => key !== 'y')
    return free.includes('x') ? 'x' : others.length === 1 ? others[0] : undefined
  }
  const keys = modelNames.map(keyOf)
  const missing = modelNames.filter((_, i) => keys[i] === undefined)
  if (missing.length > 0)
    throw new DomainError(
      `${file}: no array is clearly the model input${missing.length > 1 ? 's' : ''} ${missing.join(', ')}. It holds ${names.join(', ')}. Say which by --input ${missing[0]}=KEY.`,
    )
  const rest = free.filter((key) => !keys.includes(key))
  const target = choice.target ?? (rest.includes('y') ? 'y' : rest.length === 1 ? rest[0] : undefined)
  if (target === undefined)
    throw new DomainError(
      `${file}: no array is clearly the targets. It holds ${names.join(', ')}. Say which by --target KEY.`,
    )
  return { input: modelNames.map((name, i) => `${name}=${keys[i]}`), target }
}

function requireArray(names: readonly string[], key: string | undefined, file: string): void {
  if (key !== undefined && !names.includes(key))
    throw new DomainError(`${file}: no array '${key}'. It holds ${names.join(', ')}.`)
}
