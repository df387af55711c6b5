import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ThalwegError } from '@thalweg/graph'
import { makeFolder, writeFileAtomic } from '../files/write-atomic.ts'
import { jsonText, numberOf, objectOf, parsePlainJson, textOf } from './plain-json.ts'
import type { RunState, WorkRequest } from './protocol.ts'
import { Refusal } from './refusal.ts'
import { workRequestOf } from './work-schema.ts'

/** Work that the lab was asked to do: what its run's folder does not tell. */
export interface JobRecord {
  readonly id: string
  readonly name: string
  readonly request: WorkRequest
  readonly state: RunState
  readonly createdAt: string
  readonly endedAt: string | null
  readonly elapsedMs: number | null
  readonly error: string | null
}

const states: ReadonlySet<string> = new Set<RunState>([
  'queued',
  'running',
  'stopping',
  'finished',
  'stopped',
  'failed',
  'interrupted',
])

/** Records as files of a folder, one a run. */
export class JobRecords {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async write(record: JobRecord): Promise<void> {
    await makeFolder(this.#folder)
    await writeFileAtomic(join(this.#folder, `${encodeURIComponent(record.id)}.json`), jsonText(record))
  }

  /** All that can be read. What was going on when the lab ended is `interrupted`. */
  async load(): Promise<JobRecord[]> {
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith('.json'))
    const records = await Promise.all(names.map(async (name) => this.#read(join(this.#folder, name))))
    return records.filter((record) => record !== undefined)
  }

  async #read(path: string): Promise<JobRecord | undefined> {
    try {
      const value = objectOf(parsePlainJson(await readFile(path, 'utf8')))
      const id = textOf(value['id'])
      if (id === null) return undefined
      return {
        id,
        name: textOf(value['name']) ?? id,
        request: workRequestOf(value['request']),
        state: endedState(value['state']),
        createdAt: textOf(value['createdAt']) ?? new Date(0).toISOString(),
        endedAt: textOf(value['endedAt']),
        elapsedMs: numberOf(value['elapsedMs']),
        error: textOf(value['error']),
      }
    } catch (error) {
      // a record of another version, or a damaged one: the run itself is still listed by its folder
      if (error instanceof Refusal || error instanceof ThalwegError) return undefined
      throw error
    }
  }
}

function endedState(state: unknown): RunState {
  if (typeof state !== 'string' || !states.has(state)) return 'interrupted'
  return state === 'queued' || state === 'running' || state === 'stopping' ? 'interrupted' : (state as RunState)
}
