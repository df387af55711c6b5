import { describe, expect, test } from 'vitest'
import { SampleOrder } from './sample-order.ts'
import { checkSchedule, scheduleFactor } from './schedule.ts'
import type { Schedule } from './schedule.ts'

const factors = (schedule: Schedule, steps: number): number[] =>
  Array.from({ length: steps }, (_, t) => scheduleFactor(checkSchedule(schedule), t, steps))

describe('schedules', () => {
  test('constant, step, inverse-time', () => {
    expect(factors({ kind: 'constant' }, 3)).toEqual([1, 1, 1])
    expect(factors({ kind: 'step', every: 2, factor: 0.5 }, 5)).toEqual([1, 1, 0.5, 0.5, 0.25])
    expect(factors({ kind: 'inverse-time', decay: 1 }, 4)).toEqual([1, 1 / 2, 1 / 3, 1 / 4])
  })

  test('cosine falls from 1 towards its minimum', () => {
    const values = factors({ kind: 'cosine', minimum: 0.2 }, 4)
    ;[1, 0.2 + 0.4 * (1 + Math.SQRT1_2), 0.6, 0.2 + 0.4 * (1 - Math.SQRT1_2)].forEach((v, i) =>
      expect(values[i]).toBeCloseTo(v, 15),
    )
  })

  test('warm-up comes first, and the rule counts from its end', () => {
    expect(factors({ kind: 'step', every: 1, factor: 0.5, warmUp: 2 }, 5)).toEqual([0.5, 1, 1, 0.5, 0.25])
  })

  test.each([
    [{ kind: 'linear' }, /kind must be one of/],
    [{ kind: 'step', every: 0, factor: 0.1 }, /every must be a positive integer/],
    [{ kind: 'step', every: 1, factor: 0 }, /factor must be positive/],
    [{ kind: 'constant', warmUp: -1 }, /warmUp/],
    [{ kind: 'inverse-time', decay: Number.NaN }, /decay/],
  ])('refuses %o', (schedule, message) => {
    expect(() => checkSchedule(schedule as Schedule)).toThrow(message)
  })
})

describe('order of samples', () => {
  /** All samples of `epochs` epochs, step by step. */
  function batches(order: SampleOrder, epochs: number): number[][] {
    return Array.from({ length: epochs * order.stepsPerEpoch }, (_, t) => {
      const row = new BigInt64Array(order.sizeAt(t))
      order.writeRows(row, t, 1)
      return Array.from(row, Number)
    })
  }

  test('every epoch is another permutation of all samples', () => {
    const order = new SampleOrder({ samples: 10, batchSize: 4, seed: 0 })
    const all = batches(order, 2)
    expect(all.map((b) => b.length)).toEqual([4, 4, 2, 4, 4, 2])
    const epochs = [all.slice(0, 3).flat(), all.slice(3).flat()]
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(epochs[0]).not.toEqual(epochs[1])
  })

  test('several steps at once are the same steps', () => {
    const order = new SampleOrder({ samples: 9, batchSize: 3, seed: 5 })
    const rows = new BigInt64Array(7 * 3)
    order.writeRows(rows, 2, 7)
    const single = batches(new SampleOrder({ samples: 9, batchSize: 3, seed: 5 }), 3)
    expect(Array.from(rows, Number)).toEqual(single.slice(2, 9).flat())
  })

  test('runs stop where the batch size changes', () => {
    const kept = new SampleOrder({ samples: 10, batchSize: 4, seed: 0 })
    expect([0, 1, 2, 3].map((t) => kept.runFrom(t, 100))).toEqual([2, 1, 1, 2])
    const dropped = new SampleOrder({ samples: 10, batchSize: 4, dropLast: true, seed: 0 })
    expect([dropped.runFrom(1, 100), dropped.stepsPerEpoch]).toEqual([100, 2])
  })
})
