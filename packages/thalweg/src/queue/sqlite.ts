import { createRequire } from 'node:module'
import type { DatabaseSync } from 'node:sqlite'

export interface DatabaseOptions {
  readonly readOnly?: boolean
  /** How long a statement waits for another process's transaction. */
  readonly timeoutMs?: number
}

type Sqlite = typeof import('node:sqlite')

let loaded: Sqlite | undefined

/** Node 22 warns on standard error that its SQLite is experimental, which would spoil the output of a command. Only that
 * warning is dropped. */
function sqlite(): Sqlite {
  if (loaded) return loaded
  const emit = process.emitWarning
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (!String(warning).includes('SQLite')) (emit as (...all: unknown[]) => void).call(process, warning, ...rest)
  }
  try {
    loaded = createRequire(import.meta.url)('node:sqlite') as Sqlite
  } finally {
    process.emitWarning = emit
  }
  return loaded
}

/** A connection to an SQLite file, with SQLite's own errors; apart from `openDatabase` so that a thread that only beats loads
 * nothing else. */
export function connect(file: string, { readOnly = false, timeoutMs = 10_000 }: DatabaseOptions = {}): DatabaseSync {
  return new (sqlite().DatabaseSync)(file, { readOnly, timeout: timeoutMs })
}
