/** What it costs that a task's result survives a power cut: the lease queue against a file for each result. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import { z } from 'zod'
import { writeFileAtomic } from '../packages/thalweg/src/files/write-atomic.ts'
import { runTasks } from '../packages/thalweg/src/tasks/run-tasks.ts'
import type { TaskKind } from '../packages/thalweg/src/tasks/task-kind.ts'
import type { Task } from '../packages/thalweg/src/tasks/task.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'

const count = 1000

const bytesOf = (seed: number): Uint8Array => createHash('sha256').update(String(seed)).digest()

const kind: TaskKind<{ readonly seed: number }> = {
  version: 1,
  inputs: z.strictObject({ seed: z.number() }),
  blobs: [],
  run: async ({ seed }) => bytesOf(seed),
}

function inFolder(name: string, work: (folder: string, out: Float64Array) => Promise<unknown>): Contestant {
  const out = new Float64Array(count)
  const step = async (): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'thalweg-bench-'))
    try {
      await work(folder, out)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  return { name, step, result: () => out }
}

const fingerprint = nativeEngine({ threads: 1 }).fingerprint
const tasks = Array.from(
  { length: count },
  (_, seed): Task => ({ kind: 'hash', version: 1, inputs: { seed }, blobs: {}, fingerprint }),
)

const queue = inFolder('lease queue', async (store, out) =>
  runTasks(tasks, {
    ...{ store, workers: 0, threads: 1, kinds: { hash: async () => kind } },
    onResult: (index, bytes) => {
      out[index] = bytes[0]
    },
  }),
)

const files = inFolder('a file each', async (folder, out) => {
  for (let seed = 0; seed < count; seed++) {
    const bytes = bytesOf(seed)
    await writeFileAtomic(join(folder, String(seed)), bytes)
    out[seed] = bytes[0]
  }
})

const memory = inFolder('kept in memory', async (_, out) => {
  for (let seed = 0; seed < count; seed++) out[seed] = bytesOf(seed)[0]
})

export const benchmark: Benchmark = {
  name: 'queue-overhead',
  work: `${count} tasks of one hash each, every result on the disk before it counts`,
  tolerance: 0,
  rounds: 3,
  repetitions: 2,
  targetRatios: { 'a file each': 1 },
  contestants: () => Promise.resolve([queue, files, memory]),
}
