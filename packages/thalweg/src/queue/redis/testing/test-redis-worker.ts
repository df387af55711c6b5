import { testEntry } from '../../../tasks/testing/test-tasks.ts'
import type { QueueAddress } from '../queue-address.ts'
import { RedisWorker } from '../redis-worker.ts'

/* A worker that knows the kinds of tests, in a process for tests to kill. It tells when it has joined. */

process.once('message', (address: QueueAddress) => {
  const options = { workers: 1, threads: 1, leaseMs: 2_000, entry: testEntry }
  void RedisWorker.start(address, options).then((worker) => {
    process.on('SIGTERM', () => void worker.close().then(() => process.disconnect()))
    return process.send?.('joined')
  })
})
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
