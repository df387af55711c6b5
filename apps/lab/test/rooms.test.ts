import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const lab = resolve(import.meta.dirname, '..')
const executablePath: string = process.env['THALWEG_CHROMIUM'] ?? '/usr/bin/chromium'
const missing = !existsSync(executablePath)
if (missing) console.warn(`The theory rooms are not tested in a browser: there is none at ${executablePath}.`)

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

const rooms = ['linear', 'elimination', 'gram', 'functions', 'surface'] as const
type RoomName = (typeof rooms)[number]

describe.skipIf(missing)('the theory rooms as static pages', () => {
  const site = mkdtempSync(join(tmpdir(), 'thalweg-site-'))
  let server: Server
  let browser: Browser
  let base = ''

  beforeAll(async () => {
    const vite = resolve(lab, '../../node_modules/vite/bin/vite.js')
    execFileSync(
      process.execPath,
      [vite, 'build', '--config', 'vite.site.config.ts', '--outDir', site, '--logLevel', 'warn'],
      { cwd: lab, stdio: 'inherit', env: { ...process.env, NODE_ENV: 'production' } },
    )
    // Nothing but files, in some folder of some server: no headers for isolation, no fallback.
    server = createServer(({ url = '' }, response) => {
      const path = join(site, new URL(url, 'http://x').pathname.replace(/^\/some\/folder\//, '/'))
      if (!url.startsWith('/some/folder/') || !path.startsWith(site) || !existsSync(path)) {
        response.writeHead(404).end()
        return
      }
      response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' })
      response.end(readFileSync(path))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port }: { port: number } = server.address() as AddressInfo
    base = `http://127.0.0.1:${port}/some/folder/`
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  })

  afterAll(async () => {
    await browser?.close()
    server?.close()
    rmSync(site, { recursive: true, force: true })
  })

  /** Opens a room, and closes it after `use`; what the console and the network complain about fails the test. */
  async function visit(
    room: RoomName | 'index',
    options: { fragment?: string; language?: 'en' | 'zh'; theme?: 'light' | 'dark'; width?: number },
    use: (page: Page, requests: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const { fragment = '', language = 'en', theme = 'light', width = 1280 } = options
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: theme,
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    const complaints: string[] = []
    const requests: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => requests.push(request.url()))
    try {
      await page.goto(`${base}${room}.html?lang=${language}${fragment && `#/?${fragment}`}`)
      await page.locator('h1').waitFor()
      await use(page, requests)
      expect(complaints).toEqual([])
      expect(
        requests.filter((url) => !url.startsWith(base) && !url.startsWith('data:') && !url.startsWith('blob:')),
      ).toEqual([])
    } finally {
      await context.close()
    }
  }

  const step = (page: Page, number: number) => page.locator('.step').nth(number - 1)
  const wasm = (requests: readonly string[]): readonly string[] => requests.filter((url) => url.endsWith('.wasm'))

  it('have only relative addresses, one WebAssembly file, and a page for each room', () => {
    const pages = readdirSync(site).filter((name) => name.endsWith('.html'))
    expect(pages.sort()).toEqual([...rooms, 'index'].map((name) => `${name}.html`).sort())
    for (const page of pages) expect(readFileSync(join(site, page), 'utf8')).not.toMatch(/(src|href)="(\/|http)/)
    expect(readdirSync(join(site, 'assets')).filter((name) => name.endsWith('.wasm'))).toHaveLength(1)
  })

  it('list the rooms on the first page', () =>
    visit('index', {}, async (page) => {
      expect(await page.locator('.room-cards a').count()).toBe(rooms.length)
      await page.locator('.room-cards a').first().click()
      await page.locator('.step').first().waitFor()
      expect(page.url()).toContain('linear.html')
    }))

  it('linear: rungs are chosen by keyboard, the link restores them, and the claim depends on depth', async () => {
    let link = ''
    await visit('linear', {}, async (page, requests) => {
      await page.locator('.rung').first().waitFor()
      await expect.poll(() => page.locator('.verdict-box').innerText()).toContain('False for these widths')
      const rung = page.locator('.rung[aria-label^="{1} "]')
      await rung.focus()
      await page.keyboard.press('Enter')
      await expect.poll(() => page.url()).toContain('rung=1')
      await expect.poll(() => step(page, 3).innerText()).toContain('0 negative, 22 zero, 5 positive')
      await expect.poll(() => step(page, 5).innerText()).toContain('L{1} = 1.480')
      link = page.url().split('#/?')[1]
      expect(wasm(requests)).toEqual([])
    })
    await visit('linear', { fragment: link }, async (page) => {
      await page.locator('.rung[aria-label^="{1} "][aria-pressed="true"]').waitFor()
    })
    await visit('linear', { fragment: 'hidden=3' }, async (page) => {
      await expect.poll(() => page.locator('.verdict-box').innerText()).toContain('True for these widths')
    })
  })

  it('elimination: one start is certified, one runs to infinity, and labels without contradiction are vacuous', async () => {
    const outcome = (page: Page): Promise<string> => page.locator('.outcome').innerText()
    await visit('elimination', { fragment: 'start=1.4' }, async (page, requests) => {
      await expect.poll(() => outcome(page), { timeout: 20_000 }).toContain('Certified')
      expect(wasm(requests)).toEqual([])
    })
    await visit('elimination', { fragment: 'start=5.6' }, async (page) => {
      await expect.poll(() => outcome(page), { timeout: 20_000 }).toContain('To infinity')
      await step(page, 4).scrollIntoViewIfNeeded()
      await expect.poll(() => step(page, 4).innerText(), { timeout: 90_000 }).toContain('11 of 40 starts are certified')
    })
    await visit('elimination', { fragment: 'problem=logistic&start=0.5' }, async (page) => {
      await expect.poll(() => outcome(page), { timeout: 20_000 }).toContain('Vacuous')
    })
  })

  it('gram: training starts when it comes into view, in WebAssembly, and stays below the bound', () =>
    visit('gram', { fragment: 'width=64' }, async (page, requests) => {
      await step(page, 2).locator('svg').first().waitFor()
      expect(wasm(requests)).toEqual([])
      await step(page, 3).scrollIntoViewIfNeeded()
      await expect.poll(() => step(page, 3).innerText(), { timeout: 60_000 }).toContain('never above the bound')
      expect(wasm(requests)).toHaveLength(1)
      const point = page.locator('.circle-point').nth(1)
      const before = await point.getAttribute('aria-valuenow')
      await point.focus()
      await page.keyboard.press('ArrowRight')
      expect(Number(await point.getAttribute('aria-valuenow'))).toBeCloseTo(Number(before) + 1, 6)
    }))

  it('functions: critical points, a question, a race', () =>
    visit('functions', {}, async (page) => {
      await expect.poll(() => step(page, 1).locator('tbody tr').count(), { timeout: 20_000 }).toBe(9)
      await step(page, 2).scrollIntoViewIfNeeded()
      const answer = step(page, 2).getByRole('button', { name: 'maximum' })
      await answer.click({ timeout: 20_000 })
      await expect.poll(() => step(page, 2).innerText()).toMatch(/(Right|Not quite)\.[^]*eigenvalues/)
      await step(page, 2).getByRole('button', { name: 'Next question' }).click()
      await expect.poll(() => page.url()).toContain('question=2')
      await step(page, 3).scrollIntoViewIfNeeded()
      await expect.poll(() => step(page, 3).locator('tbody tr').count(), { timeout: 20_000 }).toBe(5)
      const map = step(page, 3).locator('.field-map-stack > svg')
      await map.click({ position: { x: 300, y: 120 } })
      await expect.poll(() => page.url()).toContain('start=')
    }))

  it('surface: trains both networks and counts their basins', () =>
    visit('surface', { fragment: 'depth=4' }, async (page) => {
      await expect.poll(() => step(page, 3).locator('figure').count(), { timeout: 120_000 }).toBe(2)
      expect(await step(page, 2).locator('canvas').count()).toBe(4)
      expect(await step(page, 2).innerText()).toMatch(/basin/)
      const relief = page.locator('.relief').first()
      await relief.focus()
      const before = await relief.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL())
      await page.keyboard.press('ArrowLeft')
      await expect.poll(() => relief.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL())).not.toBe(before)
    }))

  // In light and English, and wide, packages/thalweg/test/lab-rooms.test.ts looks at the same rooms.
  it.each(rooms)('%s has no violations of axe in Chinese and dark, and fits a narrow screen', async (room) => {
    const look = { language: 'zh', theme: 'dark', width: 400 } as const
    await visit(room, { ...look, fragment: room === 'surface' ? 'depth=2&width=3' : '' }, async (page) => {
      await page.locator('.step figure').first().waitFor({ timeout: 60_000 })
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`),
      ).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
      expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-Hans')
    })
  })
})
