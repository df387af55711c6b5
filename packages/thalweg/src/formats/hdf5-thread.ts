import { parentPort, workerData } from 'node:worker_threads'
import { errorToWire } from '@thalweg/engine'
import { readHdf5 } from './hdf5.ts'
import type { Hdf5Reply } from './hdf5.ts'
import type { Source } from './source.ts'

/* Started as a thread by decodeHdf5. */

const { bytes, source } = workerData as { readonly bytes: Uint8Array; readonly source: Source }

function answer(reply: Hdf5Reply): void {
  parentPort!.postMessage(reply, [])
}

try {
  answer({ kind: 'content', content: await readHdf5(bytes, source) })
} catch (error) {
  answer({ kind: 'error', error: errorToWire(error) })
}
