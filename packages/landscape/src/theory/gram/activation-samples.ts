import { constant, evaluate, exp, numbersOf, tensor, vjp } from '@thalweg/graph'
import { activationNamed } from '../../model/activation.ts'

/** σ and σ' of a named activation at points, from the very expressions that networks use. `exp` is known too.
 * @throws {DomainError} if the name is unknown. */
export function activationSamples(
  name: string,
  points: Float64Array,
): { readonly values: Float64Array; readonly slopes: Float64Array } {
  const sigma = name === 'exp' ? exp : activationNamed(name)
  const shape = [points.length]
  const x = constant(tensor('float64', shape, points))
  const ones = constant(tensor('float64', shape, new Float64Array(points.length).fill(1)))
  const y = sigma(x)
  const [values, slopes] = evaluate([y, ...vjp([y], [x], [ones])])
  return { values: numbersOf(values), slopes: numbersOf(slopes) }
}
