import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabBrowser, noBrowser } from './lab-browser.ts'
import type { Visit } from './lab-browser.ts'

/* Fifty pages look at one experiment while it runs. Forty are tabs of one browser profile, which opens no more than six
 * connections to a host and so must share one stream of events; ten are in profiles of their own. */

const experiment = `name: long
data: { name: xor }
model: { kind: mlp, widths: [2, 4, 2], activation: tanh }
loss: { name: cross-entropy }
training: { optimizer: { name: adam }, learningRate: 0.001, steps: 20000000 }
`

const tabs = 40
const profiles = 10

describe.skipIf(noBrowser)('fifty pages on one running experiment', () => {
  let lab: LabBrowser
  beforeAll(async () => {
    lab = await LabBrowser.start({ graphics: false })
  })
  afterAll(() => lab.stop())

  const done = async (page: Page): Promise<number> =>
    Number(await page.locator('.run-progress progress').getAttribute('value'))

  it('all show its progress and its end over eleven streams, and nothing is left behind', async () => {
    const { board, streams } = lab.server.lab
    // the pages are opened while nothing computes, and the experiment goes on under their eyes
    const id = await lab.begin({ command: 'run', yaml: experiment })
    await board.stop(id, false)
    await expect.poll(() => board.isActive(id), { timeout: 30_000 }).toBe(false)
    const place = `#/runs?run=${id}`
    const shared = await lab.browser.newContext()
    const visits: Visit[] = []
    for (let k = 0; k < tabs + profiles; k += 5)
      visits.push(
        ...(await Promise.all([0, 1, 2, 3, 4].map(() => lab.visit(place, k < tabs ? { context: shared } : {})))),
      )
    for (const { page } of visits) await page.locator('.run-detail .state.stopped').waitFor()
    expect(streams.count).toBe(1 + profiles)

    await visits[0].page.getByRole('button', { name: 'Go on' }).click()
    const first = []
    for (const { page } of visits) first.push(await done(page))
    for (const [k, { page }] of visits.entries())
      await expect.poll(() => done(page), { timeout: 30_000 }).toBeGreaterThan(first[k])
    await visits[0].page.getByRole('button', { name: 'Stop' }).click()
    for (const { page } of visits) await page.locator('.run-detail .state.stopped').waitFor()
    expect(visits.flatMap(({ complaints }) => complaints)).toEqual([])
    expect(streams.count).toBe(1 + profiles)

    for (const { page } of visits.slice(tabs)) await page.context().close()
    await expect.poll(() => streams.count, { timeout: 10_000 }).toBe(1)
    // one tab is enough for the stream to stay; without any it ends
    for (const { page } of visits.slice(1, tabs)) await page.close()
    expect(streams.count).toBe(1)
    await shared.close()
    await expect.poll(() => streams.count, { timeout: 10_000 }).toBe(0)
  })
})
