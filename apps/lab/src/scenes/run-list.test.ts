import { expect, it } from 'vitest'
import { filteredRuns, mergedRuns } from './run-list.ts'
import type { ListedRun } from './run-list.ts'

const run = (id: string, change: Partial<ListedRun> = {}): ListedRun => ({
  id,
  name: id,
  command: 'run',
  state: 'finished',
  updatedAt: `2026-01-0${id.length}T00:00:00Z`,
  model: { name: 'mlp 2-16-2' },
  data: { name: 'two-moons' },
  loss: { name: 'cross-entropy', value: 0.1 * id.length },
  gradientNorm: null,
  verdict: null,
  ...change,
})

const everything = { search: '', state: 'all', command: 'all', verdict: 'all' }
const runs = [
  run('a', { verdict: { kind: 'strict-saddle', summary: '' }, gradientNorm: 2 }),
  run('bb', { state: 'queued', loss: null }),
  run('ccc', { command: 'surface', gradientNorm: 1 }),
]
const ids = (list: readonly ListedRun[]): string => list.map(({ id }) => id).join()

it('filters by all words, state, command and verdict', () => {
  expect(ids(filteredRuns(runs, { ...everything, search: 'MOONS saddle' }, 'name'))).toBe('a')
  expect(ids(filteredRuns(runs, { ...everything, state: 'running' }, 'name'))).toBe('bb')
  expect(ids(filteredRuns(runs, { ...everything, command: 'surface' }, 'name'))).toBe('ccc')
  expect(ids(filteredRuns(runs, { ...everything, verdict: 'strict-saddle' }, 'name'))).toBe('a')
})

it('orders by time, loss and gradient; what has no number stands last', () => {
  expect(ids(filteredRuns(runs, everything, 'updated'))).toBe('ccc,bb,a')
  expect(ids(filteredRuns(runs, everything, 'loss'))).toBe('a,ccc,bb')
  expect(ids(filteredRuns(runs, everything, 'gradient-norm'))).toBe('ccc,a,bb')
})

it('takes changes of the list in', () => {
  const merged = mergedRuns(runs, [run('a', { state: 'failed' }), run('dddd')], ['bb'])
  expect(merged.map(({ id, state }) => `${id} ${state}`)).toEqual(['a failed', 'ccc finished', 'dddd finished'])
})
