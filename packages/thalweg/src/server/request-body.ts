import { createHash } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { parsePlainJson } from './plain-json.ts'
import { Refusal } from './refusal.ts'

/** What of `LabLimits` a body has to keep to. */
export interface BodyLimits {
  readonly bytesMax: number
  /** Longest pause between two pieces. */
  readonly idleMs: number
  /** For the whole body. */
  readonly totalMs?: number
}

/** The declared length, refused before anything is read. */
function requireLength(request: IncomingMessage, bytesMax: number): void {
  const declared = request.headers['content-length']
  if (declared !== undefined && Number(declared) > bytesMax)
    throw new Refusal('too-large', `The body may have ${bytesMax} bytes, got ${declared}.`)
}

/** Hands over the pieces of a body as they come; the sender waits while `take` works.
 * @throws {Refusal} 413 above the limit, whatever the header said; 408 if it comes too slowly; 400 if it breaks off. */
async function eachPiece(
  request: IncomingMessage,
  { bytesMax, idleMs, totalMs = Number.POSITIVE_INFINITY }: BodyLimits,
  take: (piece: Buffer) => void | Promise<void>,
): Promise<number> {
  requireLength(request, bytesMax)
  const started = performance.now()
  const late = new AbortController()
  const tooSlow = new Refusal('timeout', 'The body came too slowly. Send it again.')
  let timer: NodeJS.Timeout | undefined
  const arm = (): void => {
    clearTimeout(timer)
    const left = Math.min(idleMs, started + totalMs - performance.now())
    timer = setTimeout(() => late.abort(), Math.max(1, left))
  }
  const aborted = new Promise<never>((_, reject) => {
    late.signal.addEventListener('abort', () => reject(tooSlow), { once: true })
  })
  aborted.catch(() => undefined)
  let bytes = 0
  const pieces = request[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  try {
    for (;;) {
      arm()
      const { done, value } = await Promise.race([pieces.next(), aborted])
      if (done === true) break
      bytes += value.length
      if (bytes > bytesMax) throw new Refusal('too-large', `The body may have ${bytesMax} bytes.`)
      clearTimeout(timer)
      await take(value)
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('bad-request', 'The body broke off. Send it again.', error)
  } finally {
    clearTimeout(timer)
  }
  if (!request.complete) throw new Refusal('bad-request', 'The body broke off. Send it again.')
  return bytes
}

/** A JSON body.
 * @throws {Refusal} 415 unless it says that it is JSON; 413, 408, 400 as it comes. */
export async function readJsonBody(request: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json(;\s*charset=utf-8)?$/i.test(type))
    throw new Refusal('unsupported-type', 'The body must be application/json.')
  const pieces: Buffer[] = []
  await eachPiece(request, limits, (piece) => {
    pieces.push(piece)
  })
  return parsePlainJson(Buffer.concat(pieces).toString('utf8'))
}

/** Writes a body to a new file as it comes, synced; on any failure the file is gone.
 * @throws {Refusal} 413, 408, 400; 413 where the disk is full. */
export async function writeBody(
  request: IncomingMessage,
  path: string,
  limits: BodyLimits,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  requireLength(request, limits.bytesMax)
  const hash = createHash('sha256')
  const handle = await open(path, 'wx')
  try {
    const bytes = await eachPiece(request, limits, async (piece) => {
      hash.update(piece)
      await handle.writeFile(piece)
    })
    await handle.sync()
    await handle.close()
    return { bytes, sha256: hash.digest('hex') }
  } catch (error) {
    await handle.close().catch(() => undefined)
    await unlink(path).catch(() => undefined)
    const cause = error instanceof Refusal ? error.cause : error
    if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC')
      throw new Refusal('too-large', 'The disk is full. Make room and send the file again.', error)
    throw error
  }
}
