import { createHash } from 'node:crypto'
import { FormatError } from '@thalweg/graph'

const digestBytes = 32

/** A result as it travels: its SHA-256, then its bytes. */
export function sealResult(bytes: Uint8Array): Buffer {
  return Buffer.concat([createHash('sha256').update(bytes).digest(), bytes])
}

/** @throws {FormatError} if the bytes are not those that were sealed. */
export function openResult(sealed: Uint8Array): Uint8Array {
  const bytes = sealed.subarray(digestBytes)
  const digest = createHash('sha256').update(bytes).digest()
  if (!digest.equals(sealed.subarray(0, digestBytes)))
    throw new FormatError('queue: a result came damaged. Look for what else writes to this Redis.')
  return bytes
}
