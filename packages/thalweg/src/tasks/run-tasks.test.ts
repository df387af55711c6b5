import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runTasks } from './run-tasks.ts'
import type { Task } from './task.ts'
import { testKinds } from './testing/test-kinds.ts'
import { collect, hashTasks, testTask } from './testing/test-tasks.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thalweg-tasks-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const store = (name = 'store'): string => join(folder, name)
const faultTask = (name: string, fault: string, times = 1): Task => testTask('fault', { folder, name, fault, times })
/** How often tasks began. */
const begun = (name: string): number => {
  const log = join(folder, `${name}.log`)
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0
}

describe('runTasks in the calling process', () => {
  test('gives every result once, as known ones again', async () => {
    const tasks = hashTasks(60, 5)
    const first = await collect(tasks, { store: store(), workers: 0 })
    expect(first.outcome).toEqual({ status: 'finished', done: 60, total: 60, retried: 0 })
    expect(new Set(first.results).size).toBe(60)
    const again = await collect(tasks.toReversed(), { store: store(), workers: 0 })
    expect([again.deliveries, again.results]).toEqual([60, first.results.toReversed()])
  })

  test('equal tasks are done once, and known ones not again', async () => {
    const same = [faultTask('a', 'none'), faultTask('a', 'none'), faultTask('b', 'none')]
    const first = await collect(same, { store: store(), workers: 0 })
    expect(first.results).toEqual(['result of a', 'result of a', 'result of b'])
    expect(first.outcome.total).toBe(2)
    const second = await collect([...same, faultTask('c', 'none')], { store: store(), workers: 0 })
    expect(second.deliveries).toBe(4)
    expect([begun('a'), begun('b'), begun('c')]).toEqual([1, 1, 1])
  })

  test('higher priorities go first, equal ones in the order given', async () => {
    const order: number[] = []
    await runTasks(hashTasks(5), {
      ...{ store: store(), workers: 0, threads: 1, kinds: testKinds },
      priority: (index) => (index >= 3 ? 1 : 0),
      onResult: (index) => order.push(index),
    })
    expect(order).toEqual([3, 4, 0, 1, 2])
  })

  test('a task for another engine is refused', async () => {
    const task = { ...hashTasks(1)[0], fingerprint: 'abacus; 10 beads' }
    await expect(collect([task], { store: store(), workers: 1 })).rejects.toThrow(/must be done by 'abacus; 10 beads'/)
  })
})
