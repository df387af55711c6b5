import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DomainError, TaskError } from '@thalweg/graph'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LeaseBeat } from './lease-beat.ts'
import { LeaseQueue } from './lease-queue.ts'
import type { LeaseQueueOptions, QueuedTask } from './lease-queue.ts'
import { LifeLock } from './life-lock.ts'

let folder = ''
const open: LeaseQueue[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thalweg-lease-'))
})
afterEach(() => {
  vi.useRealTimers()
  for (const queue of open.splice(0)) queue.close()
  rmSync(folder, { recursive: true, force: true })
})

function queueOf(tasks: readonly QueuedTask[], options: LeaseQueueOptions = {}): LeaseQueue {
  const queue = new LeaseQueue(join(folder, 'store'), options)
  open.push(queue)
  queue.want(tasks)
  return queue
}

const tasks = (count: number): QueuedTask[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i}`, body: `b${i}` }))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const texts = (queue: LeaseQueue): string[] =>
  [...queue.fresh()].map(([key, value]) => `${key}=${Buffer.from(value).toString()}`)

describe('LeaseQueue', () => {
  test('leases in order, keeps results, hands each out once', () => {
    const queue = queueOf(tasks(3))
    const [a, b] = [queue.lease()!, queue.lease()!]
    expect([a, b]).toMatchObject([
      { key: 'k0', body: 'b0', generation: 1, failures: 0 },
      { key: 'k1', body: 'b1', generation: 1, failures: 0 },
    ])
    expect(queue.complete(b, bytes('B'))).toBe(true)
    expect(queue.counts()).toEqual({ done: 1, leased: 1, waiting: 1, failed: 0 })
    // what this owner completed it has in hand
    expect(texts(queue)).toEqual([])
    queue.close()
    const later = queueOf(tasks(3))
    expect(later.counts()).toEqual({ done: 1, leased: 0, waiting: 2, failed: 0 })
    expect([texts(later), texts(later)]).toEqual([['k1=B'], []])
  })

  test('only what is wanted is leased, by priority and then in the order given', () => {
    queueOf(tasks(2)).close()
    const urgent = { key: 'urgent', body: '', priority: 1 }
    const queue = queueOf([{ key: 'k1', body: 'b1' }, urgent])
    expect([queue.lease()?.key, queue.lease()?.key, queue.lease()]).toEqual(['urgent', 'k1', undefined])
  })

  test('deaths count up to the limit; wanting a failed task again gives it another chance', () => {
    const queue = queueOf(tasks(1))
    expect(queue.fail(queue.lease()!, 'first', 1)).toBe('waiting')
    expect(queue.fail(queue.lease()!, 'second', 1)).toBe('failed')
    expect(queue.failure()).toEqual({ key: 'k0', error: 'second' })
    expect(queue.lease()).toBeUndefined()
    queue.want(tasks(1))
    expect(queue.lease()).toMatchObject({ failures: 0, generation: 3 })
  })

  test('a result under an older generation is dropped', () => {
    const queue = queueOf(tasks(1))
    const old = queue.lease()!
    queue.release(old)
    const current = queue.lease()!
    expect(queue.complete(old, bytes('old'))).toBe(false)
    expect(queue.fail(old, 'old', 0)).toBe('lost')
    expect(queue.complete(current, bytes('new'))).toBe(true)
    expect(queue.complete(current, bytes('twice'))).toBe(false)
    queue.close()
    expect(texts(queueOf(tasks(1)))).toEqual(['k0=new'])
  })

  test('an owner whose beat stands still is out, by the monotonic clock of whoever looks', () => {
    let now = 0
    const owner = queueOf(tasks(1))
    const lease = owner.lease()!
    const other = queueOf(tasks(1), { leaseMs: 1000, now: () => now })
    expect([other.reap(), other.lease()]).toEqual([0, undefined])
    now = 900
    expect(other.reap()).toBe(0)
    now = 1100
    expect(other.reap()).toBe(1)
    const taken = other.lease()!
    expect(taken.generation).toBe(2)
    expect(owner.complete(lease, bytes('late'))).toBe(false)
    expect(other.complete(taken, bytes('in time'))).toBe(true)
    expect(texts(owner)).toEqual(['k0=in time'])
  })

  test('an owner that beats keeps its lease however long it takes', async () => {
    let now = 0
    const owner = queueOf(tasks(1))
    owner.lease()
    const other = queueOf(tasks(1), { leaseMs: 1000, now: () => now })
    const beat = new LeaseBeat({ file: owner.file, owner: owner.owner, everyMs: 5 })
    const beats = (): number => other.beatOf(owner.owner)
    for (let look = 0; look < 5; look++) {
      const before = beats()
      while (beats() === before) await new Promise((go) => setTimeout(go, 5))
      expect(other.reap()).toBe(0)
      now += 100_000
    }
    await beat.stop()
  })

  test('a system clock that jumps changes nothing', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2030-01-01') })
    const owner = queueOf(tasks(2))
    const lease = owner.lease()!
    const other = queueOf(tasks(2))
    for (const date of ['2031-01-01', '1999-01-01', '2099-12-31']) {
      vi.setSystemTime(new Date(date))
      expect(other.reap()).toBe(0)
    }
    expect(owner.complete(lease, bytes('A'))).toBe(true)
  })

  test('a full disk is said, and what was done before is kept', () => {
    const many = tasks(200).map(({ key }) => ({ key, body: '' }))
    const queue = queueOf(many, { pagesMax: 60 })
    let done = 0
    const fill = (): void => {
      for (let lease = queue.lease(); lease; lease = queue.lease()) {
        queue.complete(lease, new Uint8Array(8192))
        done++
      }
    }
    expect(fill).toThrow(TaskError)
    expect(fill).toThrow(/the disk refused to write.*kept: make room and go on with --resume/)
    queue.close()
    expect(done).toBeGreaterThan(5)
    const later = queueOf(many)
    expect(later.counts()).toEqual({ done, leased: 0, waiting: 200 - done, failed: 0 })
    expect([...later.fresh()]).toHaveLength(done)
  })

  test('a folder that cannot be written is said', () => {
    queueOf(tasks(1)).close()
    const store = join(folder, 'store')
    const isRoot = process.getuid?.() === 0
    for (const path of [folder, store, join(store, 'owners')]) chmodSync(path, 0o555)
    // for root everything can be written
    if (isRoot) process.seteuid?.(65534)
    try {
      expect(() => new LeaseQueue(store)).toThrow(DomainError)
      expect(() => new LeaseQueue(store)).toThrow(/cannot be written.*Choose a folder/)
      expect(() => new LeaseQueue(join(folder, 'new'))).toThrow(/the folder cannot be made, EACCES/)
    } finally {
      if (isRoot) process.seteuid?.(0)
      for (const path of [folder, store, join(store, 'owners')]) chmodSync(path, 0o755)
    }
  })

  test('a file that is no queue is said', () => {
    mkdirSync(join(folder, 'store'))
    writeFileSync(join(folder, 'store', 'queue.sqlite'), 'x'.repeat(5000))
    expect(() => new LeaseQueue(join(folder, 'store'))).toThrow(/not a queue, or damaged/)
  })
})

describe('LifeLock', () => {
  test('one holds it, others see it, and it ends', () => {
    const file = join(folder, 'lock')
    expect(LifeLock.isHeld(file)).toBe(false)
    const lock = LifeLock.take(file)!
    expect([LifeLock.isHeld(file), LifeLock.take(file)]).toEqual([true, undefined])
    lock.release()
    expect([LifeLock.isHeld(file), existsSync(file)]).toEqual([false, true])
    LifeLock.take(file)!.release()
  })
})
