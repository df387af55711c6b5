import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { numbersOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { parameterRanges } from '@thalweg/landscape'
import type { LossName, Model } from '@thalweg/landscape'
import { decodeNpz } from '../../src/formats/npz.ts'

/** One exported architecture; see export_architectures.py. */
export interface Fixture {
  readonly loss: LossName
  readonly opset: number
  readonly smooth: boolean
  readonly inputs: readonly string[]
  readonly float32?: boolean
}

export function fixturePath(file: string): string {
  return fileURLToPath(new URL(`golden/${file}`, import.meta.url))
}

export const fixtures = JSON.parse(readFileSync(fixturePath('index.json'), 'utf8')) as Record<string, Fixture>

/** What PyTorch computed. */
export function expectedOf(name: string): ReadonlyMap<string, Tensor> {
  const file = fixturePath(`${name}.npz`)
  return decodeNpz(readFileSync(file), { file })
}

/** The direction of the products: cos 1, cos 2, … in every tensor. */
export function directionOf(model: Model): Float64Array {
  const ranges = parameterRanges(model)
  return Float64Array.from(
    ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => Math.cos(i + 1))),
  )
}

/** Largest error of any parameter's part of a flat vector, relative to the largest entry of that part, or to a thousandth of
 * the whole where the part is (nearly) zero. */
export function worstError(
  model: Model,
  vector: Float64Array,
  expected: ReadonlyMap<string, Tensor>,
  key: string,
): number {
  const parts = parameterRanges(model).map(({ parameter, start, end }) => {
    const wanted = numbersOf(expected.get(`${key}.${parameter.name}`)!)
    return { wanted, got: vector.subarray(start, end), size: largest(wanted) }
  })
  const whole = Math.max(...parts.map(({ size }) => size))
  const errors = parts.map(
    ({ wanted, got, size }) => largest(Float64Array.from(wanted, (w, i) => w - got[i])) / Math.max(size, 1e-3 * whole),
  )
  return Math.max(...errors)
}

/** Largest absolute value; NaN if there is one. */
function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((m, v) => (Number.isNaN(v) ? Number.NaN : Math.max(m, Math.abs(v))), 0)
}
