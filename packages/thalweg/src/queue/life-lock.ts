import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { isBusy, openDatabase } from './open-database.ts'

/** A lock that lives exactly as long as the process that took it, however that ends: an exclusive transaction on an empty SQLite
 * file, which the operating system gives up with the process. No clock, no process number that another process may bear
 * later. On network file systems it is as good as their locks. */
export class LifeLock {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Undefined where a living process holds the lock.
   * @throws {DomainError} if the file cannot be written. */
  static take(file: string): LifeLock | undefined {
    const database = openDatabase(file, { timeoutMs: 0 })
    try {
      database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
      return new LifeLock(database)
    } catch (error) {
      database.close()
      if (isBusy(error)) return undefined
      throw error
    }
  }

  /** Whether a living process holds the lock; needs no right to write. */
  static isHeld(file: string): boolean {
    if (!existsSync(file)) return false
    const database = openDatabase(file, { readOnly: true, timeoutMs: 0 })
    try {
      database.exec('SELECT 1 FROM sqlite_schema')
      return false
    } catch (error) {
      if (isBusy(error)) return true
      throw error
    } finally {
      database.close()
    }
  }

  release(): void {
    if (this.#database.isOpen) this.#database.close()
  }
}
