import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { Refusal } from './refusal.ts'

/** Who may ask. */
export interface GuardOptions {
  readonly port: number
  /** Names besides 127.0.0.1 and localhost under which the lab is reached; needs a token. */
  readonly hostNames: readonly string[]
  /** Any address of the machine is fine as a Host, because the token is what admits. */
  readonly anyAddress: boolean
  readonly token?: string
}

/** What the guard reads of a request. */
export interface RequestHead {
  readonly method: string
  readonly header: (name: string) => string | undefined
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** Turns away what does not come from a page of the lab or from a program of its user:
 *
 *     Host            must be the lab's own address: a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused
 *     token           under any other address; compared in constant time
 *     Origin          must be the lab's own where there is one, and is demanded of a browser that changes something
 *     Sec-Fetch-Site  a browser that says the request comes from another site is refused, whatever the method
 *
 * Programs such as curl send neither Origin nor Sec-Fetch-Site: they run as somebody on this machine, or have the token. */
export class RequestGuard {
  readonly #options: GuardOptions
  readonly #tokenDigest: Buffer | undefined
  readonly #cookieName: string

  constructor(options: GuardOptions) {
    this.#options = options
    this.#tokenDigest = options.token === undefined ? undefined : digest(options.token)
    // Cookies do not tell ports apart: two labs on one machine keep theirs by name.
    this.#cookieName = `thalweg-lab-${options.port}`
  }

  /** @throws {Refusal} 403 or 401. */
  check(head: RequestHead): void {
    this.checkHost(head)
    this.#checkSite(head)
    this.#checkToken(head)
  }

  /** @throws {Refusal} 403 unless the Host is one under which the lab is served. */
  checkHost({ header }: RequestHead): void {
    const host = header('host')
    if (host === undefined || !this.#knownHost(host))
      throw new Refusal('forbidden', 'The Host header is not an address of this lab. Open the address that it printed.')
  }

  #knownHost(host: string): boolean {
    const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(host)
    if (!match) return false
    const name = match[1].toLowerCase()
    const { port, hostNames, anyAddress } = this.#options
    if (hostNames.includes(name)) return true
    if (Number(match[2] ?? 80) !== port) return false
    if (['127.0.0.1', 'localhost'].includes(name)) return true
    return anyAddress && isIP(name.replace(/^\[|\]$/g, '')) !== 0
  }

  #checkSite({ method, header }: RequestHead): void {
    const origin = header('origin')
    const site = header('sec-fetch-site')
    const refuse = (): never => {
      throw new Refusal('forbidden', 'The request comes from another site. Only pages of this lab may ask it.')
    }
    if (origin !== undefined && !sameOrigin(origin, header('host') ?? '')) refuse()
    // A link from elsewhere may open the page; what it loads then comes from itself.
    const opensPage = header('sec-fetch-mode') === 'navigate' && header('sec-fetch-dest') === 'document'
    if (site !== undefined && site !== 'same-origin' && site !== 'none' && !(safeMethods.has(method) && opensPage))
      refuse()
    if (!safeMethods.has(method) && site !== undefined && origin === undefined) refuse()
  }

  #checkToken({ header }: RequestHead): void {
    if (this.#tokenDigest === undefined) return
    const bearer = /^Bearer (\S+)$/i.exec(header('authorization') ?? '')?.[1]
    if (bearer !== undefined && this.accepts(bearer)) return
    const cookie = cookieValue(header('cookie') ?? '', this.#cookieName)
    if (cookie !== undefined && this.accepts(cookie)) return
    throw new Refusal('unauthorized', 'A token is needed. Open the address that the lab printed when it started.')
  }

  /** True where the lab has a token and this is it. Digests are compared, so that neither length nor content shows in time. */
  accepts(token: string): boolean {
    return this.#tokenDigest !== undefined && timingSafeEqual(digest(token), this.#tokenDigest)
  }

  /** The cookie that stands for the token from now on. */
  cookie(token: string): string {
    return `${this.#cookieName}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}

function sameOrigin(origin: string, host: string): boolean {
  try {
    const { protocol, host: from } = new URL(origin)
    // Where no port is written, that of the scheme is meant on both sides.
    const own = new URL(`${protocol}//${host}`).host
    return (protocol === 'http:' || protocol === 'https:') && from === own
  } catch {
    return false
  }
}

function cookieValue(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at < 0 || pair.slice(0, at).trim() !== name) continue
    try {
      return decodeURIComponent(pair.slice(at + 1).trim())
    } catch {
      return undefined
    }
  }
  return undefined
}
