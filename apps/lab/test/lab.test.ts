import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const executablePath = process.env['THALWEG_CHROMIUM'] ?? '/usr/bin/chromium'
const missing = !existsSync(executablePath)
if (missing) console.warn(`The laboratory is not tested in a browser: there is none at ${executablePath}.`)

/** Pictures of what was tested are kept where this names a folder. */
const pictures = process.env['THALWEG_PICTURES']

const experiment = `name: moons
seed: 0
data: { name: 'two-moons:samples=80', test: 0.2 }
model: { kind: mlp, widths: [2, 6, 2], activation: tanh }
loss: { name: cross-entropy }
training: { optimizer: { name: adam }, learningRate: 0.02, epochs: 40 }
analyses:
  diagnose: { top: 3, bottom: 3 }
  surface: { x: { from: -1, to: 1, points: 15 }, y: { from: -1, to: 1, points: 15 } }
`

describe.skipIf(missing)('the laboratory in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-lab-'))
  let server: ChildProcess
  let browser: Browser
  let base = ''

  beforeAll(async () => {
    mkdirSync(join(folder, 'runs'))
    server = spawn(process.execPath, [
      join(root, 'packages/thalweg/bin/thalweg.js'),
      'lab',
      join(folder, 'runs'),
      '--port',
      '0',
    ])
    base = await new Promise<string>((done, fail) => {
      let text = ''
      server.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(text)?.[0]
        if (address) done(address)
      })
      server.once('exit', (code) => fail(new Error(`thalweg lab ended with ${code}: ${text}`)))
    })
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--disable-gpu-rasterization'],
    })
  })

  afterAll(async () => {
    await browser?.close()
    server?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  interface Opened {
    readonly page: Page
    /** What the page complained of. */
    readonly complaints: string[]
  }

  async function open(
    address: string,
    options: BrowserContextOptions & { readonly query?: string } = {},
  ): Promise<Opened> {
    const { query = '', ...context } = options
    const page = await (await browser.newContext({ viewport: { width: 1300, height: 900 }, ...context })).newPage()
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(`${base}${query}${address}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    return { page, complaints }
  }

  async function close({ page }: Opened, name?: string): Promise<void> {
    if (pictures && name) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
    await page.context().close()
  }

  async function violations(page: Page): Promise<string[]> {
    const result = await new AxeBuilder({ page }).analyze()
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join('; ')}`)
  }

  it('turns a surface, probes it and drops balls by keys, and a link restores all of it', async () => {
    const opened = await open('#/landscape?plane=function:himmelblau&scale=log&methods=gradient,saddle-free', {
      reducedMotion: 'reduce',
    })
    const { page } = opened
    const canvas = page.locator('canvas')
    await canvas.waitFor()
    await canvas.focus()
    await page.keyboard.press('ArrowLeft')
    for (let k = 0; k < 4; k++) await page.keyboard.press('Shift+ArrowRight')
    await expect.poll(() => page.locator('.readout').innerText()).toContain('(0.4, 0)')
    await page.keyboard.press('Enter')
    await page.getByRole('cell', { name: 'at rest' }).first().waitFor()
    await expect.poll(() => page.url()).toContain('drop=0.4,0')
    expect(page.url()).toContain('cam=26')
    const table = await page.locator('.ball-table').innerText()
    const again = await open(new URL(page.url()).hash, { reducedMotion: 'reduce' })
    await again.page.getByRole('cell', { name: 'at rest' }).first().waitFor()
    expect(await again.page.locator('.ball-table').innerText()).toBe(table)
    expect(opened.complaints).toEqual([])
    await close(again, 'landscape-balls')
    await close(opened)
  })

  it('shows two surfaces beside each other with one camera', async () => {
    const opened = await open('#/landscape?beside=example:teacher')
    await expect.poll(() => opened.page.locator('canvas').count()).toBe(2)
    expect(opened.complaints).toEqual([])
    await opened.page.waitForTimeout(1500)
    await close(opened, 'landscape-beside')
  })

  it('saves a surface as PNG, SVG, glTF and STL', async () => {
    const opened = await open('#/landscape?plane=example:teacher')
    const { page } = opened
    const sizes: Record<string, number> = {}
    await page.waitForTimeout(2000)
    for (const [format, view] of [
      ['PNG', 'Relief'],
      ['glTF', 'Relief'],
      ['STL', 'Relief'],
      ['SVG', 'Map'],
    ] as const) {
      await page.getByRole('radio', { name: view }).click({ force: true })
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: `Save as ${format}` }).click(),
      ])
      const path = join(folder, file.suggestedFilename())
      await file.saveAs(path)
      sizes[format] = (await import('node:fs')).statSync(path).size
    }
    expect(sizes['STL']).toBe(84 + 50 * (4 * 60 * 60 + 2 * 4 * 60))
    for (const format of ['PNG', 'glTF', 'SVG']) expect(sizes[format], format).toBeGreaterThan(10_000)
    expect(opened.complaints).toEqual([])
    await close(opened)
  })

  it('opens evidence by keys, with formula and source, and moves along a direction', async () => {
    const opened = await open('#/verdict?point=example:teacher')
    const { page } = opened
    const first = page.getByRole('button', { name: /gradient norm/ }).first()
    await first.focus()
    await page.keyboard.press('Enter')
    await page.locator('.evidence-item math').first().waitFor()
    expect(await page.locator('.evidence-numbers').first().innerText()).toContain('Higham')
    const slider = page.getByRole('slider', { name: /Distance/ })
    await slider.focus()
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => page.url()).toMatch(/[?&]t=0\.35/)
    expect(await violations(page)).toEqual([])
    expect(opened.complaints).toEqual([])
    await close(opened, 'verdict-open')
  })

  it('runs an experiment while it is looked at, and shows its verdict and its surface', async () => {
    const opened = await open('#/runs')
    const { page } = opened
    await page.getByRole('textbox', { name: 'Experiment' }).fill(experiment)
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('heading', { level: 1, name: 'moons' }).waitFor()
    await page.locator('.run-detail .state.finished').waitFor({ timeout: 120_000 })
    await page.locator('.live-curve canvas').waitFor()
    expect(await violations(page)).toEqual([])
    await page.getByRole('link', { name: 'Verdict' }).last().click()
    await page.locator('.verdict-card').waitFor()
    await page.getByRole('link', { name: 'See the surface' }).click()
    await page.locator('canvas').waitFor()
    await page.waitForTimeout(1500)
    expect(opened.complaints).toEqual([])
    await close(opened, 'experiment-surface')
  })

  it('diagnoses a model and data that are dropped on it', async () => {
    const onnx = join(root, 'packages/thalweg/test/models/golden/mlp-celu.onnx')
    const opened = await open('#/runs')
    const { page } = opened
    const csv = Array.from({ length: 40 }, (_, k) => {
      const angle = (k / 20) * Math.PI
      return `${Math.cos(angle).toFixed(4)},${Math.sin(angle).toFixed(4)},${(k / 40).toFixed(3)},${k % 3}`
    })
    const data = join(folder, 'points.csv')
    writeFileSync(data, `x,y,z,class\n${csv.join('\n')}\n`)
    await page.locator('input[type=file]').setInputFiles([onnx, data])
    await page.getByRole('button', { name: 'Diagnose' }).click({ timeout: 60_000 })
    await page.locator('.run-detail .state.finished').waitFor({ timeout: 120_000 })
    await page.getByRole('link', { name: 'Verdict' }).last().click()
    await page.locator('.verdict-card').waitFor()
    expect(opened.complaints).toEqual([])
    await close(opened, 'dropped-model')
  })
})
