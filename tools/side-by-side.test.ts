import { describe, expect, it } from 'vitest'
import {
  type Benchmark,
  disagreement,
  ratioTo,
  referenceOf,
  summarize,
  timeContestants,
  wrongOnes,
} from './side-by-side.ts'

const benchmark = (contestants: Benchmark['contestants']): Benchmark => ({
  name: 'sum',
  work: 'sums',
  tolerance: 0,
  rounds: 2,
  repetitions: 3,
  contestants,
})

describe('timeContestants', () => {
  it('lets contestants take turns, warms them up and disposes of them', async () => {
    const calls: string[] = []
    const local = (name: string) => ({
      name,
      step: () => calls.push(name),
      result: () => [1, 2],
      dispose: () => calls.push(`${name} gone`),
    })
    const times = await timeContestants(benchmark(() => Promise.resolve([local('a'), local('b')])))
    const turn = (name: string): string[] => Array<string>(4).fill(name)
    expect(calls).toEqual([...turn('a'), ...turn('b'), ...turn('a'), ...turn('b'), 'a gone', 'b gone'])
    expect(times.map((entry) => ('skipped' in entry ? 0 : entry.elapsedMs.length))).toEqual([6, 6])
  })

  it('takes times from elsewhere, and passes over who cannot come', async () => {
    const [far, absent] = await timeContestants(
      benchmark(() =>
        Promise.resolve([
          {
            name: 'far',
            measure: (count: number) => Promise.resolve({ elapsedMs: Array(count).fill(7), result: [3] }),
          },
          { name: 'absent', skipped: 'not installed' },
        ]),
      ),
    )
    expect(far).toEqual({ name: 'far', elapsedMs: [7, 7, 7, 7, 7, 7], result: [3] })
    expect(absent).toEqual({ name: 'absent', skipped: 'not installed' })
  })

  it('disposes of everyone and tells when a step fails', async () => {
    let disposed = false
    const failing = {
      name: 'failing',
      step: () => {
        throw new Error('no')
      },
      result: () => [],
      dispose: () => {
        disposed = true
      },
    }
    await expect(timeContestants(benchmark(() => Promise.resolve([failing])))).rejects.toThrow('no')
    expect(disposed).toBe(true)
  })
})

describe('statistics', () => {
  const times = (result: number[], ...elapsedMs: number[]) => ({ name: 'x', elapsedMs, result })

  it('gives minimum, median and relative median deviation', () => {
    expect(summarize([4, 1, 2])).toEqual({ min: 1, median: 2, spread: 0.5 })
    expect(summarize([4, 2, 8, 6])).toEqual({ min: 2, median: 5, spread: 0.4 })
  })

  it('divides their median by ours', () => {
    expect(ratioTo(times([], 6, 6, 9), times([], 2, 3, 1))).toBe(3)
    expect(ratioTo({ name: 'x', skipped: 'y' }, times([], 1))).toBeNaN()
  })

  it('measures disagreement relative to our largest value', () => {
    expect(disagreement(times([1, -4.5]), times([1, -4]))).toBe(0.125)
    expect(disagreement(times([1]), times([1, 2]))).toBe(Number.POSITIVE_INFINITY)
    expect(disagreement(times([Number.NaN]), times([1]))).toBeNaN()
  })
})

describe('who is right', () => {
  const entry = (name: string, ...result: number[]) => ({ name, elapsedMs: [1], result })
  const plain = benchmark(() => Promise.resolve([]))
  const known = { ...plain, tolerance: 0.01, truth: 'truth' }

  it('is who agrees with ours, where no truth is known', () => {
    const times = [entry('ours', 1), entry('same', 1), entry('other', 2), { name: 'absent', skipped: 'x' }]
    expect(referenceOf(plain, times)).toBe(times[0])
    expect(wrongOnes(plain, times)).toEqual([times[2]])
  })

  it('is measured by the truth where there is one, to which only ours is bound', () => {
    const [ours, truth, other] = [entry('ours', 1.001), entry('truth', 1), entry('other', 2)]
    expect(referenceOf(known, [ours, other, truth])).toBe(truth)
    expect(wrongOnes(known, [ours, other, truth])).toEqual([])
    const bad = entry('ours', Number.NaN)
    expect(wrongOnes(known, [bad, other, truth])).toEqual([bad])
  })

  it('cannot be told without the truth', () => {
    expect(() => referenceOf(known, [entry('ours', 1)])).toThrow('The truth, truth, did not take part.')
    expect(() => referenceOf(known, [entry('ours', 1), { name: 'truth', skipped: 'x' }])).toThrow('did not take part')
  })
})
