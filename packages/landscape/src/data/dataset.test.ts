import { DomainError, ShapeError, tensor, tensorOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { inputNamed, makeDataset, sampleCount, withFields } from './dataset.ts'
import type { DatasetFields } from './dataset.ts'

const floats = (shape: number[], values: number[]): Tensor => tensorOf('float64', shape, values)
const labels = (...values: number[]): Tensor => tensorOf('int64', [values.length], values)

const fields = (changes: Partial<DatasetFields> = {}): DatasetFields => ({
  name: 'toy',
  inputs: { x: floats([3, 2], [1, 2, 3, 4, 5, 6]) },
  targets: labels(0, 1, 1),
  task: 'classification',
  origin: 'test',
  ...changes,
})

describe('makeDataset', () => {
  it('derives the number of classes and keeps the tensors', () => {
    const given = fields()
    const dataset = makeDataset(given)
    expect(dataset.classCount).toBe(2)
    expect(sampleCount(dataset)).toBe(3)
    expect(inputNamed(dataset, 'x')).toBe(given.inputs.x)
    expect(Object.isFrozen(dataset)).toBe(true)
    expect(makeDataset(fields({ classNames: ['a', 'b', 'c'] })).classCount).toBe(3)
  })

  it('makes a column of a float target [n]', () => {
    const dataset = makeDataset(fields({ task: 'regression', targets: floats([3], [1, 2, 3]) }))
    expect(dataset.targets.shape).toEqual([3, 1])
    expect('classCount' in dataset).toBe(false)
  })

  it('accepts class probabilities', () => {
    const targets = floats([3, 2], [1, 0, 0.5, 0.5, 0, 1])
    expect(makeDataset(fields({ targets })).classCount).toBe(2)
    expect(() => makeDataset(fields({ targets, classCount: 3 }))).toThrow(ShapeError)
    const beyond = floats([3, 2], [1, 0, 0.5, 0.5, 0, 1.5])
    expect(() => makeDataset(fields({ targets: beyond }))).toThrow('got 1.5 at sample 2, class 1')
  })

  it('names the sample and the feature of the first value that is not finite', () => {
    const nan = fields({ inputs: { x: floats([3, 2], [1, 2, 3, Number.NaN, 5, 6]) } })
    expect(() => makeDataset(nan)).toThrow(DomainError)
    expect(() => makeDataset(nan)).toThrow("input 'x' must be finite, got NaN at sample 1, feature 1")
    const infinite = tensor('float32', [3, 2], Float32Array.of(1, 2, 3, 4, -Infinity, 6))
    expect(() => makeDataset(fields({ inputs: { x: infinite } }))).toThrow('got -Infinity at sample 2, feature 0')
    const target = fields({ task: 'regression', targets: floats([3], [0, Infinity, 0]) })
    expect(() => makeDataset(target)).toThrow('targets must be finite, got Infinity at sample 1')
  })

  it('refuses labels out of range', () => {
    expect(() => makeDataset(fields({ targets: labels(0, 1, 2), classCount: 2 }))).toThrow('0…1, got 2 at sample 2')
    expect(() => makeDataset(fields({ targets: labels(1, -1, 1) }))).toThrow('got -1 at sample 1')
    expect(() => makeDataset(fields({ targets: labels(0, 1, 1e15) }))).toThrow('integer targets are class indices')
    const huge = tensor('int64', [3], BigInt64Array.of(0n, 1n, 2n ** 63n - 1n))
    expect(() => makeDataset(fields({ targets: huge, classCount: 2 }))).toThrow(DomainError)
  })

  it('refuses what does not fit together', () => {
    const cases: [Partial<DatasetFields>, string][] = [
      [{ inputs: {} }, 'at least one input'],
      [{ inputs: { x: floats([2, 2], [1, 2, 3, 4]) } }, 'inputs have 2 samples and targets 3'],
      [{ inputs: { x: floats([3, 1], [1, 2, 3]), z: floats([2, 1], [1, 2]) } }, "3 in 'x' and 2 in 'z'"],
      [{ inputs: { x: floats([3, 0], []) } }, 'one sample and one feature, got shape [3,0]'],
      [{ inputs: { x: floats([0, 2], []) }, targets: labels() }, 'at least one sample'],
      [{ inputs: { x: floats([], [1]) } }, 'got shape []'],
      [{ targets: floats([], [1]) }, 'targets none'],
      [{ targets: tensorOf('bool', [3], [0, 1, 1]) }, 'got bool'],
      [{ targets: tensorOf('int64', [3, 1], [0, 1, 1]) }, 'must have shape [n]'],
      [{ task: 'regression' }, 'regression needs float targets'],
      [{ task: 'regression', targets: floats([3], [1, 2, 3]), classCount: 2 }, 'regression has no classes'],
      [{ classNames: ['a', 'a'] }, "got 'a' twice"],
      [{ classNames: ['a', 'b'], classCount: 3 }, '3 classes need 3 names'],
      [{ classCount: 0 }, 'positive integer'],
      [{ sampleWeights: Float64Array.of(1, 2) }, '3 samples need 3 weights'],
      [{ sampleWeights: Float64Array.of(1, -2, 0) }, 'got -2 at sample 1'],
      [{ sampleWeights: Float64Array.of(1, Number.NaN, 0) }, 'got NaN at sample 1'],
      [{ sampleWeights: Float64Array.of(0, 0, 0) }, 'at least one weight'],
    ]
    for (const [changes, message] of cases) expect(() => makeDataset(fields(changes)), message).toThrow(message)
  })

  it('names the inputs there are', () => {
    expect(() => inputNamed(makeDataset(fields()), 'toString')).toThrow("no input named 'toString'. It has: x.")
  })
})

describe('digest', () => {
  const digest = (changes: Partial<DatasetFields> = {}): string => makeDataset(fields(changes)).digest

  it('is the same for the same content, whatever its name, origin or buffer', () => {
    const shifted = new Float64Array([0, 1, 2, 3, 4, 5, 6]).subarray(1)
    expect(digest({ name: 'other', origin: 'elsewhere' })).toBe(digest())
    expect(digest({ inputs: { x: tensor('float64', [3, 2], shifted) } })).toBe(digest())
    const x = floats([3, 1], [1, 2, 3])
    const z = floats([3, 1], [4, 5, 6])
    expect(digest({ inputs: { x, z } })).toBe(digest({ inputs: { z, x } }))
    expect(digest()).toMatch(/^[0-9a-f]{64}$/)
  })

  it('differs where the content differs', () => {
    const variants = [
      digest(),
      digest({ inputs: { x: floats([3, 2], [1, 2, 3, 4, 5, 7]) } }),
      digest({ inputs: { x: floats([3, 1, 2], [1, 2, 3, 4, 5, 6]) } }),
      digest({ inputs: { x: tensorOf('float32', [3, 2], [1, 2, 3, 4, 5, 6]) } }),
      digest({ inputs: { é: floats([3, 2], [1, 2, 3, 4, 5, 6]) } }),
      digest({ targets: labels(0, 1, 0) }),
      digest({ classCount: 3 }),
      digest({ classNames: ['a', 'b'] }),
      digest({ sampleWeights: Float64Array.of(1, 1, 1) }),
    ]
    expect(new Set(variants).size).toBe(variants.length)
  })

  it('is the SHA-256 of the documented message', () => {
    // Written out and hashed with Python's hashlib: a change here makes old digests useless.
    expect(digest()).toBe('d388618858520ab21277016d43a3d4cec83f72700767cc7f1bbaabe9976ef9f7')
  })

  it('survives withFields', () => {
    const dataset = makeDataset(fields())
    expect(withFields(dataset, { name: 'renamed' }).digest).toBe(dataset.digest)
    expect(withFields(dataset, { name: 'renamed' }).name).toBe('renamed')
    expect(() => withFields(dataset, { targets: labels(0, 1) })).toThrow(ShapeError)
  })
})
