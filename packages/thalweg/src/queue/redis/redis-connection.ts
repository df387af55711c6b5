import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { RedisOptions } from 'bullmq'
import type { Redis } from 'ioredis'
import { DomainError, TaskError, UnsupportedError } from '@thalweg/graph'
import { digestOf } from '../../tasks/task.ts'
import type { QueueAddress } from './queue-address.ts'

/** Keys of ours in Redis begin with it. */
export const keyPrefix = 'thalweg'

const connectMs = 10_000

/** Workers and those who wait meet where the fingerprint is the same, so a task never comes to an engine that would give other
 * bytes. */
export function queueNameOf(fingerprint: string): string {
  return `tasks-${digestOf(fingerprint).slice(0, 16)}`
}

export const blobKey = (digest: string): string => `${keyPrefix}:blob:${digest}`
export const resultKey = (key: string): string => `${keyPrefix}:result:${key}`
export const workerKey = (id: string): string => `${keyPrefix}:worker:${id}`

/** The address as messages show it: without its password. */
function shownAddress({ url }: QueueAddress): string {
  const parsed = parsedUrl(url)
  return `${parsed.protocol}//${parsed.host}`
}

function parsedUrl(url: string): URL {
  const parsed = URL.parse(url)
  if (!parsed || !['redis:', 'rediss:'].includes(parsed.protocol))
    throw new DomainError('--queue: must be redis://HOST:PORT or rediss://HOST:PORT (encrypted).')
  return parsed
}

/** Connection options of an address. Commands wait while the server is away, and go on when it is back. */
export function connectionOptions(address: QueueAddress): RedisOptions {
  const { protocol, hostname: host, port, username, password, pathname } = parsedUrl(address.url)
  const user = address.username ?? decodeURIComponent(username)
  const secret = address.password ?? decodeURIComponent(password)
  const db = Number(pathname.slice(1) || 0)
  if (!Number.isInteger(db)) throw new DomainError(`--queue: the path is a database number, got ${pathname}.`)
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    db,
    ...(user !== '' && { username: user }),
    ...(secret !== '' && { password: secret }),
    ...(protocol === 'rediss:' && {
      tls: {
        ...(isIP(host) === 0 && { servername: host }),
        ...(address.certificates !== undefined && { ca: address.certificates }),
      },
    }),
    connectionName: `thalweg ${hostname()}`,
    connectTimeout: connectMs,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(2_000, 100 * times),
  }
}

/** Connects, and fails at once where the server cannot be reached or refuses us.
 * @throws {TaskError} naming the address and the reason; {UnsupportedError} where the library is not installed. */
export async function connectRedis(address: QueueAddress): Promise<Redis> {
  const { Redis: Client } = await redisLibrary()
  const client = new Client({ ...connectionOptions(address), lazyConnect: true })
  let reason = ''
  const note = (error: Error): void => {
    reason = error.message
  }
  client.on('error', note)
  const timer = setTimeout(() => client.disconnect(), connectMs)
  try {
    await firstConnection(client)
    await client.ping()
    return client
  } catch (error) {
    client.disconnect()
    throw new TaskError(
      `${shownAddress(address)}: the queue cannot be used: ${reason || (error as Error).message}. Check address, password and certificates.`,
      {},
      error,
    )
  } finally {
    clearTimeout(timer)
  }
}

/** Retrying is for servers that were there once. */
async function firstConnection(client: Redis): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.once('error', reject)
    client.once('end', () => reject(new TaskError('the connection was closed')))
    client.connect().then(resolve, reject)
  })
}

function redisLibrary(): Promise<Pick<typeof import('ioredis'), 'Redis'>> {
  return installed(import('ioredis'))
}

/** @throws {UnsupportedError} where the library is not installed. */
export function queueLibrary(): Promise<typeof import('bullmq')> {
  return installed(import('bullmq'))
}

async function installed<T>(library: Promise<T>): Promise<T> {
  try {
    return await library
  } catch (error) {
    throw new UnsupportedError(
      '--queue: needs the optional packages bullmq and ioredis. Install them beside thalweg: npm install bullmq ioredis.',
      {},
      error,
    )
  }
}
