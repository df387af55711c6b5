import { DomainError, tensor } from '@thalweg/graph'
import { makeDataset } from './dataset.ts'
import type { Dataset } from './dataset.ts'

export type DatasetParameters = Readonly<Record<string, number | boolean | string>>

/** A classification data set from points [n × width] in row-major order; its origin names the generator and its parameters. */
export function generatedClasses(
  name: string,
  parameters: object,
  points: Float64Array,
  labels: BigInt64Array,
  classCount: number,
): Dataset {
  const n = labels.length
  return makeDataset({
    name,
    inputs: { x: tensor('float64', [n, points.length / n], points) },
    targets: tensor('int64', [n], labels),
    task: 'classification',
    classCount,
    origin: originOf(name, parameters),
  })
}

/** A regression data set from inputs and targets in row-major order, n rows each. */
export function generatedValues(
  name: string,
  parameters: object,
  n: number,
  inputs: Float64Array,
  targets: Float64Array,
): Dataset {
  return makeDataset({
    name,
    inputs: { x: tensor('float64', [n, inputs.length / n], inputs) },
    targets: tensor('float64', [n, targets.length / n], targets),
    task: 'regression',
    origin: originOf(name, parameters),
  })
}

/** `name(key=value, …)`, arrays and tensors left out. */
function originOf(name: string, parameters: object): string {
  const simple = Object.entries(parameters).filter(([, value]) => typeof value !== 'object' && value !== undefined)
  return `${name}(${simple.map(([key, value]) => `${key}=${String(value)}`).join(', ')})`
}

/** @throws {DomainError} unless `value` is an integer ≥ `least`. */
export function requireCount(where: string, key: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new DomainError(`${where}: ${key} must be an integer ≥ ${least}, got ${value}.`)
}

/** @throws {DomainError} unless `value` is finite and ≥ 0. */
export function requireNonNegative(where: string, key: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new DomainError(`${where}: ${key} must be finite and ≥ 0, got ${value}.`)
}
