import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { workerKey } from './redis-connection.ts'

const presenceSeconds = 15
const everyMs = 5_000

const presenceSchema = z.object({ fingerprint: z.string().max(1000), concurrency: z.int().positive() })

/** Shows a worker to those who look for one; forgotten 15 s after it died. Returns what ends it. */
export function showPresence(redis: Redis, fingerprint: string, concurrency: number): () => void {
  const key = workerKey(randomUUID())
  const value = JSON.stringify({ fingerprint, concurrency })
  const show = (): void => void redis.set(key, value, 'EX', presenceSeconds).catch(() => undefined)
  show()
  const timer = setInterval(show, everyMs)
  return () => {
    clearInterval(timer)
    void redis.del(key).catch(() => undefined)
  }
}

/** How many tasks the living workers of each fingerprint do at once. */
export async function presentWorkers(redis: Redis): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', workerKey('*'), 'COUNT', 1000)
    cursor = next
    for (const text of keys.length > 0 ? await redis.mget(keys) : []) {
      const presence = presenceOf(text)
      if (presence) found.set(presence.fingerprint, (found.get(presence.fingerprint) ?? 0) + presence.concurrency)
    }
  } while (cursor !== '0')
  return found
}

function presenceOf(text: string | null): z.infer<typeof presenceSchema> | undefined {
  try {
    return presenceSchema.safeParse(JSON.parse(text ?? '')).data
  } catch {
    return undefined
  }
}
