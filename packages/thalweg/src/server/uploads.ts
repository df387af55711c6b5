import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { extname, join } from 'node:path'
import { makeFolder } from '../files/write-atomic.ts'
import type { LabLimits } from './limits.ts'
import type { Upload, UploadEnding, UploadedFile } from './protocol.ts'
import { Refusal } from './refusal.ts'
import { writeBody } from './request-body.ts'
import { isPlainName } from './root-folder.ts'
import { Slots } from './slots.ts'

const endings = {
  '.onnx': true,
  '.data': true,
  '.weight': true,
  '.weights': true,
  '.bin': true,
  '.npy': true,
  '.npz': true,
  '.csv': true,
  '.tsv': true,
  '.gz': true,
  '.parquet': true,
  '.idx': true,
  '.safetensors': true,
  '.h5': true,
  '.hdf5': true,
  '.yaml': true,
  '.yml': true,
} satisfies Record<UploadEnding, true>

const nameLengthMax = 120
const sweepEveryMs = 60_000

/** Files that came from a page, each upload in a folder of its own with a name that nobody can guess. */
export class Uploads {
  readonly #folder: string
  readonly #limits: LabLimits
  readonly #slots: Slots
  /** Uploads that some run was started with. */
  readonly #isNeeded: (upload: string) => boolean
  readonly #digests = new Map<string, string>()
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor(folder: string, limits: LabLimits, isNeeded: (upload: string) => boolean) {
    this.#folder = folder
    this.#limits = limits
    this.#slots = new Slots(limits.uploadsAtOnceMax)
    this.#isNeeded = isNeeded
  }

  /** A new, empty upload.
   * @throws {Refusal} 429 when there are too many. */
  async create(): Promise<Upload> {
    await this.#sweep()
    if ((await this.#ids()).length >= this.#limits.uploadsMax)
      throw new Refusal('too-many', `The lab keeps at most ${this.#limits.uploadsMax} uploads. Delete some.`)
    const id = randomBytes(12).toString('hex')
    await makeFolder(join(this.#folder, id))
    return { id, files: [] }
  }

  /** @throws {Refusal} 404. */
  async get(id: string): Promise<Upload> {
    const folder = await this.#existing(id)
    const files: UploadedFile[] = []
    for (const name of (await readdir(folder)).filter(isPlainName).sort())
      files.push(await this.#describe(folder, name))
    return { id, files }
  }

  /** The path of a file of an upload.
   * @throws {Refusal} 404. */
  async path(id: string, name: string): Promise<string> {
    const folder = await this.#existing(id)
    const path = join(folder, requireName(name))
    const info = await stat(path).catch(() => undefined)
    if (!info?.isFile()) throw new Refusal('not-found', `The upload has no file ${name}. Send it again.`)
    const now = new Date()
    await utimes(folder, now, now)
    return path
  }

  /** The folder of an upload.
   * @throws {Refusal} 404. */
  folder(id: string): Promise<string> {
    return this.#existing(id)
  }

  /** Takes a file from a request, under a name of its own until it is whole; a file of the same name is replaced.
   * @throws {Refusal} 400, 404, 408, 413, 429. */
  async put(id: string, name: string, request: IncomingMessage): Promise<UploadedFile> {
    requireName(name)
    const release = this.#slots.take()
    if (!release)
      throw new Refusal('too-many', `At most ${this.#limits.uploadsAtOnceMax} files at once. Wait for one to end.`)
    try {
      const folder = await this.#existing(id)
      await this.#requireRoom(folder, name)
      const part = join(folder, `.${randomBytes(6).toString('hex')}.part`)
      const { uploadBytesMax, uploadedBytesMax, idleMs } = this.#limits
      const room = uploadedBytesMax - (await this.#bytesOfAll())
      const { bytes, sha256 } = await writeBody(request, part, { bytesMax: Math.min(uploadBytesMax, room), idleMs })
      const path = join(folder, name)
      await rename(part, path).catch(async (error: unknown) => {
        await unlink(part).catch(() => undefined)
        throw new Refusal('not-found', 'The upload was deleted while the file came.', error)
      })
      this.#digests.set(digestKey(path, (await stat(path)).mtimeMs), sha256)
      return { name, bytes, sha256 }
    } finally {
      release()
    }
  }

  /** @throws {Refusal} 404; 409 while a run needs it. */
  async delete(id: string): Promise<void> {
    const folder = await this.#existing(id)
    if (this.#isNeeded(id)) throw new Refusal('conflict', 'A run was started with this upload and needs it.')
    await rm(folder, { recursive: true, force: true })
  }

  async #requireRoom(folder: string, name: string): Promise<void> {
    const names = (await readdir(folder)).filter((each) => each !== name)
    if (names.length >= this.#limits.filesPerUploadMax)
      throw new Refusal('too-many', `An upload may have ${this.#limits.filesPerUploadMax} files. Make another.`)
  }

  async #existing(id: string): Promise<string> {
    const folder = join(this.#folder, id)
    if (!/^[0-9a-f]{24}$/.test(id) || !(await stat(folder).catch(() => undefined))?.isDirectory())
      throw new Refusal('not-found', 'There is no such upload; it may have been forgotten. Send the files again.')
    return folder
  }

  async #describe(folder: string, name: string): Promise<UploadedFile> {
    const path = join(folder, name)
    const { size, mtimeMs } = await stat(path)
    const key = digestKey(path, mtimeMs)
    const sha256 = this.#digests.get(key) ?? (await digestOf(path))
    this.#digests.set(key, sha256)
    return { name, bytes: size, sha256 }
  }

  #ids(): Promise<string[]> {
    return readdir(this.#folder).catch(() => [])
  }

  async #bytesOfAll(): Promise<number> {
    let bytes = 0
    for (const id of await this.#ids())
      for (const name of await readdir(join(this.#folder, id)).catch(() => []))
        bytes += (await stat(join(this.#folder, id, name)).catch(() => undefined))?.size ?? 0
    return bytes
  }

  /** Forgets uploads that are old and that no run was started with. */
  async #sweep(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    if (performance.now() - this.#sweptMs < sweepEveryMs) return
    this.#sweptMs = performance.now()
    const oldest = Date.now() - this.#limits.uploadAgeMaxMs
    for (const id of await this.#ids()) {
      const info = await stat(join(this.#folder, id)).catch(() => undefined)
      if (info && info.mtimeMs < oldest && !this.#isNeeded(id))
        await rm(join(this.#folder, id), { recursive: true, force: true })
    }
  }
}

/** A name that is one on every system, with an ending that some reader knows. */
function requireName(name: string): string {
  const plain = isPlainName(name) && name.length <= nameLengthMax && /^[\p{L}\p{N}._ -]+$/u.test(name)
  if (!plain || !Object.hasOwn(endings, extname(name).toLowerCase()))
    throw new Refusal(
      'bad-request',
      `A file is named by letters, digits, spaces and . _ -, with one of the endings ${Object.keys(endings).join(' ')}.`,
    )
  return name
}

function digestKey(path: string, mtimeMs: number): string {
  return `${path} ${mtimeMs}`
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}
