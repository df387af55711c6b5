import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { QueueAddress } from '../queue-address.ts'

/** Whether tests that need a server can run here. */
export const hasRedisServer: boolean = spawnSync('redis-server', ['--version']).status === 0

export const testPassword = 'correct horse'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A Redis server of a test: on a port of its own, with a password and an append-only file. */
export class TestRedis {
  readonly folder: string
  readonly port: number
  readonly #arguments: readonly string[]
  readonly #encrypted: boolean
  #process: ChildProcess | undefined

  private constructor(folder: string, port: number, encrypted: boolean) {
    this.folder = folder
    this.port = port
    this.#encrypted = encrypted
    const listen = encrypted
      ? ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...this.#certificates()]
      : ['--port', String(port)]
    this.#arguments = [...listen, '--bind', '127.0.0.1', '--requirepass', testPassword, '--dir', folder]
  }

  static async start({ encrypted = false }: { readonly encrypted?: boolean } = {}): Promise<TestRedis> {
    const server = new TestRedis(mkdtempSync(join(tmpdir(), 'thalweg-redis-')), await freePort(), encrypted)
    await server.start()
    return server
  }

  get address(): QueueAddress {
    return { url: `${this.#encrypted ? 'rediss' : 'redis'}://127.0.0.1:${this.port}`, password: testPassword }
  }

  async start(): Promise<void> {
    const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec']
    const child = spawn('redis-server', [...this.#arguments, ...durable], { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#process = child
    await new Promise<void>((resolve, reject) => {
      let log = ''
      child.stdout.on('data', (text) => {
        log += String(text)
        if (log.includes('Ready to accept connections')) resolve()
      })
      child.once('exit', () => reject(new Error(`redis-server ended: ${log}`)))
    })
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  get certificateFile(): string {
    return join(this.folder, 'server.crt')
  }

  #certificates(): string[] {
    const key = join(this.folder, 'server.key')
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key]
    execFileSync('openssl', [...made, '-out', this.certificateFile, ...subject], { stdio: 'ignore' })
    const files = ['--tls-cert-file', this.certificateFile, '--tls-key-file', key]
    return [...files, '--tls-ca-cert-file', this.certificateFile]
  }
}
