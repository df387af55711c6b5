import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { claimData } from '@thalweg/landscape/claims'
import type { Claim, ClaimData } from '@thalweg/landscape/claims'
import { plainNumbers } from '../../files/plain-numbers.ts'
import { makeFolder, writeFileAtomic } from '../../files/write-atomic.ts'
import type { ClaimJobResult } from './reproduce-claim-job.ts'

/** What a finding is a function of. */
export interface ClaimConditions {
  readonly code: string
  readonly engine: string
  readonly seed: number
}

/** One finished experiment as it lies on disk: the claim as data, the conditions, and what was found. */
export interface ClaimRecord extends ClaimConditions, ClaimJobResult {
  readonly format: 1
  /** Digest of id, code, engine and seed. */
  readonly key: string
  readonly claim: ClaimData
}

function keyOf(id: string, { code, engine, seed }: ClaimConditions): string {
  return createHash('sha256')
    .update(JSON.stringify([1, id, code, engine, seed]))
    .digest('hex')
}

/** Findings by content: a record is found again only under the conditions that made it. One file a claim, whole or
 * absent. */
export class ClaimStore {
  readonly folder: string
  readonly #conditions: ClaimConditions

  private constructor(folder: string, conditions: ClaimConditions) {
    this.folder = folder
    this.#conditions = conditions
  }

  static async open(folder: string, conditions: ClaimConditions): Promise<ClaimStore> {
    await makeFolder(folder)
    return new ClaimStore(folder, conditions)
  }

  file(id: string): string {
    return join(this.folder, `${id}-${keyOf(id, this.#conditions).slice(0, 12)}.json`)
  }

  /** Undefined where there is none, or the file is no record of these conditions. */
  async read(id: string): Promise<ClaimRecord | undefined> {
    try {
      const record = JSON.parse(await readFile(this.file(id), 'utf8')) as ClaimRecord
      return record.key === keyOf(id, this.#conditions) && record.finding ? record : undefined
    } catch {
      return undefined
    }
  }

  async write(claim: Claim, result: ClaimJobResult): Promise<ClaimRecord> {
    const key = keyOf(claim.id, this.#conditions)
    const record: ClaimRecord = { format: 1, key, ...this.#conditions, claim: claimData(claim), ...result }
    const text = `${JSON.stringify(record, plainNumbers, 2)}\n`
    await writeFileAtomic(this.file(claim.id), text)
    // as a later run will read it
    return JSON.parse(text) as ClaimRecord
  }
}
