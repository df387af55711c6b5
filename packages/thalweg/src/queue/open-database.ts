import type { DatabaseSync } from 'node:sqlite'
import { DomainError, TaskError } from '@thalweg/graph'
import { connect } from './sqlite.ts'
import type { DatabaseOptions } from './sqlite.ts'

/** Opens an SQLite file, which is made where it is not there.
 * @throws {DomainError} naming the file and why the system refused. */
export function openDatabase(file: string, options: DatabaseOptions = {}): DatabaseSync {
  return atDatabase(file, () => connect(file, options))
}

interface SqliteError extends Error {
  readonly errcode?: number
}

// primary result codes of SQLite
const busy = 5
const readOnlyFile = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notDatabase = 26

/** Whether another process holds what was asked for. */
export function isBusy(error: unknown): boolean {
  return ((error as SqliteError).errcode ?? 0) % 256 === busy
}

/** Runs a statement, with the system's refusals said so that they can be mended. */
export function atDatabase<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = ((error as SqliteError).errcode ?? 0) % 256
    const details = { path: file, reason: (error as Error).message }
    if (code === full || code === ioError)
      throw new TaskError(
        `${file}: the disk refused to write (${details.reason}). What was done before is kept: make room and go on with --resume.`,
        details,
        error,
      )
    if (code === readOnlyFile || code === cannotOpen)
      throw new DomainError(
        `${file}: cannot be written (${details.reason}). Choose a folder that exists and is writable.`,
        details,
        error,
      )
    if (code === corrupt || code === notDatabase)
      throw new DomainError(
        `${file}: not a queue, or damaged (${details.reason}). Remove its folder: the work in it is done again.`,
        details,
        error,
      )
    throw error
  }
}
