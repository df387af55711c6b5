import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderReport } from '../src/report/render-report.ts'
import type { Report } from '../src/report/report.ts'
import { packageFile } from '../src/files/package-file.ts'
import { LabClient } from './trust-lab-client.ts'

/* Attacks on the reader of a page, in a real browser: names that are scripts, reports that are programs. */

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const isBuilt = existsSync(packageFile('dist', 'lab', 'index.html'))

const evil = '"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>${window.hacked=1}{{7*7}}'
const evilReport: Report = {
  lang: 'en',
  title: evil,
  subtitle: evil,
  warnings: [evil],
  facts: [{ label: evil, value: evil, note: evil }],
  verdict: {
    kind: 'strict-saddle',
    summary: evil,
    evidence: [{ claim: evil, value: evil, method: evil }],
    advice: evil,
  },
  sections: [
    {
      id: evil,
      title: evil,
      blocks: [
        { kind: 'paragraph', text: evil },
        { kind: 'code', text: evil },
        { kind: 'table', caption: evil, columns: [{ label: evil }], rows: [[evil]] },
        {
          kind: 'figures',
          figures: [
            {
              kind: 'line-chart',
              title: evil,
              caption: evil,
              x: { label: evil },
              y: { label: evil },
              series: [{ name: evil, x: [0, 1], y: [0, 1] }],
              settings: [{ name: evil, value: evil }],
            },
          ],
        },
      ],
    },
  ],
  settings: [{ title: evil, rows: [{ name: evil, value: evil }] }],
  command: evil,
}

describe.skipIf(executablePath === undefined)('in a browser', () => {
  let browser: Browser
  let lab: LabClient
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    lab = await LabClient.start(isBuilt ? { app: packageFile('dist', 'lab') } : {})
    const scripts = [
      "document.documentElement.dataset.ran = JSON.parse(document.getElementById('surface').textContent).x",
    ]
    lab.write({
      'evil/manifest.json': {
        format: 1,
        status: 'finished',
        experiment: { name: evil, description: evil, loss: { name: evil }, model: { kind: evil } },
        model: { name: evil, parameters: 1 },
        data: { train: { name: evil, samples: 2 } },
      },
      'evil/results/diagnosis.json': {
        verdict: 'strict-saddle',
        summary: evil,
        gradientNorm: 0,
        noiseFloor: {},
        inertia: { negative: 1, zero: 0, positive: 1, threshold: 0, exact: true },
        eigenvalues: { method: evil, top: [], bottom: [] },
        evidence: [{ kind: evil, claim: evil, value: 1, bound: 1, method: evil }],
        advice: [evil],
      },
      'evil/figures/loss.svg': `<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=1"><script>window.hacked=1</script></svg>`,
      'evil/report.html': renderReport(evilReport),
      'live/report.html': renderReport({
        ...evilReport,
        interactive: { scripts, data: { surface: { x: '</script>' } } },
      }),
      'foreign/report.html': `<script>document.documentElement.dataset.ran = 'yes'; fetch('/api/runs')</script>`,
    })
  })
  afterAll(async () => {
    await browser?.close()
    await lab?.stop()
  })

  async function visit(path: string): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(String(error)))
    await page.goto(`http://${lab.host}${path}`, { waitUntil: 'networkidle' })
    return { page, problems }
  }

  /** What a script of the page left in its markup. */
  const ranIn = async (page: Page): Promise<string | undefined> =>
    /data-ran="([^"]*)"/
      .exec(await page.content())?.[1]
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')

  const hacked = (page: Page): Promise<unknown> => page.evaluate('window.hacked')

  it.skipIf(!isBuilt)(
    'the lab shows names that are scripts as text, and its own policy does not hinder it',
    async () => {
      const { page, problems } = await visit('/')
      await page
        .getByText('onerror', { exact: false })
        .first()
        .waitFor({ timeout: 20_000 })
        .catch(() => undefined)
      expect(await hacked(page)).toBeUndefined()
      expect(problems).toEqual([])
      expect((await page.locator('body').innerText()).length).toBeGreaterThan(20)
      await page.close()
    },
  )

  it('inline scripts, handlers and eval do not run under the policy of the lab; files and WebAssembly do', async () => {
    const probe = await LabClient.start()
    const page = await browser.newPage()
    try {
      await page.goto(`http://${probe.host}/`)
      await page.locator('html[data-done=yes]').waitFor({ state: 'attached' })
      await page.waitForTimeout(200)
      const found = await page.evaluate('({ ...document.documentElement.dataset })')
      expect(found).toEqual({
        file: 'ran',
        eval: 'EvalError',
        wasm: 'ran',
        isolated: 'true',
        network: 'refused',
        done: 'yes',
      })
    } finally {
      await page.close()
      await probe.stop()
    }
  })

  it('a figure that is a program does nothing, opened or shown', async () => {
    const { page } = await visit('/api/runs/evil/figures/loss.svg')
    expect(await hacked(page)).toBeUndefined()
    await page.close()
  })

  it('a report shows names as text, runs the script that it lists, and no other', async () => {
    for (const [run, ran] of [
      ['evil', undefined],
      ['live', '</script>'],
      ['foreign', undefined],
    ]) {
      const { page } = await visit(`/api/runs/${run}/report`)
      expect(await ranIn(page), run).toBe(ran)
      expect(await hacked(page), run).toBeUndefined()
      await page.close()
    }
  })

  it('a report opened from disk: the same', async () => {
    const page = await browser.newPage()
    await page.goto(`file://${lab.root}/live/report.html`)
    expect(await ranIn(page)).toBe('</script>')
    expect(await hacked(page)).toBeUndefined()
    await page.close()
  })

  it('a report cannot reach the lab around it', async () => {
    const asked: string[] = []
    const { page } = await visit('/api/runs/foreign/report')
    page.on('request', (request) => asked.push(request.url()))
    const outcome = await page.evaluate(`fetch('/api/runs').then(() => 'reached', () => 'refused')`)
    expect(outcome).toBe('refused')
    expect(await page.evaluate('window.origin')).toBe('null')
    await page.close()
  })
})
