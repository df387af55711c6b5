import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DomainError } from '@thalweg/graph'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { blobsOf } from './run-tasks.ts'
import type { TaskProgress } from './run-tasks-options.ts'
import type { Task } from './task.ts'
import type { TestRun } from './testing/test-run.ts'
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
const pidOf = (name: string): number =>
  Number(
    readFileSync(join(folder, `${name}.log`), 'utf8')
      .trim()
      .split('\n')
      .at(-1),
  )

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('runTasks with workers', () => {
  test('gives every result once, the same for 0, 1, 2 and 4 workers', async () => {
    const tasks = hashTasks(60, 50)
    const runs = []
    for (const workers of [0, 1, 2, 4]) runs.push(await collect(tasks, { store: store(String(workers)), workers }))
    for (const { outcome, results, deliveries } of runs) {
      expect(outcome).toEqual({ status: 'finished', done: 60, total: 60, retried: 0 })
      expect(deliveries).toBe(60)
      expect(results).toEqual(runs[0].results)
    }
    expect(new Set(runs[0].results).size).toBe(60)
  })

  test('10,000 tasks', async () => {
    const tasks = hashTasks(10_000)
    let largest = 0
    const { outcome, deliveries, results } = await collect(tasks, {
      store: store(),
      workers: 2,
      onProgress: ({ done }) => {
        // true: it never goes back, nor beyond what there is
        expect(done).toBeGreaterThanOrEqual(largest)
        largest = done
      },
    })
    expect([outcome.done, deliveries, largest, new Set(results).size]).toEqual([10_000, 10_000, 10_000, 10_000])
  }, 240_000)

  test('a process that is killed in the middle of its task loses nothing', async () => {
    const tasks = [...hashTasks(10), faultTask('mortal', 'die', 2), ...hashTasks(20).slice(10)]
    const { outcome, results, deliveries } = await collect(tasks, { store: store(), workers: 2 })
    expect(outcome).toMatchObject({ status: 'finished', done: 21, total: 21, retried: 2 })
    expect(deliveries).toBe(21)
    expect(results[10]).toBe('result of mortal')
    expect(begun('mortal')).toBe(3)
  })

  test('retries have a limit; the rest stays done', async () => {
    const tasks = [faultTask('good', 'none'), faultTask('hopeless', 'die', 99)]
    const call = collect(tasks, { store: store(), workers: 1, retries: 1 })
    await expect(call).rejects.toThrow(/ended early \(signal SIGKILL\).*tried 2 times/)
    expect(begun('hopeless')).toBe(2)
    const { deliveries } = await collect(tasks.slice(0, 1), { store: store(), workers: 1 })
    expect([deliveries, begun('good')]).toEqual([1, 1])
  })

  test('what a task throws is final, as its class, and is tried again by the next call only', async () => {
    const tasks = [faultTask('bad', 'throw')]
    for (const count of [1, 2]) {
      await expect(collect(tasks, { store: store(), workers: 1 })).rejects.toThrow(DomainError)
      expect(begun('bad')).toBe(count)
    }
  })

  test('a task that takes too long is ended', async () => {
    const call = collect([faultTask('slow', 'hold')], { store: store(), workers: 1, retries: 0, taskTimeLimitMs: 300 })
    await expect(call).rejects.toThrow(/longer than its time limit of 0.3 s/)
  })

  test('pausing lets the running task finish; cancelling ends it; both go on later', async () => {
    const tasks = [faultTask('held', 'hold'), ...hashTasks(5)]
    const cancel = { aborted: false }
    const cancelled = collect(tasks, { store: store(), workers: 1, signal: cancel })
    await until(() => begun('held') === 1)
    cancel.aborted = true
    expect((await cancelled).outcome).toMatchObject({ status: 'interrupted', done: 0, total: 6 })
    const pause = { aborted: false, reason: 'pause' }
    const paused = collect(tasks, { store: store(), workers: 1, signal: pause })
    await until(() => begun('held') === 2)
    pause.aborted = true
    writeFileSync(join(folder, 'go'), '')
    expect((await paused).outcome).toMatchObject({ status: 'paused', done: 1, total: 6 })
    const { outcome, deliveries } = await collect(tasks, { store: store(), workers: 1 })
    expect([outcome.status, deliveries, begun('held')]).toEqual(['finished', 6, 2])
  })

  test('as many tasks run at once as fit the memory', async () => {
    const tasks = ['a', 'b', 'c'].map((name) => faultTask(name, 'hold'))
    let most = 0
    const call = collect(tasks, {
      store: store(),
      workers: 3,
      taskMemoryBytes: 40,
      memoryBytes: 100,
      onProgress: ({ running }) => {
        most = Math.max(most, running)
      },
    })
    await until(() => tasks.filter((_, i) => begun('abc'[i]) > 0).length === 2)
    expect(begun('c')).toBe(0)
    writeFileSync(join(folder, 'go'), '')
    expect((await call).outcome.done).toBe(3)
    expect(most).toBeLessThanOrEqual(2)
  })

  test('blobs are read by digest, and a damaged one is refused', async () => {
    const data = await blobsOf(store()).put(new Uint8Array(1000))
    const tasks = [1, 2, 3].map((factor) => testTask('blob-length', { factor }, { data }))
    expect((await collect(tasks, { store: store(), workers: 1 })).results).toEqual(['1000', '2000', '3000'])
    writeFileSync(join(store(), 'blobs', data), 'something else')
    const other = collect([testTask('blob-length', { factor: 4 }, { data })], { store: store(), workers: 1 })
    await expect(other).rejects.toThrow(/damaged/)
  })
})

