import { numbersOf, tensorOf } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { makeDataset, sampleCount } from './dataset.ts'
import type { Dataset } from './dataset.ts'
import { gaussianMixture } from './gaussian-mixture.ts'
import { oneHot } from './one-hot.ts'
import { randomLabels } from './random-labels.ts'
import { split, subset } from './split.ts'
import { applyStandardization, fitStandardization, reshapeInput, standardize } from './standardize.ts'
import { teacherStudent } from './teacher-student.ts'

/** Sample i has features (i, 10 i) and the given label. */
function numbered(labels: number[], extra: Partial<Dataset> = {}): Dataset {
  const n = labels.length
  return makeDataset({
    name: 'numbered',
    inputs: {
      x: tensorOf(
        'float64',
        [n, 2],
        labels.flatMap((_, i) => [i, 10 * i]),
      ),
    },
    targets: tensorOf('int64', [n], labels),
    task: 'classification',
    origin: 'test',
    ...extra,
  })
}

const firstFeatures = (dataset: Dataset): number[] =>
  Array.from(dataset.inputs.x.data, Number).filter((_, i) => i % 2 === 0)

describe('subset', () => {
  it('takes rows, targets and weights in the given order, keeping the classes', () => {
    const dataset = numbered([0, 1, 2, 1], { sampleWeights: Float64Array.of(1, 2, 3, 4) })
    const part = subset(dataset, [3, 0, 3])
    expect(Array.from(numbersOf(part.inputs.x))).toEqual([3, 30, 0, 0, 3, 30])
    expect(Array.from(numbersOf(part.targets))).toEqual([1, 0, 1])
    expect(part.sampleWeights).toEqual(Float64Array.of(4, 1, 4))
    expect(part.classCount).toBe(3)
    expect(Array.from(numbersOf(dataset.targets))).toEqual([0, 1, 2, 1])
  })

  it('refuses indices that are not there', () => {
    const dataset = numbered([0, 1])
    expect(() => subset(dataset, [])).toThrow('at least one')
    for (const index of [2, -1, 0.5, Number.NaN]) expect(() => subset(dataset, [0, index])).toThrow('0…1')
  })
})

describe('split', () => {
  const dataset = numbered(Array.from({ length: 101 }, (_, i) => (i % 10 === 0 ? 1 : i % 3 === 0 ? 2 : 0)))

  it('parts the samples into two, each in order, the same for the same seed', () => {
    const { train, test } = split(dataset, 0.7, { seed: 4 })
    const all = [...firstFeatures(train), ...firstFeatures(test)]
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 101 }, (_, i) => i))
    expect(firstFeatures(train)).toEqual(firstFeatures(train).toSorted((a, b) => a - b))
    expect(sampleCount(train)).toBe(71)
    expect(split(dataset, 0.7, { seed: 4 }).train.digest).toBe(train.digest)
    expect(split(dataset, 0.7, { seed: 5 }).train.digest).not.toBe(train.digest)
  })

  it('keeps class shares within one sample when stratified', () => {
    const count = (part: Dataset, label: bigint): number =>
      (part.targets.data as BigInt64Array).filter((y) => y === label).length
    for (const fraction of [0.1, 0.33, 0.5, 0.8]) {
      const { train } = split(dataset, fraction, { seed: 1 })
      expect(sampleCount(train)).toBe(Math.round(fraction * 101))
      for (const label of [0n, 1n, 2n])
        expect(Math.abs(count(train, label) - fraction * count(dataset, label))).toBeLessThan(1)
    }
  })

  it('leaves at least one sample on each side', () => {
    const pair = numbered([0, 1])
    for (const fraction of [0.01, 0.99])
      for (const stratified of [true, false]) {
        const { train, test } = split(pair, fraction, { stratified })
        expect([sampleCount(train), sampleCount(test)]).toEqual([1, 1])
      }
  })

  it('refuses what cannot be split', () => {
    for (const fraction of [0, 1, -0.1, Number.NaN]) expect(() => split(dataset, fraction)).toThrow('between 0 and 1')
    expect(() => split(numbered([0]), 0.5)).toThrow('at least 2')
    expect(() => split(teacherStudent({ samples: 4 }), 0.5, { stratified: true })).toThrow('no class labels')
    expect(sampleCount(split(teacherStudent({ samples: 4 }), 0.5).test)).toBe(2)
  })
})

