import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabBrowser, noBrowser, violations } from './lab-browser.ts'
import type { Visit } from './lab-browser.ts'

/* Through every room of the lab as a reader goes, over a run that `thalweg run` made and a surface that the lab made. */

const experiment = `name: moons
seed: 0
data: { name: 'two-moons:samples=80,noise=0.15', test: 0.2 }
model: { kind: mlp, widths: [2, 6, 2], activation: tanh }
loss: { name: cross-entropy, weightDecay: 0.001 }
training: { optimizer: { name: adam }, learningRate: 0.03, epochs: 100, checkpoints: 8 }
analyses:
  diagnose: { top: 3, bottom: 3 }
  surface: { x: { from: -1, to: 1, points: 15 }, y: { from: -1, to: 1, points: 15 } }
`

const golden = resolve(import.meta.dirname, 'models/golden')

/** Pictures of the rooms are kept where this names a folder: those of docs/images are made so. */
const pictures = process.env['THALWEG_PICTURES']

describe.skipIf(noBrowser)('the rooms of the lab', () => {
  let lab: LabBrowser
  beforeAll(async () => {
    lab = await LabBrowser.start()
    lab.run(experiment)
    const subject = { model: { kind: 'run', run: 'moons' } } as const
    await lab.work({
      command: 'surface',
      name: 'path',
      subject,
      directions: 'trajectory',
      trajectory: true,
      points: 21,
      curvatureGrid: 5,
    })
  })
  afterAll(() => lab.stop())

  const close = async ({ page, complaints }: Visit, picture?: string): Promise<void> => {
    if (pictures !== undefined && picture !== undefined) {
      mkdirSync(pictures, { recursive: true })
      await page.mouse.move(0, 0)
      await page.screenshot({ path: join(pictures, `lab-${picture}.png`), animations: 'disabled' })
    }
    expect(complaints).toEqual([])
    await page.context().close()
  }

  /** Name, place, and what is there once the room has drawn what it is for. */
  const rooms: readonly (readonly [name: string, place: string, sign: string])[] = [
    ['runs', '#/runs', 'tbody tr >> nth=1'],
    ['run', '#/runs?run=moons', '.run-figures svg'],
    ['landscape', '#/landscape?plane=run:path', '.readout'],
    ['verdict', '#/verdict?point=run:moons', '.verdict-card'],
    ['landscape-without-run', '#/landscape', '.readout'],
    ['verdict-without-run', '#/verdict', 'h1'],
    ['theory', '#/theory', '.room-cards li >> nth=4'],
    ['theory-linear', '#/theory/linear', '.step:nth-of-type(2) table'],
    ['theory-elimination', '#/theory/elimination', '.step:nth-of-type(1) figure svg'],
    ['theory-gram', '#/theory/gram', '.step:nth-of-type(2) figure svg'],
    ['theory-functions', '#/theory/functions', '.step:nth-of-type(1) tbody tr'],
    ['theory-surface', '#/theory/surface?depth=2&width=3', '.step:nth-of-type(1) figure svg'],
  ]

  const drawn = (page: Page, sign: string): Promise<void> => page.locator(sign).first().waitFor({ timeout: 60_000 })

  /** What can be used but is not reached by going round the page with the tab key. */
  async function unreached(page: Page): Promise<string[]> {
    const wanted = await page.evaluate<string[]>(markStops)
    expect(wanted.length).toBeGreaterThan(6)
    const reached = new Set<string>()
    for (let k = 0; k < 2 * wanted.length && reached.size < wanted.length; k++) {
      await page.keyboard.press('Tab')
      const stop = await page.evaluate<string | null>("document.activeElement?.getAttribute('data-stop') ?? null")
      if (stop !== null) reached.add(stop)
    }
    return wanted.filter((stop) => !reached.has(stop))
  }

  it.each(rooms)('%s: nothing for axe, nothing moves, keys reach everything, no complaint', async (...room) => {
    const [name, place, sign] = room
    const visit = await lab.visit(place, { reducedMotion: 'reduce', colorScheme: 'light' })
    await drawn(visit.page, sign)
    expect(await violations(visit.page)).toEqual([])
    expect(await visit.page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    expect(await visit.page.evaluate(moving)).toEqual([])
    expect(await visit.page.getByRole('button', { name: 'Pause' }).count()).toBe(0)
    expect(await unreached(visit.page)).toEqual([])
    await close(visit, name)
  })

  // Rooms of theory are the pages of the site, which apps/lab tests so.
  const own = rooms.filter(([name]) => !name.startsWith('theory-'))

  it.each(own)('%s: dark, in Chinese, on a telephone: nothing for axe, nothing cut off', async (...room) => {
    const [name, place, sign] = room
    const narrow = { width: 400, height: 800 }
    const visit = await lab.visit(place, { colorScheme: 'dark', viewport: narrow, query: '?lang=zh', hasTouch: true })
    await drawn(visit.page, sign)
    expect(await violations(visit.page)).toEqual([])
    expect(await visit.page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    await close(visit, `${name}-narrow`)
  })

  it('language and light change at once, and are remembered', async () => {
    const visit = await lab.visit('#/verdict?point=run:moons', { colorScheme: 'light' })
    const { page } = visit
    const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const light = await background()
    await page.getByRole('button', { name: '切换到中文' }).click()
    await page.getByRole('heading', { level: 1, name: '结论' }).waitFor()
    expect(await page.evaluate('document.documentElement.lang')).toBe('zh-Hans')
    await page.getByRole('button', { name: '深色' }).click()
    await expect.poll(background).not.toBe(light)
    await page.reload()
    await page.getByRole('heading', { level: 1, name: '结论' }).waitFor()
    expect(await background()).not.toBe(light)
    await page.getByRole('button', { name: 'Switch to English' }).click()
    await page.getByRole('heading', { level: 1, name: 'Verdict' }).waitFor()
    await close(visit)
  })

  it('by keys alone: skip link, rooms, a choice that Escape closes', async () => {
    const visit = await lab.visit('#/runs', { reducedMotion: 'reduce' })
    const { page } = visit
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main')
    const choice = page.getByRole('button', { name: /State/ }).first()
    await choice.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('listbox').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('listbox').waitFor({ state: 'detached' })
    // focus goes back a frame after the list is gone
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe(await choice.textContent())
    await page.keyboard.press('Enter')
    await page.getByRole('listbox').waitFor()
    await page.keyboard.type('failed')
    await page.keyboard.press('Enter')
    await page.getByText('No run fits.').waitFor()
    await page.getByRole('link', { name: 'Theory' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Theory' }).waitFor()
    await close(visit)
  })

  it('a link restores the view; what it cannot mean is said', async () => {
    const place = '#/landscape?plane=run:path&color=convexity&scale=log&view=map&levels=8'
    const visit = await lab.visit(place)
    await visit.page.locator('.readout').waitFor()
    await expect.poll(() => visit.page.getByRole('radio', { name: 'Map' }).isChecked()).toBe(true)
    expect(await visit.page.getByRole('button', { name: /Color by/ }).innerText()).toContain('convexity')
    await visit.page.getByRole('radio', { name: 'Relief' }).click({ force: true })
    await expect.poll(() => visit.page.url()).not.toContain('view=map')
    const again = await lab.visit(new URL(visit.page.url()).hash)
    await again.page.locator('.readout').waitFor()
    await expect.poll(() => again.page.getByRole('radio', { name: 'Relief' }).isChecked()).toBe(true)
    expect(await again.page.getByRole('button', { name: /Color by/ }).innerText()).toContain('convexity')
    await close(again)
    await close(visit)
    const nowhere = await lab.visit('#/nowhere')
    await nowhere.page.getByText('There is no such room').first().waitFor()
    await close(nowhere)
  })

  it('a model and its data, dropped on the page, get their verdict', async () => {
    const visit = await lab.visit('#/runs')
    const { page } = visit
    await page.locator('input[type=file]').setInputFiles([join(golden, 'mlp-celu.onnx'), join(golden, 'mlp-celu.npz')])
    await page.getByRole('button', { name: 'Diagnose' }).click({ timeout: 60_000 })
    await page.locator('.run-detail .state.finished').waitFor({ timeout: 120_000 })
    await page.getByRole('link', { name: 'Verdict' }).last().click()
    await page.locator('.verdict-card').waitFor()
    expect(await page.locator('.verdict-card').innerText()).toMatch(/saddle|minimum|critical|decided/i)
    await close(visit, 'dropped')
  })

  it('the first view is small, and nothing is fetched before it is needed', async () => {
    const views = [
      ['', 'canvas', 500],
      ['#/runs', 'tbody tr', 300],
      ['#/verdict', '.verdict-card', 500],
      ['#/theory', '.room-cards li', 150],
    ] as const
    for (const [place, sign, kibibytes] of views) {
      const visit = await lab.visit(place)
      await drawn(visit.page, sign)
      await visit.page.waitForTimeout(1000)
      const names = [...visit.received.keys()]
      const bytes = [...visit.received.values()].reduce((sum, each) => sum + each, 0)
      const paint = await visit.page.evaluate<number>(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN",
      )
      console.log(`${place || 'first view'}: ${(bytes / 1024).toFixed(0)} KiB, painted after ${paint.toFixed(0)} ms`)
      expect(bytes / 1024, place).toBeLessThan(kibibytes)
      expect(names.filter((name) => name.endsWith('.wasm'))).toEqual([])
      const scripts = await visit.page.evaluate<string[]>(
        "performance.getEntriesByType('resource').map(({ name }) => name)",
      )
      // three.js is for reliefs
      if (place !== '') expect(scripts.filter((name) => name.includes('surface-stage'))).toEqual([])
      await close(visit)
    }
  })
})

/** What is animated; transitions of a hundredth of a millisecond are what is left of those that are switched off. */
const moving = `document.getAnimations()
  .filter((each) => each.effect.getTiming().duration > 1)
  .map((each) => each.animationName ?? each.transitionProperty)`

/** Numbers everything that the tab key must reach. Of radio buttons the group has one stop, so they are left out. */
const markStops = `(() => {
  const query = 'a[href], button, input, textarea, select, summary, [tabindex="0"]'
  const usable = (each) =>
    each.tabIndex >= 0 && !each.disabled && each.type !== 'radio' && !each.closest('[inert], [aria-hidden=true]') &&
    each.checkVisibility({ visibilityProperty: true })
  return [...document.querySelectorAll(query)].filter(usable).map((each, number) => {
    const stop = number + ' ' + each.tagName + ' ' + (each.getAttribute('aria-label') ?? each.textContent ?? '').slice(0, 40)
    each.setAttribute('data-stop', stop)
    return stop
  })
})()`
