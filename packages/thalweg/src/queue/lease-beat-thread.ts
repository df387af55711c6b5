import { parentPort, workerData } from 'node:worker_threads'
import type { Beat } from './lease-beat.ts'
import { connect } from './sqlite.ts'

/* Started as a thread by LeaseBeat. */

const { file, owner, everyMs } = workerData as Beat
const database = connect(file)
database.exec('PRAGMA synchronous = NORMAL')
const beat = database.prepare('UPDATE owners SET beat = beat + 1 WHERE id = ?')
const timer = setInterval(() => beat.run(owner), everyMs)
parentPort!.once('message', () => {
  clearInterval(timer)
  database.close()
  parentPort!.close()
})