describe('standardize', () => {
  it('gives the training part mean 0 and deviation 1 and treats the test part alike', () => {
    const { train, test } = split(gaussianMixture({ samples: 200, dimension: 3, seed: 2 }), 0.5)
    const result = standardize(train, test)
    const x = result.train.inputs.x.data as Float64Array
    for (let j = 0; j < 3; j++) {
      const column = x.filter((_, i) => i % 3 === j)
      const mean = column.reduce((s, v) => s + v, 0) / column.length
      const variance = column.reduce((s, v) => s + v * v, 0) / column.length
      expect(Math.abs(mean)).toBeLessThan(1e-14)
      expect(Math.abs(variance - 1)).toBeLessThan(1e-13)
    }
    const expected = (Number(test.inputs.x.data[4]) - result.mean[1]) / result.scale[1]
    expect((result.test as Dataset).inputs.x.data[4]).toBe(expected)
  })

  it('centers constant features to exactly 0', () => {
    const dataset = numbered([0, 1, 0], { inputs: { x: tensorOf('float64', [3, 2], [0.1, 1, 0.1, 2, 0.1, 6]) } })
    const { train, mean, scale } = standardize(dataset)
    expect([mean[0], scale[0]]).toEqual([0.1, 1])
    expect(Array.from(numbersOf(train.inputs.x)).filter((_, i) => i % 2 === 0)).toEqual([0, 0, 0])
  })

  it('works per channel, on float32, and with given numbers', () => {
    const x = tensorOf('float32', [2, 2, 2], [1, 3, 10, 30, 5, 7, 50, 70])
    const dataset = numbered([0, 1], { inputs: { x } })
    const { mean, scale } = fitStandardization(dataset, { per: 'channel' })
    expect(Array.from(mean)).toEqual([4, 40])
    expect(Array.from(scale)).toEqual([Math.sqrt(5), Math.sqrt(500)])
    const given = { input: 'x', mean: Float64Array.of(1, 10), scale: Float64Array.of(2, 20) }
    const applied = applyStandardization(dataset, given)
    expect(applied.inputs.x.dtype).toBe('float32')
    expect(Array.from(numbersOf(applied.inputs.x))).toEqual([0, 1, 0, 1, 2, 3, 2, 3])
    expect(() => applyStandardization(dataset, { ...given, mean: Float64Array.of(1, 2, 3) })).toThrow('4 means')
  })

  it('turns integers into float64 and refuses what overflows', () => {
    const integers = numbered([0, 1], { inputs: { x: tensorOf('int64', [2, 1], [1, 3]) } })
    expect(Array.from(numbersOf(standardize(integers).train.inputs.x))).toEqual([-1, 1])
    const huge = numbered([0, 1], { inputs: { x: tensorOf('float64', [2, 1], [1.7e308, -1.7e308]) } })
    expect(() => standardize(huge)).toThrow('Rescale it first')
    expect(() => fitStandardization(integers, { input: 'y' })).toThrow("no input named 'y'")
  })
})

describe('reshapeInput', () => {
  it('keeps the elements and refuses another number of them', () => {
    const dataset = numbered([0, 1, 2])
    expect(reshapeInput(dataset, 'x', [1, 2, 1]).inputs.x.shape).toEqual([3, 1, 2, 1])
    expect(() => reshapeInput(dataset, 'x', [3])).toThrow('2 elements')
  })
})

describe('oneHot and randomLabels', () => {
  it('puts a one at each label', () => {
    const { targets, classCount, task } = oneHot(numbered([2, 0]), 'float32')
    expect([targets.dtype, targets.shape, classCount, task]).toEqual(['float32', [2, 3], 3, 'classification'])
    expect(Array.from(numbersOf(targets))).toEqual([0, 0, 1, 1, 0, 0])
    expect(() => oneHot(oneHot(numbered([1, 0])))).toThrow('class indices')
  })

  it('draws labels anew, a superset of them for a larger fraction', () => {
    const dataset = numbered(new Array(2000).fill(0), { classCount: 4 })
    const all = randomLabels(dataset, { seed: 3 })
    const some = randomLabels(dataset, { seed: 3, fraction: 0.5 })
    const counts = [0, 0, 0, 0]
    for (const y of all.targets.data) counts[Number(y)]++
    // Binomial(2000, ¼): standard deviation 19.4, four of them allowed.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(78)
    const changed = Array.from(some.targets.data.keys()).filter((i) => some.targets.data[i] !== 0n)
    // Changed with probability ½ · ¾: mean 750, standard deviation 21.7.
    expect(Math.abs(changed.length - 750)).toBeLessThan(87)
    for (const i of changed) expect(all.targets.data[i]).toBe(some.targets.data[i])
    expect(all.inputs.x).toBe(dataset.inputs.x)
    expect(() => randomLabels(dataset, { fraction: 2 })).toThrow('0…1')
    expect(() => randomLabels(teacherStudent())).toThrow('class indices')
  })
})
