import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'
import type { Json } from './canonical-json.ts'

/** A pure function of what is named here: the same task gives the same bytes on any machine of one fingerprint, so it may be
 * done twice, in any order, anywhere, and counts once. */
export interface Task {
  /** A name of the registry of kinds; a worker does nothing else. */
  readonly kind: string
  /** Of the kind's arithmetic: counts up whenever equal inputs would give other bytes. */
  readonly version: number
  readonly inputs: Json
  /** SHA-256, as 64 hexadecimal digits, of each file that the task reads: model, data, directions … */
  readonly blobs: Readonly<Record<string, string>>
  /** Of the engine that must do it: version, instruction set, threads. */
  readonly fingerprint: string
}

/** SHA-256 of the bytes, 64 hexadecimal digits. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What a task is known by: SHA-256 over the canonical JSON of all that decides its result.
 * @throws {DomainError} if the inputs are not plain finite data. */
export function taskKey({ kind, version, inputs, blobs, fingerprint }: Task): string {
  return digestOf(canonicalJson({ kind, version, inputs, blobs, fingerprint }))
}
