import { describe, expect, it } from 'vitest'
import { DomainError, ShapeError } from './errors.ts'
import { broadcastShapes, normalizeAxes, normalizeAxis } from './shape.ts'
import { castTensor, numbersOf, sizeOf, stridesOf, tensor, tensorOf } from './tensor.ts'

describe('tensor', () => {
  it('wraps data without copying', () => {
    const data = Float32Array.of(1, 2)
    expect(tensor('float32', [2, 1], data).data).toBe(data)
  })

  it('refuses data of another type or length, and shapes that are none', () => {
    expect(() => tensor('float64', [2], Float32Array.of(1, 2) as never)).toThrow(
      /float64 needs Float64Array, got Float32Array/,
    )
    expect(() => tensor('float64', [3], Float64Array.of(1, 2))).toThrow('tensor: shape [3] has 3 elements, got 2.')
    expect(() => tensor('float64', [-1, -1], Float64Array.of(1))).toThrow(ShapeError)
    expect(() => tensor('float64', [0.5, 2], Float64Array.of(1))).toThrow(ShapeError)
  })

  it('converts numbers: int64 must be safe integers, bool is 0 or 1', () => {
    expect(tensorOf('int64', [2], [2, -3]).data).toEqual(BigInt64Array.of(2n, -3n))
    expect(tensorOf('bool', [3], [0, 5, Number.NaN]).data).toEqual(Uint8Array.of(0, 1, 0))
    for (const bad of [0.5, Number.NaN, 2 ** 53]) expect(() => tensorOf('int64', [1], [bad])).toThrow(DomainError)
  })

  it('casts, truncating on the way to int64, and keeps what is already right', () => {
    const x = tensorOf('float64', [3], [1.9, -1.9, 0.1])
    expect(castTensor(x, 'float64')).toBe(x)
    expect(Array.from(numbersOf(castTensor(x, 'int64')))).toEqual([1, -1, 0])
    expect(castTensor(x, 'float32').data).toEqual(Float32Array.of(1.9, -1.9, 0.1))
  })

  it('counts elements and strides', () => {
    expect([sizeOf([]), sizeOf([2, 3]), sizeOf([2, 0])]).toEqual([1, 6, 0])
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1])
  })
})

describe('shapes', () => {
  it('broadcast by NumPy’s rule', () => {
    expect(broadcastShapes('f', [2, 1, 3], [4, 1])).toEqual([2, 4, 3])
    expect(broadcastShapes('f', [], [2])).toEqual([2])
    expect(broadcastShapes('f', [1], [0])).toEqual([0])
    expect(() => broadcastShapes('f', [2], [3])).toThrow(
      /^f: trailing axes must be equal or 1 to broadcast, got \[2\] and \[3\]/,
    )
  })

  it('normalise axes', () => {
    expect(normalizeAxis('f', -1, 3)).toBe(2)
    expect(normalizeAxes('f', [2, -3], 3)).toEqual([0, 2])
    expect(() => normalizeAxis('f', 3, 3)).toThrow(/^f: axis must be in -3…2 for rank 3, got 3/)
    expect(() => normalizeAxis('f', 0.5, 3)).toThrow(ShapeError)
    expect(() => normalizeAxes('f', [0, -2], 2)).toThrow(/distinct/)
  })
})
