import { expect, test } from 'vitest'
import { claimChart } from './claim-figure.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { renderLedger } from './render-ledger.ts'
import { renderSvg } from './render-svg.ts'

const figure = claimChart({
  ...{ title: 'Figure', xLabel: 'x', yLabel: 'y', levels: [{ label: 'level', value: 2 }] },
  series: [
    { name: 'line', mark: 'line', x: [1, 2, 3], y: [1, 2, 3], band: [0.1, 0.1, 0.1] },
    { name: 'points', mark: 'points', x: [1, 2], y: [3, 4] },
    { name: 'bars', mark: 'bars', x: [1, 2], y: [2, Number.NaN] },
  ],
})

function entry(id: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    ...{ id, topic: 'Topic <b>', statement: 'A statement.', source: 'Nobody 2020, Theorem 1', experiment: 'E.' },
    expected: 'holds',
    result: {
      ...{ status: 'finished', outcome: 'holds', summary: 'Seen.', figure, time: '1.0 s', seed: 3, earlier: false },
      measurements: [
        { name: 'a', measured: 1, expected: 2, tolerance: 'at least', literature: 'printed 2.5', met: false },
        { name: 'b', measured: null },
      ],
    },
    ...more,
  }
}

function ledger(entries: readonly LedgerEntry[], lang: 'en' | 'zh' = 'en'): Ledger {
  return { lang, seed: 3, duration: '4 s', entries, versions: [], command: 'thalweg reproduce --all' }
}

test('one page without script or request; texts are escaped, literature stands beside the numbers', () => {
  const html = renderLedger(ledger([entry('A-1')]))
  expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/)
  expect(html).toContain('Topic &lt;b&gt;')
  expect(html).toContain('printed 2.5')
  expect(html).toContain('Every outcome is the expected one.')
  expect(html).toMatch(/class="measurement-off"/)
  expect(html).toContain('id="claim-a-1"')
})

test('an outcome that differs, and an experiment that failed, are loud; what was not run is not', () => {
  const odd = { ...entry('A-2').result, outcome: 'false' } as LedgerEntry['result']
  const html = renderLedger(
    ledger([
      entry('A-1'),
      entry('A-2', { result: odd }),
      entry('A-3', { result: { status: 'failed', problem: 'It broke.' } }),
      entry('A-4', { result: { status: 'not-run', problem: 'Stopped.' } }),
    ]),
  )
  const alarm = /<section class="alarm"[\s\S]*?<\/section>/.exec(html)![0]
  expect(alarm).toContain('A-2: measured “False”, expected “Holds”.')
  expect(alarm).toContain('A-3')
  expect(alarm).not.toContain('A-4')
  expect(html).toContain('It broke.')
  expect(html).not.toContain('Every outcome is the expected one.')
})

test('the page around the claims speaks Chinese', () => {
  const html = renderLedger(ledger([entry('A-1')], 'zh'))
  expect(html).toContain('lang="zh-Hans"')
  expect(html).toContain('文献论断总账')
})

test('lines, points and bars are drawn; bars stand on the foot of the panel', () => {
  const svg = renderSvg(figure)
  // the background and one bar: the other has no height
  expect(svg.match(/<rect /g)!.length).toBeGreaterThanOrEqual(2)
  expect(svg).toContain('not finite')
  const log = renderSvg({ ...figure, y: { ...figure.y, scale: 'log' } })
  expect(log).not.toContain('NaN')
})