describe('killing the parent', () => {
  const program = fileURLToPath(new URL('testing/test-run.ts', import.meta.url))

  /** Starts a process that runs the tasks, kills it when `done` of them are done, returns the progress it told last. */
  async function runAndKill(run: TestRun, done: number): Promise<TaskProgress> {
    const child = fork(program, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    let last: TaskProgress | undefined
    const exited = once(child, 'exit')
    child.on('message', (progress: TaskProgress) => {
      last = progress
      if (progress.done >= done) child.kill('SIGKILL')
    })
    child.send(run)
    await exited
    return last!
  }

  test('ten times, at ten places: nothing is lost and nothing counted twice', async () => {
    const names = Array.from({ length: 44 }, (_, i) => `t${i}`)
    const tasks = names.map((name) => faultTask(name, 'none'))
    const run: TestRun = { tasks, options: { store: store(), workers: 2, threads: 1 } }
    let known = 0
    for (let kill = 1; kill <= 10; kill++) {
      const { done } = await runAndKill(run, 4 * kill)
      expect(done).toBeGreaterThanOrEqual(known)
      known = done
    }
    const before = names.filter((name) => begun(name) > 0).length
    expect(before).toBeLessThan(44)
    const { outcome, results, deliveries } = await collect(tasks, { store: store(), workers: 2 })
    expect(outcome).toMatchObject({ status: 'finished', done: 44, total: 44 })
    expect(deliveries).toBe(44)
    expect(results).toEqual(names.map((name) => `result of ${name}`))
    // only what ran at the moment of a kill, two tasks each time, and a result on its way, was begun again
    const again = names.reduce((sum, name) => sum + begun(name) - 1, 0)
    expect(again).toBeLessThanOrEqual(20)
  }, 120_000)

  test('its workers end with it, and its lease is free at once', async () => {
    const run: TestRun = { tasks: [faultTask('held', 'hold')], options: { store: store(), workers: 1, threads: 1 } }
    const child = fork(program, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.send(run)
    await until(() => begun('held') === 1)
    const worker = pidOf('held')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await until(() => !existsSync(`/proc/${worker}`))
    writeFileSync(join(folder, 'go'), '')
    const { outcome } = await collect(run.tasks, { store: store(), workers: 0 })
    expect(outcome.status).toBe('finished')
    expect(readdirSync(join(store(), 'owners'))).toEqual([])
  }, 60_000)

  test('two processes share one store: every task is done once', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `s${i}`)
    const run: TestRun = {
      tasks: names.map((name) => faultTask(name, 'none')),
      options: { store: store(), workers: 1, threads: 1 },
    }
    const other = runAndKill(run, 1000)
    const mine = collect(run.tasks, { store: store(), workers: 1 })
    const [{ done }, { outcome, deliveries }] = await Promise.all([other, mine])
    expect([done, outcome.done, deliveries]).toEqual([30, 30, 30])
    expect(names.map(begun)).toEqual(names.map(() => 1))
  }, 60_000)
})
