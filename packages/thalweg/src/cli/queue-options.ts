import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { DomainError } from '@thalweg/graph'
import type { Command } from 'commander'
import type { QueueAddress } from '../queue/redis/queue-address.ts'

/** Options that say where tasks are done. */
export interface QueueOptions {
  readonly queue?: string
  readonly blobFolder?: string
  readonly fingerprint?: string
}

/** Secrets come by the environment: arguments are seen by everybody on the machine. */
const environment = {
  username: 'THALWEG_QUEUE_USERNAME',
  password: 'THALWEG_QUEUE_PASSWORD',
  certificates: 'THALWEG_QUEUE_CA',
} as const

export function addQueueOptions(command: Command): Command {
  return command
    .option('--queue <url>', "let 'thalweg worker's of redis://HOST:PORT (rediss:// is encrypted) do the tasks")
    .option('--fingerprint <text>', 'engine of the workers that are to do them (default: that of this machine)')
    .option('--blob-folder <dir>', 'folder that all machines see, for files too large for the queue')
}

/** Undefined where no queue is asked for.
 * @throws {DomainError} if the file of certificates cannot be read. */
export function queueAddress({ queue, blobFolder, fingerprint }: QueueOptions): QueueAddress | undefined {
  if (queue === undefined) return undefined
  const { env } = process
  const file = env[environment.certificates]
  return {
    url: queue,
    username: env[environment.username],
    password: env[environment.password],
    certificates: file === undefined ? undefined : certificatesOf(file),
    fingerprint,
    blobFolder: blobFolder === undefined ? undefined : resolve(blobFolder),
  }
}

function certificatesOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new DomainError(`${environment.certificates}: ${file} cannot be read. Check the path.`, {}, error)
  }
}
