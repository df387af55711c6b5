import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, BrowserContextOptions, Page, Request } from 'playwright-core'
import { findBrowser } from '../src/files/find-browser.ts'
import { packageFile } from '../src/files/package-file.ts'
import { startLabServer } from '../src/server/lab-server.ts'
import type { LabServer } from '../src/server/lab-server.ts'
import type { RunSummary, WorkRequest } from '../src/server/protocol.ts'

const executablePath = findBrowser(process.env)

/** True where no browser is installed; says so once. */
export const noBrowser: boolean = executablePath === undefined
if (noBrowser) console.warn('No Chromium is installed: the lab is not tested in a browser.')

const bin = resolve(import.meta.dirname, '../bin/thalweg.js')

/** A page, and all that it and its browser had to complain about: errors, warnings, breaches of the policy, failed
 * requests and requests to anywhere else. */
export interface Visit {
  readonly page: Page
  readonly complaints: string[]
  /** Bytes that came over the wire, by file. */
  readonly received: Map<string, number>
}

export interface VisitOptions extends BrowserContextOptions {
  /** `?lang=zh` and the like. */
  readonly query?: string
  /** Open it beside the other pages of this context. */
  readonly context?: BrowserContext
}

/** The built lab over a folder of its own, and a browser to look at it. */
export class LabBrowser {
  readonly folder: string
  readonly browser: Browser
  readonly server: LabServer
  readonly #bugs: unknown[]

  private constructor(folder: string, browser: Browser, server: LabServer, bugs: unknown[]) {
    this.folder = folder
    this.browser = browser
    this.server = server
    this.#bugs = bugs
  }

  /** @param graphics  whether pages may use WebGL, which is emulated here: dear where many pages draw at once. */
  static async start({ graphics = true }: { readonly graphics?: boolean } = {}): Promise<LabBrowser> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'thalweg-browser-')))
    const root = join(folder, 'runs')
    mkdirSync(root)
    const bugs: unknown[] = []
    const onError = (error: unknown): void => void bugs.push(error)
    const server = await startLabServer({ root, app: packageFile('dist', 'lab'), port: 0, onError })
    const emulated = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--disable-gpu-rasterization']
    const args = ['--no-sandbox', ...(graphics ? emulated : ['--disable-gpu'])]
    return new LabBrowser(folder, await chromium.launch({ executablePath, args }), server, bugs)
  }

  /** Fails where the server met with a bug of its own. */
  async stop(): Promise<void> {
    await this.browser.close()
    await this.server.close()
    rmSync(this.folder, { recursive: true, force: true })
    if (this.#bugs.length > 0) throw new AggregateError(this.#bugs, `The lab: ${this.#bugs.map(String).join('; ')}`)
  }

  /** What `thalweg run` makes of an experiment, in the root of the lab. */
  run(yaml: string): void {
    writeFileSync(join(this.folder, 'experiment.yaml'), yaml)
    const { status, stderr } = spawnSync(process.execPath, [bin, 'run', 'experiment.yaml', '--quiet'], {
      cwd: this.folder,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
  }

  /** Asks the lab for work as a page does, and waits until it is done. */
  async work(request: WorkRequest): Promise<string> {
    const id = await this.begin(request)
    for (;;) {
      const { state, error } = (await this.server.lab.live(id)).summary
      if (state === 'finished') return id
      if (!['queued', 'running', 'stopping'].includes(state)) throw new Error(`${id}: ${state}. ${error ?? ''}`)
      await new Promise((done) => setTimeout(done, 100))
    }
  }

  async begin(request: WorkRequest): Promise<string> {
    const answer = await fetch(`${this.server.url}api/work`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(request),
    })
    if (answer.status !== 202) throw new Error(await answer.text())
    return ((await answer.json()) as RunSummary).id
  }

  /** Opens a place such as `#/runs`; ready when its heading is there. */
  async visit(place: string, { query = '', context, ...look }: VisitOptions = {}): Promise<Visit> {
    const own = context ?? (await this.browser.newContext({ viewport: { width: 1200, height: 900 }, ...look }))
    const page = await own.newPage()
    const visit: Visit = { page, complaints: [], received: new Map() }
    this.#listen(visit)
    await page.goto(`${this.server.url}${query}${place}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    return visit
  }

  #listen({ page, complaints, received }: Visit): void {
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!/^(blob:|data:)/.test(request.url()) && !request.url().startsWith(this.server.url))
        complaints.push(`asked for ${request.url()}`)
    })
    page.on('requestfinished', (request) => void this.#weigh(request, received))
  }

  async #weigh(request: Request, received: Map<string, number>): Promise<void> {
    // of pages that were closed meanwhile nothing is known
    const sizes = await request.sizes().catch(() => undefined)
    const name = request.url().slice(this.server.url.length)
    received.set(name, (received.get(name) ?? 0) + (sizes?.responseBodySize ?? 0) + (sizes?.responseHeadersSize ?? 0))
  }
}

/** What axe finds wrong, one line each. */
export async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze()
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join('; ')}`)
}
