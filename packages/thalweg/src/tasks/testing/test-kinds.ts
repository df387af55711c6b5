import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DomainError } from '@thalweg/graph'
import { z } from 'zod'
import type { TaskKind, TaskKinds } from '../task-kind.ts'

/* Kinds that only tests know: they misbehave on purpose, and leave a line in a log whenever they begin. */

const hashInputs = z.strictObject({ seed: z.number(), rounds: z.int() })

const hash: TaskKind<z.infer<typeof hashInputs>> = {
  version: 1,
  inputs: hashInputs,
  blobs: [],
  run: async ({ seed, rounds }) => {
    let bytes: Uint8Array = new TextEncoder().encode(String(seed))
    for (let i = 0; i < rounds; i++) bytes = createHash('sha256').update(bytes).digest()
    return bytes
  },
}

const faultInputs = z.strictObject({
  folder: z.string(),
  name: z.string(),
  fault: z.enum(['none', 'die', 'hold', 'throw']),
  /** Of `die`: how often, before it succeeds. */
  times: z.int().default(1),
})

/** `die`: kills its own process so often. `hold`: waits until the file `go` is in the folder. */
const fault: TaskKind<z.infer<typeof faultInputs>> = {
  version: 1,
  inputs: faultInputs,
  blobs: [],
  run: async ({ folder, name, fault: what, times }) => {
    const log = join(folder, `${name}.log`)
    appendFileSync(log, `${process.pid}\n`)
    if (what === 'throw') throw new DomainError(`fault ${name}: throws, as it was told. Do not ask for it.`)
    if (what === 'die' && readFileSync(log, 'utf8').trim().split('\n').length <= times) {
      process.kill(process.pid, 'SIGKILL')
      await delay(60_000)
    }
    while (what === 'hold' && !existsSync(join(folder, 'go'))) await delay(20)
    return new TextEncoder().encode(`result of ${name}`)
  },
}

const blobLength: TaskKind<{ factor: number }> = {
  version: 1,
  inputs: z.strictObject({ factor: z.number() }),
  blobs: ['data'],
  run: async ({ factor }, { blob, kept }) => {
    const length = await kept('length', async () => (await blob('data')).length)
    return new TextEncoder().encode(String(factor * length))
  },
}

export const testKinds: TaskKinds = {
  hash: async () => hash,
  fault: async () => fault,
  'blob-length': async () => blobLength,
}
