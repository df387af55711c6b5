import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Queue } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../tasks/canonical-json.ts'
import { blobsOf } from '../../tasks/run-tasks.ts'
import { taskKey } from '../../tasks/task.ts'
import type { Task } from '../../tasks/task.ts'
import { collect, hashTasks, testFingerprint, testTask } from '../../tasks/testing/test-tasks.ts'
import type { QueueAddress } from './queue-address.ts'
import { connectRedis, connectionOptions, keyPrefix, queueNameOf } from './redis-connection.ts'
import { fingerprintsAt, openRedisQueue } from './redis-queue.ts'
import { TestRedis, hasRedisServer } from './testing/redis-server.ts'

/* Absent redis-server these are skipped: Debian's package redis-server brings it. */

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thalweg-queue-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const program = fileURLToPath(new URL('testing/test-redis-worker.ts', import.meta.url))
const workers = new Set<ChildProcess>()

/** A worker in a process of its own, that has joined. */
async function startWorker(address: QueueAddress): Promise<ChildProcess> {
  const child = fork(program, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  workers.add(child)
  child.once('exit', () => workers.delete(child))
  child.send(address)
  await once(child, 'message')
  return child
}

afterAll(() => {
  for (const child of workers) child.kill('SIGKILL')
})

const open = (address: QueueAddress) => openRedisQueue(address, testFingerprint)

describe.skipIf(!hasRedisServer)('tasks through Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await TestRedis.start()
  })
  afterAll(async () => redis.remove())

  test('500 tasks while workers are killed and the server restarts: the bytes of a local run, each once', async () => {
    const tasks = hashTasks(500, 2_000)
    const first = await startWorker(redis.address)
    await startWorker(redis.address)
    expect([...(await fingerprintsAt(redis.address))]).toEqual([[testFingerprint, 2]])
    const troubles: [at: number, what: string, make: () => Promise<unknown>][] = [
      [100, 'a worker dies', async () => [first.kill('SIGKILL'), await startWorker(redis.address)]],
      [220, 'the server restarts', async () => [await redis.kill(), await redis.start()]],
      [340, 'another worker dies', async () => [[...workers][0].kill('SIGKILL'), await startWorker(redis.address)]],
    ]
    const happened: string[] = []
    let trouble = Promise.resolve<unknown>(undefined)
    const { outcome, results, deliveries } = await collect(tasks, {
      store: join(folder, 'remote'),
      workers: 0,
      remote: await open(redis.address),
      onProgress: ({ done }) => {
        const next = troubles[0]
        if (!next || done < next[0]) return
        troubles.shift()
        happened.push(next[1])
        trouble = trouble.then(next[2])
      },
    })
    await trouble
    expect(happened).toEqual(['a worker dies', 'the server restarts', 'another worker dies'])
    expect(outcome).toMatchObject({ status: 'finished', done: 500, total: 500 })
    expect(deliveries).toBe(500)
    const local = await collect(tasks, { store: join(folder, 'local'), workers: 0 })
    expect(results).toEqual(local.results)
  }, 240_000)

  test('files travel by content, and what a task throws comes back as its class', async () => {
    if (workers.size === 0) await startWorker(redis.address)
    const store = join(folder, 'store')
    const data = await blobsOf(store).put(new Uint8Array(5000).fill(7))
    const tasks = [testTask('blob-length', { factor: 2 }, { data })]
    const run = async (list: readonly Task[]) => collect(list, { store, workers: 0, remote: await open(redis.address) })
    expect((await run(tasks)).results).toEqual(['10000'])
    const bad = testTask('fault', { folder, name: 'bad', fault: 'throw' })
    await expect(run([bad])).rejects.toMatchObject({ code: 'domain', message: expect.stringMatching(/fault bad/) })
  }, 60_000)

  test('a killed computing process is another attempt, not an end', async () => {
    if (workers.size === 0) await startWorker(redis.address)
    const task = testTask('fault', { folder, name: 'mortal', fault: 'die', times: 2 })
    const remote = await open(redis.address)
    const { results } = await collect([task], { store: join(folder, 'store'), workers: 0, remote })
    expect(results).toEqual(['result of mortal'])
    expect(readFileSync(join(folder, 'mortal.log'), 'utf8').trim().split('\n')).toHaveLength(3)
  }, 60_000)

  test('what is no task of the registry never runs, and the worker goes on', async () => {
    if (workers.size === 0) await startWorker(redis.address)
    const queue = new Queue(queueNameOf(testFingerprint), {
      connection: connectionOptions(redis.address),
      prefix: keyPrefix,
    })
    const mark = join(folder, 'owned')
    const task = { ...hashTasks(1)[0], fingerprint: testFingerprint }
    const attack = `process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(mark)}, '')`
    const hostile: Record<string, [key: string, data: unknown]> = {
      code: ['a'.repeat(64), { body: attack }],
      object: ['b'.repeat(64), { body: { toString: attack } }],
      nothing: ['c'.repeat(64), null],
      'other key': ['d'.repeat(64), { body: canonicalJson({ ...task }) }],
      kind: keyed({ ...task, kind: '../../../tmp/evil.ts' }),
      prototype: keyed({ ...task, kind: '__proto__' }),
      constructor: keyed({ ...task, kind: 'constructor' }),
      version: keyed({ ...task, version: 99 }),
      inputs: keyed({ ...task, inputs: { seed: 'x', rounds: 1 } }),
      path: keyed({ ...task, kind: 'blob-length', inputs: { factor: 1 }, blobs: { data: '../../../etc/passwd' } }),
      size: ['e'.repeat(64), { body: `"${'x'.repeat(2 ** 21)}"` }],
    }
    const jobs = await Promise.all(
      Object.values(hostile).map(async ([jobId, data]) => queue.add('task', data, { jobId, attempts: 1 })),
    )
    for (const job of jobs) while ((await job.getState()) !== 'failed') await new Promise((go) => setTimeout(go, 50))
    expect(existsSync(mark)).toBe(false)
    const remote = await open(redis.address)
    const { outcome } = await collect(hashTasks(3), { store: join(folder, 'store'), workers: 0, remote })
    expect(outcome.status).toBe('finished')
    await queue.close()
  }, 60_000)

  test('a wrong password is refused, and no message shows one', async () => {
    const wrong = { ...redis.address, url: redis.address.url.replace('//', '//:secret@'), password: undefined }
    const refused = connectRedis(wrong)
    await expect(refused).rejects.toThrow(/cannot be used: .*(WRONGPASS|NOAUTH)/)
    await expect(refused).rejects.not.toThrow(/secret/)
    const nobody = connectRedis({ url: 'redis://127.0.0.1:1' })
    await expect(nobody).rejects.toThrow(/127.0.0.1:1: the queue cannot be used: .*ECONNREFUSED/)
  })
})

function keyed(task: Task): [string, unknown] {
  return [taskKey(task), { body: canonicalJson({ ...task }) }]
}

describe.skipIf(!hasRedisServer)('an encrypted connection', () => {
  test('works with the right certificate and refuses any other', async () => {
    const redis = await TestRedis.start({ encrypted: true })
    try {
      const address = { ...redis.address, certificates: readFileSync(redis.certificateFile, 'utf8') }
      await expect(connectRedis(redis.address)).rejects.toThrow(/self-signed certificate/)
      const worker = await startWorker(address)
      const remote = await openRedisQueue(address, testFingerprint)
      const { outcome } = await collect(hashTasks(5), { store: join(folder, 'store'), workers: 0, remote })
      expect(outcome.done).toBe(5)
      worker.kill('SIGKILL')
    } finally {
      await redis.remove()
    }
  }, 60_000)
})
