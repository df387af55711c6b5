import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Gathered } from './gathered.ts'

/** A list that changes append to; `cost` is how long showing it takes. */
function list(cost: number) {
  const shows: number[][] = []
  let state: number[] = []
  const look = { hidden: false }
  const show = (change: (old: number[]) => number[]): void => {
    state = change(state)
    shows.push(state)
    vi.advanceTimersByTime(cost)
    gathered.shown()
  }
  const gathered = new Gathered<number[]>(show, () => look.hidden)
  return { shows, add: (value: number) => gathered.add((old) => [...old, value]), gathered, look }
}

describe('changes gathered', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('shows the first at once, and those that follow in order and together, none lost', () => {
    const { shows, add } = list(0)
    add(1)
    vi.advanceTimersByTime(0)
    expect(shows).toEqual([[1]])
    for (let k = 2; k <= 5; k++) {
      add(k)
      vi.advanceTimersByTime(10)
    }
    expect(shows).toHaveLength(1)
    vi.advanceTimersByTime(200)
    expect(shows).toEqual([[1], [1, 2, 3, 4, 5]])
    vi.advanceTimersByTime(1000)
    add(6)
    vi.advanceTimersByTime(0)
    expect(shows.at(-1)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('rests the longer the longer showing takes', () => {
    const { shows, add } = list(300)
    let sent = 0
    const until = performance.now() + 15_000
    while (performance.now() < until) {
      add(++sent)
      vi.advanceTimersByTime(20)
    }
    // a fifth of the time, at 300 ms each
    expect(shows.length).toBeGreaterThan(5)
    expect(shows.length).toBeLessThanOrEqual(11)
  })

  it('rests longest while nobody sees the page, and is up to date as soon as somebody does', () => {
    const { shows, add, gathered, look } = list(0)
    add(0)
    vi.advanceTimersByTime(0)
    look.hidden = true
    for (let k = 1; k <= 40; k++) {
      add(k)
      vi.advanceTimersByTime(100)
    }
    expect(shows).toHaveLength(1)
    look.hidden = false
    gathered.flush()
    expect(shows.at(-1)).toHaveLength(41)
  })

  it('forgets what waits', () => {
    const { shows, add, gathered } = list(0)
    add(1)
    gathered.clear()
    vi.advanceTimersByTime(1000)
    expect(shows).toEqual([])
  })
})
