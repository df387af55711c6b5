import { expect, test } from 'vitest'
import { atLeast, atMost, near } from './claim.ts'
import type { Claim } from './claim.ts'
import { ledger, ledgerProblems, selectClaims } from './ledger.ts'

function claim(id: string, more: Partial<Claim> = {}): Claim {
  return {
    ...{ id, topic: 'Topic', statement: 'S.', source: { text: 'Nobody 2020' }, experiment: 'E.' },
    expected: 'holds',
    ...{ estimateSeconds: 1, run: () => Promise.reject(new Error('never')) },
    ...more,
  }
}

test('the ledger is sound: ids are unique, texts are there, and all of it takes less than 30 minutes on two cores', () => {
  expect(ledgerProblems(ledger)).toEqual([])
  const seconds = ledger.reduce((sum, { estimateSeconds }) => sum + estimateSeconds, 0)
  expect(seconds / 2).toBeLessThan(30 * 60)
})

test('an unsound ledger is told apart', () => {
  const claims = [
    claim('A-1'),
    claim('a-1'),
    claim('b 2'),
    claim('c', { statement: ' ' }),
    claim('d', { estimateSeconds: 0 }),
    claim('e', { source: { text: 'Nobody 2020', place: '' } }),
  ]
  expect(ledgerProblems(claims)).toEqual([
    'a-1: its id is taken.',
    'b 2: its id must be letters, digits, dots and hyphens.',
    'c: its statement must not be empty.',
    'd: its estimateSeconds must be positive, got 0.',
    'e: its place must not be empty.',
  ])
})

test('claims are selected by id in the order asked for, by topic, or all', () => {
  const claims = [claim('A-1'), claim('B-5', { topic: 'Wide networks' }), claim('B-6', { topic: 'Wide networks' })]
  const ids = (chosen: readonly Claim[]): string[] => chosen.map(({ id }) => id)
  expect(ids(selectClaims(claims, {}))).toEqual(['A-1', 'B-5', 'B-6'])
  expect(ids(selectClaims(claims, { ids: ['b-6', 'A-1', 'B-6'] }))).toEqual(['B-6', 'A-1'])
  expect(ids(selectClaims(claims, { topic: 'wide' }))).toEqual(['B-5', 'B-6'])
  expect(() => selectClaims(claims, { topic: 'deep' })).toThrow(/no claim has the topic deep.*Topic; Wide networks/)
})

test('an unknown id is refused with those that are spelled nearly so', () => {
  const claims = [claim('B-5'), claim('B-6'), claim('saddle-escape-times')]
  expect(() => selectClaims(claims, { ids: ['B5x'] })).toThrow(/there is no claim B5x. Did you mean B-5/)
  expect(() => selectClaims(claims, { ids: ['escape'] })).toThrow(/Did you mean saddle-escape-times\?/)
  expect(() => selectClaims(claims, { ids: ['zzzzzz'] })).toThrow(/no claim zzzzzz. --list/)
})

test('measurements know whether they agree', () => {
  expect(near('a', 1.1, 1, 0.2).met).toBe(true)
  expect(near('a', Number.NaN, 1, 0.2).met).toBe(false)
  expect(atMost('a', 2, 1).met).toBe(false)
  // extremes of no numbers
  expect(atMost('a', Math.max(), 1).met).toBe(false)
  expect(atLeast('a', Math.min(), 1).met).toBe(false)
  expect(atLeast('a', 2, 1, 'printed 3')).toMatchObject({ met: true, literature: 'printed 3' })
})
