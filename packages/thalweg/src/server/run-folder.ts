import { readdir, stat } from 'node:fs/promises'
import { isPlainName } from './root-folder.ts'
import type { RootFolder } from './root-folder.ts'
import { objectOf, parsePlainJson } from './plain-json.ts'
import type { JsonObject } from './plain-json.ts'
import { Refusal } from './refusal.ts'

const depthMax = 3
const filesMax = 2000

export interface FolderFile {
  readonly name: string
  readonly bytes: number
  readonly mtimeMs: number
}

/** One run below the root, read as if a stranger had written it. */
export class RunFolder {
  readonly id: string
  readonly #root: RootFolder
  readonly #parts: readonly string[]
  readonly #jsonBytesMax: number

  /** @throws {Refusal} 404 if the id cannot be one. */
  constructor(root: RootFolder, id: string, jsonBytesMax: number) {
    const parts = id.split('/')
    if (parts.length > depthMax || !parts.every(isPlainName)) throw new Refusal('not-found', 'There is no such run.')
    this.id = id
    this.#root = root
    this.#parts = parts
    this.#jsonBytesMax = jsonBytesMax
  }

  parts(...inside: readonly string[]): string[] {
    return [...this.#parts, ...inside]
  }

  /** The folder without links.
   * @throws {Refusal} 404, 403. */
  path(...inside: readonly string[]): Promise<string> {
    return this.#root.resolve(...this.parts(...inside))
  }

  async exists(...inside: readonly string[]): Promise<boolean> {
    return (await this.path(...inside).catch(() => undefined)) !== undefined
  }

  /** An object from a JSON file; null where there is none that can be read. */
  async json(...inside: readonly string[]): Promise<JsonObject | null> {
    try {
      const bytes = await this.#root.read(this.parts(...inside), this.#jsonBytesMax)
      return objectOf(parsePlainJson(new TextDecoder().decode(bytes)))
    } catch (error) {
      if (error instanceof Refusal) return null
      throw error
    }
  }

  /** Regular files of a folder by name; links that lead outside are left out. */
  async files(...inside: readonly string[]): Promise<FolderFile[]> {
    const folder = await this.path(...inside).catch(() => undefined)
    if (folder === undefined) return []
    const names = (await readdir(folder).catch(() => [])).filter(isPlainName).sort().slice(0, filesMax)
    const found = await Promise.all(names.map((name) => this.#file(inside, name)))
    return found.filter((file) => file !== undefined)
  }

  async #file(inside: readonly string[], name: string): Promise<FolderFile | undefined> {
    const path = await this.path(...inside, name).catch(() => undefined)
    const info = path === undefined ? undefined : await stat(path).catch(() => undefined)
    return info?.isFile() ? { name, bytes: info.size, mtimeMs: info.mtimeMs } : undefined
  }

  /** When the run last changed, and a text that differs whenever its summary may. */
  async stamp(): Promise<{ readonly createdMs: number; readonly updatedMs: number; readonly key: string } | null> {
    const places = [[], ['manifest.json'], ['results'], ['figures'], ['report.html'], ['live', 'progress.json']]
    const infos = await Promise.all(
      places.map(async (inside) => {
        const path = await this.path(...inside).catch(() => undefined)
        return path === undefined ? undefined : stat(path).catch(() => undefined)
      }),
    )
    const [folder, manifest] = infos
    if (!folder?.isDirectory()) return null
    const times = infos.flatMap((info) => (info ? [info.mtimeMs] : []))
    const born = manifest?.birthtimeMs || folder.birthtimeMs || folder.mtimeMs
    return {
      createdMs: Math.min(born, ...times),
      updatedMs: Math.max(...times),
      key: infos.map((info) => (info ? `${info.mtimeMs}:${info.size}` : '-')).join(' '),
    }
  }
}
