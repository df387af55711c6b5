import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { DomainError } from '@thalweg/graph'
import { LifeLock } from './life-lock.ts'
import { atDatabase, openDatabase } from './open-database.ts'

export interface QueuedTask {
  readonly key: string
  /** The task as canonical JSON. */
  readonly body: string
  /** Higher goes first; default 0. */
  readonly priority?: number
}

/** The right to do a task, until somebody else gets it under a later generation. */
export interface Lease {
  readonly key: string
  readonly body: string
  readonly generation: number
  /** Times that its process died before. */
  readonly failures: number
}

export interface QueueCounts {
  readonly done: number
  readonly leased: number
  readonly waiting: number
  readonly failed: number
}

export interface LeaseQueueOptions {
  /** An owner that lives but whose beat stands still for so long loses its leases. Default 30 s. */
  readonly leaseMs?: number
  /** Monotonic milliseconds from any origin. */
  readonly now?: () => number
  /** Pages that the file may have: for tests of a full disk. */
  readonly pagesMax?: number
}

const format = 1
const schema = `
CREATE TABLE tasks (
  key TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  body TEXT NOT NULL,
  priority REAL NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'failed')),
  generation INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  error TEXT
) WITHOUT ROWID;
CREATE INDEX waiting ON tasks (priority DESC, position) WHERE state = 'waiting';
CREATE INDEX leased ON tasks (owner) WHERE state = 'leased';
CREATE TABLE results (key TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE owners (id TEXT PRIMARY KEY, beat INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = ${format};
`

/** Tasks of a folder, each done once, whoever dies when. State and result of a task change in one transaction.
 *
 * A lease belongs to an owner (a process that has the folder open) and carries a generation that counts up with every lease of the
 * task; what comes back under an older one is dropped. An owner is dead when the operating system has freed its lock, and out
 * when its beat has stood still for `leaseMs` by the monotonic clock of whoever looks: no time is ever compared between
 * processes, so clocks may jump. */
export class LeaseQueue {
  readonly owner: string = randomUUID()
  readonly file: string
  readonly #folder: string
  readonly #database: DatabaseSync
  readonly #lock: LifeLock
  readonly #leaseMs: number
  readonly #now: () => number
  readonly #statements = new Map<string, StatementSync>()
  /** Beats seen of other owners, and when they last changed. */
  readonly #beats = new Map<string, { readonly beat: number; readonly sinceMs: number }>()

