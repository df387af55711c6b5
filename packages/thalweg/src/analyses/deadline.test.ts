import { expect, test } from 'vitest'
import { deadlineOf } from './deadline.ts'

function clock(): { now: () => number; signal: AbortSignal; advance: (ms: number) => void } {
  let time = 1000
  return { now: () => time, signal: new AbortController().signal, advance: (ms) => void (time += ms) }
}

test('without a limit only the caller aborts', () => {
  const controller = new AbortController()
  const deadline = deadlineOf({ now: () => 1e9, signal: controller.signal })
  deadline.reserve(5)
  expect(deadline.signal.aborted).toBe(false)
  controller.abort()
  expect(deadline.signal.aborted).toBe(true)
  expect(deadline.expired()).toBe(false)
})

test('time reserved for residuals is taken from the search, and the search then counts as stopped by the clock', () => {
  const time = clock()
  const deadline = deadlineOf(time, 100)
  deadline.reserve(30)
  time.advance(69)
  expect(deadline.signal.aborted).toBe(false)
  time.advance(5)
  // no search has asked: all may yet end in time
  expect(deadline.expired()).toBe(false)
  expect(deadline.signal.aborted).toBe(true)
  expect(deadline.expired()).toBe(true)
})

test('half of the limit is left to the search, whatever follows it', () => {
  const time = clock()
  const deadline = deadlineOf(time, 100)
  deadline.reserve(1000)
  time.advance(50)
  expect(deadline.signal.aborted).toBe(false)
  time.advance(1)
  expect(deadline.signal.aborted).toBe(true)
})
