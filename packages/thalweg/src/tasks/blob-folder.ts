import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError, TaskError } from '@thalweg/graph'
import { makeFolder, writeFileAtomic } from '../files/write-atomic.ts'
import { digestOf } from './task.ts'

const digestPattern = /^[0-9a-f]{64}$/

/** Files known by the SHA-256 of their bytes, which is checked whenever one is read. */
export class BlobFolder {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Keeps the bytes; returns their digest.
   * @throws {DomainError} if the system refuses. */
  async put(bytes: Uint8Array): Promise<string> {
    const digest = digestOf(bytes)
    if (!this.has(digest)) {
      await makeFolder(this.#folder)
      await writeFileAtomic(this.#path(digest), bytes)
    }
    return digest
  }

  has(digest: string): boolean {
    return existsSync(this.#path(digest))
  }

  /** @throws {TaskError} if there is no such blob; {FormatError} if its bytes are not what they were. */
  async get(digest: string): Promise<Uint8Array> {
    const bytes = await readFile(this.#path(digest)).catch(() => undefined)
    if (!bytes) throw new TaskError(`${this.#folder}: blob ${digest} is not there. Start the work again.`, { digest })
    if (digestOf(bytes) !== digest)
      throw new FormatError(`${this.#path(digest)}: damaged, its SHA-256 is another. Remove it and start again.`)
    return bytes
  }

  #path(digest: string): string {
    if (!digestPattern.test(digest))
      throw new FormatError(`blob: a digest is 64 hexadecimal digits, got ${JSON.stringify(digest).slice(0, 80)}.`)
    return join(this.#folder, digest)
  }
}