  /** @throws {DomainError} if the folder cannot be written or holds something else. */
  constructor(folder: string, { leaseMs = 30_000, now = () => performance.now(), pagesMax }: LeaseQueueOptions = {}) {
    this.#folder = folder
    this.#leaseMs = leaseMs
    this.#now = now
    this.file = join(folder, 'queue.sqlite')
    makeOwnersFolder(folder)
    this.#database = openDatabase(this.file)
    try {
      this.#prepareFile(pagesMax)
      this.#lock = LifeLock.take(this.#lockFile(this.owner))!
      this.#run('INSERT INTO owners VALUES (?, 0)', this.owner)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** Makes these the tasks that this owner leases and counts. Tasks that are known keep their state; those that failed are given
   * another chance. */
  want(tasks: readonly QueuedTask[]): void {
    this.#transaction(() => {
      const add = this.#statement(
        "INSERT INTO tasks (key, position, body, priority, state) VALUES (?, ?, ?, ?, 'waiting') ON CONFLICT (key) DO UPDATE SET " +
          "priority = excluded.priority, position = excluded.position, failures = IIF(state = 'failed', 0, failures), " +
          "state = IIF(state = 'failed', 'waiting', state)",
      )
      const want = this.#statement('INSERT OR IGNORE INTO wanted VALUES (?, 0)')
      for (const [position, { key, body, priority = 0 }] of tasks.entries()) {
        add.run(key, position, body, priority)
        want.run(key)
      }
    })
  }

  /** The next wanted task by priority, then in the order given; undefined where none waits. */
  lease(): Lease | undefined {
    const row = this.#get(
      "UPDATE tasks SET state = 'leased', owner = ?, generation = generation + 1 WHERE key = (SELECT t.key FROM tasks t " +
        "INDEXED BY waiting JOIN wanted USING (key) WHERE state = 'waiting' ORDER BY priority DESC, position LIMIT 1) " +
        'RETURNING key, body, generation, failures',
      this.owner,
    )
    return row && ({ ...row } as unknown as Lease)
  }

  /** Keeps the result of a task, which then counts as handed out. False, and nothing is kept, where the lease was lost. */
  complete({ key, generation }: Lease, bytes: Uint8Array): boolean {
    return this.#durably(() => {
      const mine = this.#changes(
        "UPDATE tasks SET state = 'done', owner = NULL, error = NULL WHERE key = ? AND generation = ? AND state = 'leased'",
        key,
        generation,
      )
      if (!mine) return false
      this.#run('INSERT OR REPLACE INTO results VALUES (?, ?)', key, bytes)
      this.#run('UPDATE wanted SET delivered = 1 WHERE key = ?', key)
      return true
    })
  }

  /** Books that the process of a task died. The task waits again, or has failed where it did so more than `retries` times. */
  fail({ key, generation }: Lease, error: string, retries: number): 'waiting' | 'failed' | 'lost' {
    const row = this.#get(
      "UPDATE tasks SET failures = failures + 1, owner = NULL, error = ?, state = IIF(failures < ?, 'waiting', 'failed') " +
        "WHERE key = ? AND generation = ? AND state = 'leased' RETURNING state",
      error,
      retries,
      key,
      generation,
    )
    return (row?.['state'] as 'waiting' | 'failed' | undefined) ?? 'lost'
  }

  /** Gives a task back undone. */
  release({ key, generation }: Lease): void {
    this.#run(
      "UPDATE tasks SET state = 'waiting', owner = NULL WHERE key = ? AND generation = ? AND state = 'leased'",
      key,
      generation,
    )
  }

  /** Of the wanted tasks. */
  counts(): QueueCounts {
    const rows = this.#all('SELECT state, count(*) AS n FROM wanted JOIN tasks USING (key) GROUP BY state')
    const found = Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]))
    const { done = 0, leased = 0, waiting = 0, failed = 0 } = found
    return { done, leased, waiting, failed }
  }

  /** Results of wanted tasks that were not handed out before, each once. */
  *fresh(): Generator<readonly [key: string, bytes: Uint8Array]> {
    const keys = this.#all("SELECT key FROM wanted JOIN tasks USING (key) WHERE delivered = 0 AND state = 'done'")
    for (const { key } of keys) {
      const row = this.#get('SELECT bytes FROM results WHERE key = ?', key)
      this.#run('UPDATE wanted SET delivered = 1 WHERE key = ?', key)
      yield [String(key), row!['bytes'] as Uint8Array]
    }
  }

  /** The error of a wanted task that failed for good, by whomever. */
  failure(): { readonly key: string; readonly error: string } | undefined {
    const row = this.#get("SELECT key, error FROM wanted JOIN tasks USING (key) WHERE state = 'failed' LIMIT 1")
    return row && { key: String(row['key']), error: String(row['error']) }
  }

  /** Takes back the leases of owners that are dead or out; returns how many. */
  reap(): number {
    let taken = 0
    for (const { id, beat } of this.#all('SELECT id, beat FROM owners WHERE id <> ?', this.owner)) {
      const gone = !LifeLock.isHeld(this.#lockFile(String(id)))
      if (!gone && !this.#standsStill(String(id), Number(beat))) continue
      taken += this.#transaction(() => {
        if (gone) this.#run('DELETE FROM owners WHERE id = ?', id)
        return this.#count("UPDATE tasks SET state = 'waiting', owner = NULL WHERE owner = ? AND state = 'leased'", id)
      })
      if (gone) for (const ending of ['', '-journal']) rmSync(`${this.#lockFile(String(id))}${ending}`, { force: true })
    }
    return taken
  }

  /** How often an owner has shown that it works. */
  beatOf(owner: string): number {
    return Number(this.#get('SELECT beat FROM owners WHERE id = ?', owner)?.['beat'] ?? Number.NaN)
  }

  #standsStill(id: string, beat: number): boolean {
    const known = this.#beats.get(id)
    if (known?.beat !== beat) this.#beats.set(id, { beat, sinceMs: this.#now() })
    return known?.beat === beat && this.#now() - known.sinceMs > this.#leaseMs
  }

  /** Gives back all leases and leaves. */
  close(): void {
    if (!this.#database.isOpen) return
    try {
      this.#transaction(() => {
        this.#run("UPDATE tasks SET state = 'waiting', owner = NULL WHERE owner = ? AND state = 'leased'", this.owner)
        this.#run('DELETE FROM owners WHERE id = ?', this.owner)
      })
    } catch {
      // what could not be given back is taken when the lock is free
    }
    this.#database.close()
    this.#lock.release()
    rmSync(this.#lockFile(this.owner), { force: true })
  }

  #lockFile(owner: string): string {
    return join(this.#folder, 'owners', `${owner}.lock`)
  }

  #prepareFile(pagesMax: number | undefined): void {
    this.#exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    if (pagesMax !== undefined) this.#exec(`PRAGMA max_page_count = ${pagesMax}`)
    this.#transaction(() => {
      const version = Number(this.#get('PRAGMA user_version')!['user_version'])
      if (version === 0) this.#exec(schema)
      else if (version !== format)
        throw new DomainError(
          `${this.file}: made by another version of Thalweg (format ${version}, this one writes ${format}). Remove its folder: the work in it is done again.`,
        )
    })
    this.#exec('CREATE TEMP TABLE wanted (key TEXT PRIMARY KEY, delivered INTEGER NOT NULL) WITHOUT ROWID')
  }

  #exec(sql: string): void {
    atDatabase(this.file, () => this.#database.exec(sql))
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const made = atDatabase(this.file, () => this.#database.prepare(sql))
    this.#statements.set(sql, made)
    return made
  }

  #run(sql: string, ...values: SqlValue[]): void {
    this.#count(sql, ...values)
  }

  #changes(sql: string, ...values: SqlValue[]): boolean {
    return this.#count(sql, ...values) > 0
  }

  #count(sql: string, ...values: SqlValue[]): number {
    return atDatabase(this.file, () => Number(this.#statement(sql).run(...values).changes))
  }

  #get(sql: string, ...values: SqlValue[]): Row | undefined {
    return atDatabase(this.file, () => this.#statement(sql).get(...values) as Row | undefined)
  }

  #all(sql: string, ...values: SqlValue[]): Row[] {
    return atDatabase(this.file, () => this.#statement(sql).all(...values) as Row[])
  }

  /** On the disk when it returns. What else is written, leases above all, may be undone by a power cut: then it is as if the power had
   * gone a moment earlier, since the file stays whole either way. */
  #durably<T>(work: () => T): T {
    this.#exec('PRAGMA synchronous = FULL')
    try {
      return this.#transaction(work)
    } finally {
      this.#exec('PRAGMA synchronous = NORMAL')
    }
  }

  #transaction<T>(work: () => T): T {
    this.#exec('BEGIN IMMEDIATE')
    try {
      const value = work()
      this.#exec('COMMIT')
      return value
    } catch (error) {
      if (this.#database.isTransaction) this.#exec('ROLLBACK')
      throw error
    }
  }
}

type SqlValue = string | number | Uint8Array
type Row = Readonly<Record<string, SqlValue>>

function makeOwnersFolder(folder: string): void {
  const owners = join(folder, 'owners')
  if (existsSync(owners)) return
  try {
    mkdirSync(owners, { recursive: true })
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new DomainError(
      `${folder}: the folder cannot be made, ${reason}. Name one that can be written to.`,
      { reason },
      error,
    )
  }
}
