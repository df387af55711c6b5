import { constants } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { DomainError } from '@thalweg/graph'
import { Refusal } from './refusal.ts'

const partBytesMax = 255

/** True for the name of one file or folder that may be asked for: no way up, no separator of any system, nothing hidden,
 * no control characters. */
export function isPlainName(part: string): boolean {
  return (
    part !== '' &&
    !part.startsWith('.') &&
    !/[/\\:\u0000-\u001f\u007f]/.test(part) &&
    Buffer.byteLength(part) <= partBytesMax
  )
}

/** The folder that the lab serves, and nothing outside it: names are checked before they reach the system, links are
 * followed only where they stay inside. */
export class RootFolder {
  /** Without links. */
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @throws {DomainError} if it is not a folder. */
  static async open(path: string): Promise<RootFolder> {
    const real = await realpath(path).catch(() => undefined)
    const info = real === undefined ? undefined : await stat(real).catch(() => undefined)
    if (real === undefined || !info?.isDirectory())
      throw new DomainError(`lab: ${path} must be a folder. Make it, or name another.`)
    return new RootFolder(real)
  }

  /** The path of something that exists inside, without links.
   * @throws {Refusal} 404 if there is no such thing, 403 if its name or a link leads outside. */
  async resolve(...parts: readonly string[]): Promise<string> {
    if (!parts.every(isPlainName)) throw new Refusal('forbidden', 'That is not the name of a file of a run.')
    const real = await realpath(join(this.path, ...parts)).catch(() => undefined)
    if (real === undefined) throw new Refusal('not-found', 'There is no such file.')
    if (!real.startsWith(this.path.endsWith(sep) ? this.path : this.path + sep))
      throw new Refusal('forbidden', 'That file lies outside the folder that the lab serves.')
    return real
  }

  /** Opens a regular file for reading; the caller closes it.
   * @throws {Refusal} as `resolve`, and 413 above `bytesMax`. */
  async open(
    parts: readonly string[],
    bytesMax: number,
  ): Promise<{ handle: FileHandle; bytes: number; mtimeMs: number }> {
    const path = await this.resolve(...parts)
    // No link may have come in between; a pipe that nobody writes to must not hang.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
    const handle = await open(path, flags).catch(() => {
      throw new Refusal('not-found', 'There is no such file.')
    })
    try {
      const info = await handle.stat()
      if (!info.isFile()) throw new Refusal('not-found', 'There is no such file.')
      if (info.size > bytesMax)
        throw new Refusal('too-large', `The file has ${info.size} bytes; the lab shows at most ${bytesMax}.`)
      return { handle, bytes: info.size, mtimeMs: info.mtimeMs }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** A whole file.
   * @throws {Refusal} as `open`. */
  async read(parts: readonly string[], bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
    const { handle, bytes } = await this.open(parts, bytesMax)
    try {
      const content = new Uint8Array(bytes)
      let filled = 0
      while (filled < bytes) {
        const { bytesRead } = await handle.read(content, filled, bytes - filled, filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return content.subarray(0, filled)
    } finally {
      await handle.close()
    }
  }
}
