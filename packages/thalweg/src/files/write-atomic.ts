import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DomainError } from '@thalweg/graph'

/** Writes a file so that it is whole or absent, whenever the process or the machine stops: a temporary file beside it
 * is written and synced, renamed over the target, and the directory synced. Text is written as UTF-8.
 *
 * @throws {DomainError} naming the path and the system's reason; nothing is left behind then.
 * A process killed midway leaves at most `.NAME.XXXXXXXX.tmp`. */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const directory = dirname(path)
  const temporary = join(directory, `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`)
  try {
    await writeAndSync(temporary, bytes)
    try {
      await rename(temporary, path)
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw error
    }
    await syncDirectory(directory)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new DomainError(
      `writing ${path}: the system refused, ${reason}. Check that the folder exists, is writable and has space.`,
      { path, reason },
      error,
    )
  }
}

/** Makes a folder and those above it.
 * @throws {DomainError} naming the path and the system's reason. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new DomainError(
      `${path}: the folder cannot be made, ${reason}. Name one that can be written to.`,
      { path, reason },
      error,
    )
  }
}

async function writeAndSync(path: string, bytes: Uint8Array): Promise<void> {
  // 'wx': never write through a file or link that is already there.
  const handle = await open(path, 'wx')
  try {
    for (let offset = 0; offset < bytes.length; ) {
      const length = Math.min(bytes.length - offset, 2 ** 28)
      offset += (await handle.write(bytes, offset, length)).bytesWritten
    }
    await handle.sync()
  } catch (error) {
    await handle.close().catch(() => {})
    await unlink(path).catch(() => {})
    throw error
  }
  await handle.close()
}

/** Makes the rename itself durable. Windows cannot open directories; some network file systems cannot sync them. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}
