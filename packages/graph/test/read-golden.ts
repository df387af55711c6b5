import { readFileSync } from 'node:fs'
import { tensorOf } from '@thalweg/graph'
import type { DType, Tensor } from '@thalweg/graph'

/** A number as the files write it: what JSON has no name for is a string. */
export type GoldenNumber = number | string

export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly data: readonly GoldenNumber[]
}

/** The cases of `golden/NAME.json`, which `golden/generate.py` writes. */
export function readGolden<T>(name: string): readonly T[] {
  const text = readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly cases: readonly T[] }).cases
}

export function numbersFrom(values: readonly GoldenNumber[]): number[] {
  return values.map(Number)
}

export function tensorFrom(value: GoldenTensor, dtype: DType = 'float64'): Tensor {
  return tensorOf(dtype, value.shape, numbersFrom(value.data))
}
