import { extname } from 'node:path'
import { ThalwegError } from '@thalweg/graph'
import { runJob } from '../jobs/job-process.ts'
import type { Lab } from './lab.ts'
import type { Inspection } from './protocol.ts'
import { Slots } from './slots.ts'
import { Refusal } from './refusal.ts'

const inspectionsAtOnce = 2
const timeLimitMs = 60_000
const slots = new Slots(inspectionsAtOnce)
const dataEndings: ReadonlySet<string> = new Set(['.npz', '.npy', '.csv', '.tsv', '.parquet', '.gz', '.idx', '.bin'])

type Entry = Inspection['models'][number]

/** What the files of an upload are. Each is read in a process of its own, which may fail without harm and is ended when it
 * takes too long.
 * @throws {Refusal} 404, 429. */
export async function inspectUpload(lab: Lab, upload: string): Promise<Inspection> {
  const { files } = await lab.uploads.get(upload)
  const release = slots.take()
  if (!release) throw new Refusal('too-many', 'Files are being read already. Wait for that to end.')
  try {
    const models: Entry[] = []
    const data: Entry[] = []
    for (const { name } of files) {
      const ending = extname(name).toLowerCase()
      const kind = ending === '.onnx' ? 'model' : dataEndings.has(ending) ? 'data' : undefined
      if (kind === undefined) continue
      const list = kind === 'model' ? models : data
      list.push(await inspectFile(kind, name, await lab.uploads.path(upload, name)))
    }
    return { models, data }
  } finally {
    release()
  }
}

async function inspectFile(kind: 'model' | 'data', file: string, path: string): Promise<Entry> {
  try {
    const signal = AbortSignal.timeout(timeLimitMs)
    const info = await runJob<Entry['info']>('inspect', { kind, path }, { signal, graceMs: 0 })
    return { file, info, error: null }
  } catch (error) {
    if (!(error instanceof ThalwegError)) throw error
    return { file, info: null, error: error.message.replaceAll(path, file) }
  }
}
