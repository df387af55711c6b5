/** The report of a run: made again in another language, printed, and turned by hand in a browser. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { findBrowser } from '../src/files/find-browser.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()
const browser = findBrowser(process.env)

beforeAll(() => {
  writeFileSync(
    join(folder(), 'moons.yaml'),
    [
      'name: moons',
      "data: { name: 'two-moons:samples=60,noise=0.15' }",
      'model: { kind: mlp, widths: [2, 8, 2], activation: tanh }',
      'loss: { name: cross-entropy }',
      'training: { optimizer: { name: adam }, learningRate: 0.03, steps: 60, dtype: float64 }',
      'analyses: { diagnose: {}, surface: { x: { points: 9 }, y: { points: 7 } } }',
      '',
    ].join('\n'),
  )
  thalweg('run', 'moons.yaml', '--out', 'moons', '--quiet')
})

const read = (name: string): string => readFileSync(join(folder(), name), 'utf8')

describe('thalweg report', () => {
  test('makes the same page again, and the Chinese one', () => {
    const first = read('moons/report.html')
    expect(thalweg('report', 'moons', '--out', 'again.html').stdout).toContain('report: again.html')
    expect(read('again.html')).toBe(first)
    expect(thalweg('report', 'moons', '--lang', 'zh', '--out', 'zh.html').status).toBe(0)
    const chinese = read('zh.html')
    expect(chinese).toContain('<html lang="zh-Hans">')
    for (const text of ['训练损失', '随机平面上的训练损失', '如何重现']) expect(chinese).toContain(text)
    for (const text of ['Training loss', 'Gradient norm', 'The same plane', 'What to do'])
      expect(chinese).not.toContain(text)
  })

  test.skipIf(!browser)('prints a PDF', () => {
    const reply = thalweg('report', 'moons', '--pdf', 'moons.pdf')
    expect(reply.stderr).toBe('')
    expect(read('moons.pdf').slice(0, 5)).toBe('%PDF-')
  })

  test('says what is missing', () => {
    for (const [args, message] of [
      [['nothing'], 'not a run directory'],
      [['moons', '--lang', 'de'], 'Allowed choices are en, zh'],
    ] as const) {
      const reply = thalweg('report', ...args)
      expect(reply.status).toBe(2)
      expect(reply.stderr).toContain(message)
    }
    writeFileSync(join(folder(), 'moons/results/report.zh.json'), '{"lang":"zh"}')
    const damaged = thalweg('report', 'moons', '--lang', 'zh')
    expect(damaged.status).toBe(2)
    expect(damaged.stderr).toContain('not the data of a report')
  })

  test.skipIf(!browser)(
    'lets a reader turn the surface and read values, from disk and under its own policy',
    async () => {
      const chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] })
      try {
        const page = await chrome.newPage()
        const complaints: string[] = []
        page.on('console', (message) => complaints.push(message.text()))
        page.on('pageerror', (error) => complaints.push(error.message))
        await page.goto(pathToFileURL(join(folder(), 'moons/report.html')).href)
        const canvas = page.locator('figure.turnable canvas')
        await canvas.scrollIntoViewIfNeeded()
        const pixels = (): Promise<string> =>
          canvas.evaluate((c) => (c as unknown as { toDataURL(): string }).toDataURL())
        const before = await pixels()
        await canvas.focus()
        await page.keyboard.press('ArrowLeft')
        await expect.poll(pixels).not.toBe(before)
        await page.keyboard.press('Home')
        await expect.poll(pixels).toBe(before)
        const box = (await canvas.boundingBox())!
        await page.mouse.move(box.x + box.width / 2, box.y + 0.55 * box.height)
        await expect
          .poll(() => page.locator('figure.turnable p[role=status]').textContent())
          .toMatch(/α .* β .*: Loss /)
        expect(complaints).toEqual([])
      } finally {
        await chrome.close()
      }
    },
  )
})
