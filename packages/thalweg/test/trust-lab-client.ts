import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLabServer } from '../src/server/lab-server.ts'
import type { LabServer, LabServerOptions } from '../src/server/lab-server.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** A page that tries what its policy must refuse, and leaves in its markup what came of it. */
const probePage = `<!doctype html><html><title>lab</title><body onload="document.documentElement.dataset.handler = 'ran'">
<script>document.documentElement.dataset.inline = 'ran'</script>
<script type="module" src="/assets/index-0a1b2c3d.js"></script></body></html>`

const probe = `const { dataset } = document.documentElement
dataset.file = 'ran'
try { new Function('return 1')(); dataset.eval = 'ran' } catch (error) { dataset.eval = error.name }
const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)
try { new WebAssembly.Module(wasm); dataset.wasm = 'ran' } catch (error) { dataset.wasm = error.name }
const link = document.createElement('a')
link.href = 'javascript:document.documentElement.dataset.link = 1'
document.body.append(link)
link.click()
document.body.append(Object.assign(document.createElement('div'), { innerHTML: '<img src=x onerror="document.documentElement.dataset.image = 1">' }))
dataset.isolated = String(crossOriginIsolated)
await fetch('https://example.invalid/').catch(() => { dataset.network = 'refused' })
dataset.done = 'yes'`

/** A lab on a folder of its own, asked byte by byte: nothing tidies the path, the host or the headers. */
export class LabClient {
  readonly root: string
  /** Beside the root: what nobody may reach. */
  readonly outside: string
  readonly server: LabServer
  readonly bugs: unknown[]
  readonly #folder: string

  private constructor(folder: string, server: LabServer, bugs: unknown[]) {
    this.#folder = folder
    this.root = join(folder, 'root')
    this.outside = join(folder, 'outside')
    this.server = server
    this.bugs = bugs
  }

  static async start(options: Partial<LabServerOptions> = {}): Promise<LabClient> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'thalweg-lab-')))
    const bugs: unknown[] = []
    for (const name of ['root', 'outside', 'app/assets']) mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'outside', 'secret.json'), '{"secret":true}')
    writeFileSync(join(folder, 'app', 'index.html'), probePage)
    writeFileSync(join(folder, 'app', 'assets', 'index-0a1b2c3d.js'), probe)
    const server = await startLabServer({
      root: join(folder, 'root'),
      app: join(folder, 'app'),
      port: 0,
      onError: (error) => bugs.push(error),
      ...options,
    })
    return new LabClient(folder, server, bugs)
  }

  async stop(): Promise<void> {
    await this.server.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get host(): string {
    return `127.0.0.1:${this.server.port}`
  }

  /** Puts files into the root; values that are not texts become JSON. */
  write(files: Readonly<Record<string, unknown>>): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.root, name)
      mkdirSync(join(path, '..'), { recursive: true })
      const raw = typeof content === 'string' || content instanceof Uint8Array
      writeFileSync(path, raw ? content : JSON.stringify(content))
    }
  }

  ask(path: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: this.server.port,
          method,
          path,
          agent: false,
          headers: { Host: this.host, ...headers },
        },
        (answer) => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', (piece: string) => (text += piece))
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
          answer.on('error', reject)
        },
      )
      asked.on('error', reject)
      asked.end(body)
    })
  }

  async json<T>(path: string, question: Question = {}): Promise<T> {
    return JSON.parse((await this.ask(path, question)).text) as T
  }

  post(path: string, value: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const body = typeof value === 'string' ? value : JSON.stringify(value)
    return this.ask(path, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } })
  }

  /** Sends bytes as they are and gives back what comes until the other side closes. */
  raw(bytes: string, onOpen?: (write: (more: string) => void) => void): Promise<string> {
    return new Promise((resolve) => {
      let text = ''
      const socket = connect(this.server.port, '127.0.0.1', () => {
        socket.write(bytes)
        onOpen?.((more) => socket.destroyed || socket.write(more))
      })
      socket.setEncoding('utf8')
      socket.on('data', (piece: string) => (text += piece))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(text))
    })
  }
}
