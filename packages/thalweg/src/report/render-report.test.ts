import { createHash } from 'node:crypto'
import { InvariantError } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { inlineText, renderReport } from './render-report.ts'
import type { Report, VerdictKind } from './report.ts'

const EVIL = `<script>alert("1")</script>'&<img src=x onerror=alert(1)>`
const KINDS: VerdictKind[] = [
  'not-critical',
  'strict-saddle',
  'non-strict-saddle',
  'local-minimum',
  'global-minimum',
  'near-infimum',
  'undecided',
]

function sample(text: string, lang: 'en' | 'zh' = 'en'): Report {
  const chart = {
    kind: 'line-chart',
    title: text,
    caption: text,
    settings: [{ name: text, value: text }],
    x: { label: text },
    y: { label: text },
    series: [{ name: text, x: [0, 1, 2], y: [3, 2, 1] }],
  } as const
  return {
    lang,
    title: text,
    subtitle: text,
    date: text,
    verdict: {
      kind: 'strict-saddle',
      summary: text,
      evidence: [{ claim: text, value: { value: -0.41, error: 2e-9 }, bound: 0, method: text }, { claim: text }],
      advice: `${text}\n\n${text}`,
    },
    facts: [
      { label: text, value: 3e-9, note: text },
      { label: text, value: null },
    ],
    warnings: [text],
    sections: [
      {
        id: text,
        title: text,
        blocks: [
          { kind: 'paragraph', text },
          { kind: 'figures', figures: [chart] },
          { kind: 'figures', figures: [chart, chart] },
          {
            kind: 'table',
            caption: text,
            columns: [{ label: text }, { label: 'λ' }],
            rows: [
              [text, 1.5e-7],
              ['b', null],
            ],
          },
          { kind: 'code', text },
          { kind: 'facts', facts: [{ label: text, value: text }] },
        ],
      },
    ],
    settings: [
      {
        title: text,
        rows: [
          { name: text, value: text },
          { name: 'nesterov', value: false },
        ],
      },
    ],
    versions: [{ name: text, value: text }],
    command: text,
  }
}

describe('renderReport', () => {
  it('escapes everything that comes from outside', () => {
    const html = renderReport(sample(EVIL))
    expect(html).not.toContain('<script')
    expect(html).not.toContain('<img')
    expect(html).toContain('&lt;script&gt;')
  })

  it('asks for nothing: no script, no link out, a policy that forbids both', () => {
    const html = renderReport(sample('plain'))
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=|@import/)
    expect(html).toContain(`default-src 'none'`)
  })

  it('is the same for the same data, also after a round trip through JSON', () => {
    const html = renderReport(sample('plain'))
    expect(renderReport(sample('plain'))).toBe(html)
    expect(renderReport(JSON.parse(JSON.stringify(sample('plain'))))).toBe(html)
  })

  it.each(['en', 'zh'] as const)('%s: one h1, headings in order, unique ids, every anchor exists', (lang) => {
    const html = renderReport(sample('plain', lang))
    const levels = [...html.matchAll(/<h(\d)/g)].map((match) => Number(match[1]))
    expect(levels[0]).toBe(1)
    expect(levels.filter((level) => level === 1)).toHaveLength(1)
    levels.slice(1).forEach((level, i) => expect(level - levels[i]).toBeLessThanOrEqual(1))
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, id] of html.matchAll(/(?:href="#|url\(#|aria-labelledby=")([^")]+)/g)) expect(ids).toContain(id)
    for (const [, open] of html.matchAll(/<svg([^>]*)>/g))
      expect(open).toMatch(/aria-label="|aria-hidden="true"|encodeURIComponent/)
    expect(html).toContain(lang === 'zh' ? '<html lang="zh-Hans">' : '<html lang="en">')
    expect(html).toContain(lang === 'zh' ? '严格鞍点' : 'Strict saddle')
  })

  it('numbers: error with its value, raised powers, dash for what is not known', () => {
    const html = renderReport(sample('plain'))
    expect(html).toContain('−0.4100000000 ± 2.0\u202f×\u202f10<sup>−9</sup>')
    expect(html).toContain('<td class="right">1.500\u202f×\u202f10<sup>−7</sup></td>')
    expect(html).toContain('<dd class="number">–</dd>')
    expect(inlineText('10⁻¹² and `a<b`')).toBe('10<sup>−12</sup> and <code>a&lt;b</code>')
  })

  it.each(KINDS)('%s has a card', (kind) => {
    const html = renderReport({ lang: 'en', title: 't', sections: [], verdict: { kind, summary: 's', evidence: [] } })
    expect(html).toContain('class="glyph"')
    expect(html).not.toContain('undefined')
  })

  it('carries the scripts that it is given, admits exactly those, and lets no data out of their element', () => {
    const scripts = ["document.body.dataset.ready = 'yes'\r\n", 'document.title += "·"']
    const data = { surface: { title: '</script><script>alert(1)</script>', loss: [1, Number.NaN] } }
    const html = renderReport({ lang: 'en', title: 't', sections: [], interactive: { scripts, data } })
    const hashes = scripts.map(
      (code) => `'sha256-${createHash('sha256').update(code.replaceAll('\r\n', '\n')).digest('base64')}'`,
    )
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]
    expect(policy).toBe(`default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${hashes.join(' ')}`)
    const elements = [...html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)].map(([, head, text]) => [head, text])
    expect(elements).toEqual([
      [' type="application/json" id="surface"', expect.stringContaining('\\u003c/script>\\u003cscript>alert(1)')],
      ['', scripts[0].replaceAll('\r\n', '\n')],
      ['', scripts[1]],
    ])
    expect(JSON.parse(elements[0][1])).toEqual({ title: data.surface.title, loss: [1, null] })
    for (const code of ['"</ScRiPt>"', '<!-- x', '"<script>"'])
      expect(() =>
        renderReport({ lang: 'en', title: 't', sections: [], interactive: { scripts: [code], data: {} } }),
      ).toThrow(InvariantError)
  })

  it('without scripts its policy admits none', () => {
    const html = renderReport(sample(EVIL))
    expect(html).toContain("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"")
    expect(html).not.toContain('<script')
  })

  it('an empty report is a page', () => {
    const html = renderReport({ lang: 'en', title: 'empty', sections: [] })
    expect(html).toContain('<h1>empty</h1>')
    expect(html).not.toContain('<nav')
  })
})
