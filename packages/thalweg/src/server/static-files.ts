import { extname } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Refusal } from './refusal.ts'
import { RootFolder } from './root-folder.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
  '.onnx': 'application/octet-stream',
  '.txt': 'text/plain; charset=utf-8',
}

const fileBytesMax = 64 * 2 ** 20

/** What is worth compressing: scripts and the like shrink to a third. WebAssembly is 14 MB that would be compressed while
 * the first reader waits; on the same machine it is there sooner as it is. */
const isText = (type: string): boolean => /^text\/|json|svg/.test(type)

export interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  /** The same for whoever takes it compressed; undefined where that is not worth it. */
  readonly zipped: Uint8Array<ArrayBuffer> | undefined
  /** Its name holds a digest of its content: it never changes. */
  readonly immutable: boolean
}

/** The built application: files of known types, kept in memory as they are asked for. */
export class StaticFiles {
  readonly #folder: Promise<RootFolder | undefined>
  readonly #kept = new Map<string, StaticFile>()

  constructor(folder: string) {
    this.#folder = RootFolder.open(folder).catch(() => undefined)
  }

  /** Whether there is an application. */
  async isBuilt(): Promise<boolean> {
    return (await (await this.#folder)?.resolve('index.html').catch(() => undefined)) !== undefined
  }

  /** @param path  of the address, decoded: `/assets/index-1a2b3c4d.js`; `/` is the page itself.
   * @throws {Refusal} 404, 403. */
  async get(path: string): Promise<StaticFile> {
    const parts = (path === '/' ? '/index.html' : path).slice(1).split('/')
    const type = types[extname(parts.at(-1) ?? '').toLowerCase()]
    const folder = await this.#folder
    if (type === undefined || !folder) throw new Refusal('not-found', 'There is no such page.')
    const kept = this.#kept.get(path)
    if (kept) return kept
    const immutable = parts.length > 1 && /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/.test(parts.at(-1)!)
    const bytes = await folder.read(parts, fileBytesMax)
    const zipped = immutable && isText(type) ? await promisify(gzip)(bytes) : undefined
    const file = { bytes, zipped, type, immutable }
    // only what cannot change: in a checkout the page is built anew while the lab runs
    if (immutable) this.#kept.set(path, file)
    return file
  }
}
