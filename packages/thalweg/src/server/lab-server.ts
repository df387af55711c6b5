import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server, ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { DomainError } from '@thalweg/graph'
import { Lab } from './lab.ts'
import type { LabOptions } from './lab.ts'
import type { LabLimits } from './limits.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { RequestGuard } from './request-guard.ts'
import type { RequestHead } from './request-guard.ts'
import { apiRoutes } from './routes.ts'
import type { LabEnv } from './routes.ts'
import { securityHeaders } from './security-headers.ts'
import { StaticFiles } from './static-files.ts'

export interface LabServerOptions extends LabOptions {
  /** Folder of the built application. */
  readonly app: string
  /** Default 127.0.0.1. Any other address has a token, made here where none is given. */
  readonly host?: string
  /** Default 7733, or the next that is free; a port that is asked for is taken or refused. 0: any. */
  readonly port?: number
  readonly token?: string
  /** Names under which a proxy in front of the lab is reached. */
  readonly hostNames?: readonly string[]
}

export interface LabServer {
  /** To be opened; with the token where there is one. */
  readonly url: string
  readonly port: number
  readonly token: string | undefined
  readonly lab: Lab
  /** Whether there is an application to be shown. */
  readonly isBuilt: boolean
  /** Ends work, streams and connections. */
  readonly close: () => Promise<void>
}

const portDefault = 7733
const portTries = 20
const loopback: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost'])
const headersMs = 10_000
const requestMs = 3600_000
const closeMs = 2000

/** Starts the lab.
 * @throws {DomainError} if the root is no folder, or the address cannot be listened on. */
export async function startLabServer(options: LabServerOptions): Promise<LabServer> {
  const host = options.host ?? '127.0.0.1'
  const local = loopback.has(host)
  const token = options.token ?? (local ? undefined : randomBytes(18).toString('base64url'))
  const lab = await Lab.open(options)
  const files = new StaticFiles(options.app)
  const server = createServer(serverOptions(lab.limits))
  server.maxConnections = lab.limits.connectionsMax
  const port = await listen(server, host, options.port)
  const guard = new RequestGuard({ port, token, hostNames: hostNamesOf(host, options), anyAddress: !local })
  const app = labApp(lab, files, guard, options.onError)
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: host })
  // in time: connections are accepted after the promises that end here
  server.on('request', (incoming, outgoing) => void answer(incoming, outgoing))
  const shown = local || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return {
    url: `http://${shown}:${port}/${token === undefined ? '' : `?token=${encodeURIComponent(token)}`}`,
    port,
    token,
    lab,
    isBuilt: await files.isBuilt(),
    close: async () => {
      await lab.close()
      await closeServer(server)
    },
  }
}

/** Names besides 127.0.0.1 that a Host header may have; only with a token. */
function hostNamesOf(host: string, { hostNames = [], token }: LabServerOptions): string[] {
  if (loopback.has(host) && token === undefined) return []
  return [host, hostname(), ...hostNames].map((name) => name.toLowerCase())
}

function serverOptions({ idleMs }: LabLimits): ServerOptions {
  return {
    headersTimeout: headersMs,
    // a body has limits of its own, by its pauses
    requestTimeout: requestMs,
    keepAliveTimeout: 5000,
    connectionsCheckingInterval: Math.min(idleMs, 5000),
    maxHeaderSize: 16_384,
  }
}

async function listen(server: Server, host: string, wanted: number | undefined): Promise<number> {
  const ports = wanted === undefined ? Array.from({ length: portTries }, (_, i) => portDefault + i) : [wanted]
  for (const port of ports) {
    const reason = await new Promise<string | undefined>((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message)
      server.once('error', fail)
      server.listen(port, host, () => {
        server.off('error', fail)
        resolve(undefined)
      })
    })
    if (reason === undefined) return (server.address() as AddressInfo).port
    if (reason !== 'EADDRINUSE')
      throw new DomainError(`lab: cannot listen on ${host}:${port}, ${reason}. Name another --host or --port.`)
  }
  throw new DomainError(`lab: port ${ports.join(', ')} of ${host} is taken. Name another by --port.`)
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeIdleConnections()
  const hurry = setTimeout(() => server.closeAllConnections(), closeMs)
  await closed
  clearTimeout(hurry)
}

/** Guard, routes, and the application. */
function labApp(lab: Lab, files: StaticFiles, guard: RequestGuard, onError: (error: unknown) => void): Hono<LabEnv> {
  const app = new Hono<LabEnv>()
  app.use(async (c, next) => {
    const head: RequestHead = { method: c.req.method, header: (name) => c.req.header(name) }
    const admitted = admit(guard, head, c.req.path, c.req.query('token'))
    if (admitted) return admitted
    guard.check(head)
    await next()
    return undefined
  })
  app.route('/api', apiRoutes(lab))
  app.get('*', async (c) => {
    const file = await files.get(c.req.path === '/' ? '/' : decoded(c.req.path)).catch(async (error: unknown) => {
      if (c.req.path === '/' && !(await files.isBuilt())) return null
      throw error
    })
    if (!file) return page('The page of the lab is not built. Build it with: npm run build:lab', 503)
    const zipped = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '') ? file.zipped : undefined
    return new Response(zipped ?? file.bytes, {
      headers: {
        ...securityHeaders('page'),
        'Content-Type': file.type,
        ...(file.zipped && { Vary: 'Accept-Encoding' }),
        ...(zipped && { 'Content-Encoding': 'gzip' }),
        'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      },
    })
  })
  app.notFound((c) => {
    const known = c.req.method === 'GET' || c.req.method === 'HEAD'
    const refusal = known
      ? new Refusal('not-found', 'There is no such address.')
      : new Refusal('method-not-allowed', 'That cannot be done with this address.')
    return refused(refusal)
  })
  app.onError((error) => {
    const refusal = refusalOf(error)
    if (refusal.code === 'internal') onError(error)
    return refused(refusal)
  })
  return app
}

/** Whoever opens the page with the token gets it as a cookie, and an address without it. */
function admit(guard: RequestGuard, head: RequestHead, path: string, token: string | undefined): Response | undefined {
  if (token === undefined || path !== '/' || head.method !== 'GET') return undefined
  guard.checkHost(head)
  if (!guard.accepts(token)) return undefined
  return new Response(null, {
    status: 303,
    headers: {
      ...securityHeaders('page'),
      Location: '/',
      'Set-Cookie': guard.cookie(token),
      'Cache-Control': 'no-store',
    },
  })
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new Refusal('bad-request', 'The address is not valid UTF-8.')
  }
}

function page(text: string, status: number): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...securityHeaders('data'), 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  })
}

function refused(refusal: Refusal): Response {
  return Response.json(refusal.body, {
    status: refusal.status,
    headers: {
      ...securityHeaders('data'),
      'Cache-Control': 'no-store',
      // what is left of a body that was refused is not read
      ...(['too-large', 'timeout'].includes(refusal.code) && { Connection: 'close' }),
    },
  })
}
