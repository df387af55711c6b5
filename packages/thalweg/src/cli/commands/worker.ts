import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { DomainError } from '@thalweg/graph'
import { Option } from 'commander'
import type { Command } from 'commander'
import { packageFile } from '../../files/package-file.ts'
import type { QueueAddress } from '../../queue/redis/queue-address.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { queueAddress } from '../queue-options.ts'
import type { QueueOptions } from '../queue-options.ts'

interface WorkerOptions extends Pick<QueueOptions, 'queue' | 'blobFolder'> {
  readonly workers?: number
  readonly threads: number
  readonly lease: number
  readonly taskTimeLimit?: number
  readonly idleExit?: number
  readonly template?: 'slurm' | 'kubernetes'
  readonly quiet?: boolean
}

const templates = { slurm: 'worker.sbatch', kubernetes: 'worker-job.yaml' } as const
const lookMs = 200

/** `thalweg worker --queue …`: does tasks of a queue until it is told to stop. */
export function addWorkerCommand(root: Command): void {
  root
    .command('worker')
    .description('do tasks of a queue for runs on other machines')
    .option('--queue <url>', 'redis://HOST:PORT, or rediss:// (encrypted); user and password by the environment')
    .option('--workers <n>', 'tasks at once, a process each (default: cores / threads)', wholeNumber('--workers', 1))
    .option('--threads <n>', 'of each; part of the fingerprint of results', wholeNumber('--threads', 1), 1)
    .option('--lease <t>', 'tasks of a worker not heard of for so long go to others', durationMs('--lease'), 15_000)
    .option('--task-time-limit <t>', 'end tasks that take longer', durationMs('--task-time-limit'))
    .option('--idle-exit <t>', 'leave when there was nothing to do for so long', durationMs('--idle-exit'))
    .option('--blob-folder <dir>', 'folder that all machines see, as in the run')
    .addOption(new Option('--template <system>', 'print a job that starts workers').choices(Object.keys(templates)))
    .option('--quiet', 'print nothing')
    .action(async (options: WorkerOptions) => {
      if (options.template !== undefined) {
        process.stdout.write(readFileSync(packageFile('assets', 'templates', templates[options.template]), 'utf8'))
        return
      }
      const address = queueAddress(options)
      if (!address) throw new DomainError('worker: which queue? Pass --queue redis://HOST:PORT.')
      await work(address, options)
    })
}

async function work(address: QueueAddress, options: WorkerOptions): Promise<void> {
  const { threads, lease, taskTimeLimit, idleExit, quiet } = options
  const workers = options.workers ?? Math.max(1, Math.floor(availableParallelism() / threads))
  const { RedisWorker } = await import('../../queue/redis/redis-worker.ts')
  const { nativeEngine } = await import('@thalweg/engine/node')
  const worker = await RedisWorker.start(address, {
    workers,
    threads,
    leaseMs: lease,
    taskTimeLimitMs: taskTimeLimit,
  })
  const say = (text: string): void => void (quiet || process.stderr.write(`thalweg: ${text}\n`))
  say(
    `worker of ${workers} for '${nativeEngine({ threads }).fingerprint}'; Ctrl-C finishes the tasks at hand and leaves`,
  )
  let stopping = false
  const stop = (): void => {
    if (stopping) process.exit(130)
    stopping = true
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  while (!stopping && !(idleExit !== undefined && worker.idleMs > idleExit)) await delay(lookMs)
  await worker.close()
  say(`${worker.done} tasks done`)
}
