import type { FloatDType, Shape, Tensor } from '../core/tensor.ts'
import { sizeOf, tensorOf } from '../core/tensor.ts'

/** A stream of numbers that a seed determines. */
export interface SeededNumbers {
  /** Uniform in [low, high), by default [0, 1). */
  readonly uniform: (low?: number, high?: number) => number
  /** Standard normal. */
  readonly normal: () => number
  /** Uniform in 0 … below−1. */
  readonly integer: (below: number) => number
}

/** A small generator for tests: a Weyl sequence through the finalizer of MurmurHash3 (Appleby 2011). */
export function seededNumbers(seed: number): SeededNumbers {
  let state = Math.imul(seed + 1, 0x9e3779b9)
  const bits = (): number => {
    state = (state + 0x9e3779b9) | 0
    let h = state
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return (h ^ (h >>> 16)) >>> 0
  }
  const uniform = (low = 0, high = 1): number => low + ((high - low) * bits()) / 2 ** 32
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return { uniform, normal, integer: (below) => Math.floor(uniform(0, below)) }
}

/** Uniform values that float32 holds exactly, so that both float dtypes get the same numbers. */
export function randomTensor(dtype: FloatDType, shape: Shape, numbers: SeededNumbers, low = -1.5, high = 1.5): Tensor {
  return tensorOf(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.fround(numbers.uniform(low, high))),
  )
}

/** A standard normal vector. */
export function randomVector(length: number, numbers: SeededNumbers): Float64Array {
  return Float64Array.from({ length }, numbers.normal)
}
