import { contourMotif, THALWEG_SIGN } from './contour-motif.ts'
import { escapeMarkup } from './escape-markup.ts'
import { formatNumber, formatQuantity } from './format-number.ts'
import { pageScripts } from './page-scripts.ts'
import { naturalWidth, renderSvg, settingText } from './render-svg.ts'
import type { Block, Cell, Evidence, Fact, Interactive, Report, Table, VerdictCard } from './report.ts'
import { REPORT_STYLE } from './report-style.ts'
import { type ReportWords, reportWords } from './report-words.ts'
import type { Figure, Language, Setting } from './scene.ts'
import { surfaceViewData, surfaceViewScript } from './surface-view.ts'
import { pageTheme } from './theme.ts'
import { VERDICT_TONES, verdictGlyph } from './verdict-glyph.ts'

const SINGLE_WIDTH = 690
const COLUMN_WIDTH = 500
const NARROW_WIDTH = 400
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/** What a block needs to know of the page around it. */
export interface PageState {
  readonly lang: Language
  readonly words: ReportWords
  /** Figures numbered so far. */
  figureCount: number
  /** Data of the surfaces that can be turned, by the id of their element; absent where all stay still. */
  readonly surfaces?: Record<string, unknown>
}

/** One self-contained HTML page: no request, no script but those of `interactive`, light and dark, fit for paper. Same
 * report, same bytes. */
export function renderReport(report: Report): string {
  const words = reportWords(report.lang)
  const surfaces: Record<string, unknown> = {}
  const state: PageState = { lang: report.lang, words, figureCount: 0, surfaces }
  const parts = reportParts(report, state)
  const body = [
    report.verdict === undefined ? '' : verdictCard(report.verdict, words),
    keyNumbers(report.facts ?? [], words),
    warnings(report.warnings ?? [], words),
    contents(parts, words),
    ...parts.map(renderPart),
  ]
  return page({ ...report, interactive: withSurfaces(report.interactive, surfaces) }, words, body.join('\n'))
}

function withSurfaces(own: Interactive | undefined, surfaces: Readonly<Record<string, unknown>>): Interactive {
  const { scripts, data } = own ?? { scripts: [], data: {} }
  if (Object.keys(surfaces).length === 0) return { scripts, data }
  return { scripts: [...scripts, surfaceViewScript()], data: { ...data, ...surfaces } }
}

/** Plain text to HTML: escaped, `code` in backticks, 10⁻⁹ with a raised exponent that every font has. */
export function inlineText(text: string): string {
  return escapeMarkup(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/ × 10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])/g, '\u202f×\u202f10')
    .replace(/10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, (_, power: string) => `10<sup>${plainPower(power)}</sup>`)
}

/** The document around a body: head, masthead and foot. `style` is added to that of reports. */
export function page(
  report: Pick<Report, 'title' | 'subtitle' | 'date' | 'interactive'>,
  words: Pick<ReportWords, 'htmlLang' | 'tagline' | 'footer'>,
  body: string,
  style: string = '',
): string {
  const title = escapeMarkup(report.title)
  const { markup, directive } = pageScripts(report.interactive ?? { scripts: [], data: {} })
  const line = (name: string, text: string | undefined): string =>
    text === undefined || text === '' ? '' : `<p class="${name}">${inlineText(text)}</p>`
  const stroke = 'fill="none" stroke="#0b6477" stroke-width="2.4" stroke-linecap="round"'
  const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" ${stroke}>${THALWEG_SIGN}</svg>`
  const sign = `<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${THALWEG_SIGN}</svg>`
  return `<!doctype html>
<html lang="${words.htmlLang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}${directive}">
<meta name="generator" content="Thalweg">
<meta name="color-scheme" content="light dark">
<title>${title} · Thalweg</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${REPORT_STYLE}${style}</style>
</head>
<body>
<header class="page">${contourMotif()}<div class="wrap">
<p class="brand">${sign}<b>Thalweg</b> <span>${words.tagline}</span></p>
<h1>${title}</h1>${line('subtitle', report.subtitle)}${line('date', report.date)}
</div></header>
<main class="wrap">
${body}
</main>
<footer><div class="wrap">${words.footer}</div></footer>
${markup}</body>
</html>
`
}

/** A headed part of the page and its entry in the contents. */
interface Part {
  readonly id: string
  readonly title: string
  readonly content: string
}

function reportParts(report: Report, state: PageState): Part[] {
  const { words } = state
  const sections = report.sections.map(({ id, title, blocks }, i) => {
    const earlier = report.sections.slice(0, i).filter((other) => anchor(other.id) === anchor(id)).length
    const content = blocks.map((block) => renderBlock(block, state)).join('')
    return { id: earlier === 0 ? anchor(id) : `${anchor(id)}-${earlier + 1}`, title, content }
  })
  const groups = (report.settings ?? []).map(
    (group) => `<div><h3>${inlineText(group.title)}</h3>${pairs(group.rows, words)}</div>`,
  )
  const versions = report.versions ?? []
  const last = [
    { id: 'report-settings', title: words.settings, content: groups.join('') && columns(groups.join('')) },
    {
      id: 'report-versions',
      title: words.versions,
      content: versions.length === 0 ? '' : columns(pairs(versions, words)),
    },
    {
      id: 'report-repeat',
      title: words.repeat,
      content: report.command === undefined ? '' : `<p>${words.repeatText}</p>${code(report.command)}`,
    },
  ]
  return [...sections, ...last.filter(({ content }) => content !== '')]
}

function renderPart({ id, title, content }: Part): string {
  return `<section class="part" id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${inlineText(title)}</h2>${content}</section>`
}

const columns = (content: string): string => `<div class="pairs">${content}</div>`

function verdictCard({ kind, summary, evidence, advice = '' }: VerdictCard, words: ReportWords): string {
  const proof = evidence.length === 0 ? '' : `<h3>${words.evidence}</h3>${evidenceTable(evidence, words)}`
  const todo =
    advice.trim() === '' ? '' : `<div class="advice"><h3>${words.advice}</h3>${paragraphs(advice.trim())}</div>`
  const body = proof + todo === '' ? '' : `<div class="verdict-body">${proof}${todo}</div>`
  return `<section class="verdict ${VERDICT_TONES[kind]}" id="verdict" aria-labelledby="verdict-title">
<div class="verdict-head">${verdictGlyph(kind)}<div>
<p class="eyebrow">${words.verdict}</p>
<h2 id="verdict-title">${words.kinds[kind]}</h2>
<p class="meaning">${words.meanings[kind]}</p>
<p class="summary">${inlineText(summary)}</p>
</div></div>${body}</section>`
}

function evidenceTable(evidence: readonly Evidence[], words: ReportWords): string {
  const cell = (label: string, value: Cell | undefined, name: string): string =>
    value === undefined || value === null || value === ''
      ? `<td class="${name} blank" data-label="${label}"></td>`
      : `<td class="${name}" data-label="${label}"><span>${cellText(value)}</span></td>`
  const rows = evidence.map(({ claim, value, bound, method }) => {
    const cells = [
      cell(words.value, value, 'quantity'),
      cell(words.bound, bound, 'quantity'),
      cell(words.method, method, 'method'),
    ]
    return `<tr><th scope="row">${inlineText(claim)}</th>${cells.join('')}</tr>`
  })
  const head = [words.claim, words.value, words.bound, words.method].map((label) => `<th scope="col">${label}</th>`)
  return `<table class="evidence"><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function keyNumbers(facts: readonly Fact[], words: ReportWords): string {
  return facts.length === 0 ? '' : `<section aria-label="${words.keyNumbers}">${factList(facts, words)}</section>`
}

function factList(facts: readonly Fact[], words: ReportWords): string {
  const items = facts.map((fact) => {
    const text = cellText(fact.value)
    const long = plainLength(text) > 15 ? ' long' : ''
    const note = fact.note === undefined ? '' : `<dd class="note">${inlineText(fact.note)}</dd>`
    return `<div><dt>${inlineText(fact.label)}</dt><dd class="number${long}">${text || words.empty}</dd>${note}</div>`
  })
  return `<dl class="facts">${items.join('')}</dl>`
}

function warnings(list: readonly string[], words: ReportWords): string {
  if (list.length === 0) return ''
  const title = `<h2 id="warnings-title">${words.warnings}</h2>`
  const items = list.map((text) => `<li>${inlineText(text)}</li>`)
  return `<aside class="warnings" aria-labelledby="warnings-title">${title}<ul>${items.join('')}</ul></aside>`
}

function contents(parts: readonly Part[], words: ReportWords): string {
  if (parts.length < 3) return ''
  const items = parts.map(({ id, title }) => `<li><a href="#${id}">${inlineText(title)}</a></li>`)
  return `<nav aria-label="${words.contents}"><ol>${items.join('')}</ol></nav>`
}

export function pairs(rows: readonly Setting[], words: ReportWords): string {
  const lines = rows.map(
    (row) => `<tr><th scope="row">${inlineText(row.name)}</th><td>${settingMarkup(row, words)}</td></tr>`,
  )
  return `<table><tbody>${lines.join('')}</tbody></table>`
}

function settingMarkup({ value }: Setting, words: ReportWords): string {
  if (typeof value === 'boolean') return value ? words.yes : words.no
  return inlineText(settingText(value))
}

export function renderBlock(block: Block, state: PageState): string {
  switch (block.kind) {
    case 'paragraph':
      return paragraphs(block.text)
    case 'figures':
      return figures(block.figures, state)
    case 'table':
      return table(block, state.words)
    case 'code':
      return code(block.text)
    case 'facts':
      return factList(block.facts, state.words)
  }
}

function figures(list: readonly Figure[], state: PageState): string {
  if (list.length === 0) return ''
  const single = list.length === 1
  const items = list.map((figure) => {
    const number = ++state.figureCount
    const localized = { ...figure, lang: figure.lang ?? state.lang }
    const view = surfaceView(localized, number, state)
    return `<figure>${pictures(localized, single, `figure-${number}`)}${view}${caption(figure, number, state.words)}</figure>`
  })
  return `<div class="figures${single ? ' single' : ''}">${items.join('')}</div>`
}

/** The place where a surface can be turned. */
function surfaceView(figure: Figure, number: number, state: PageState): string {
  if (figure.kind !== 'surface-still' || !state.surfaces) return ''
  const id = `surface-${number}`
  state.surfaces[id] = surfaceViewData(figure, state.words.surfaceView)
  return `<div class="surface-view" data-surface="${id}"></div>`
}

/** A wide picture is drawn again for narrow screens, where scaling it down would make its text too small to read. */
function pictures(figure: Figure, single: boolean, id: string): string {
  const draw = (width: number, suffix: string): string =>
    renderSvg(figure, { width: Math.round(width), theme: pageTheme, framed: false, id: id + suffix })
  if (!single) return draw(COLUMN_WIDTH, '')
  const roomy = draw(Math.min(SINGLE_WIDTH, naturalWidth(figure) * 1.1), '')
  return `<div class="roomy">${roomy}</div><div class="narrow">${draw(NARROW_WIDTH, '-narrow')}</div>`
}

function caption(figure: Figure, number: number, words: ReportWords): string {
  const rows = (figure.settings ?? []).map(
    (setting) => `<dt>${inlineText(setting.name)}</dt><dd>${settingMarkup(setting, words)}</dd>`,
  )
  const title = `<b>${words.figure(number)}. ${inlineText(figure.title)}</b>`
  const list = rows.length === 0 ? '' : `<dl>${rows.join('')}</dl>`
  return `<figcaption>${title}${inlineText(figure.caption ?? '')}${list}</figcaption>`
}

function table(block: Table, words: ReportWords): string {
  const align = block.columns.map(
    (column, i) => column.align ?? (isNumeric(block.rows.map((row) => row[i])) ? 'right' : 'left'),
  )
  const head = block.columns.map((column, i) => `<th scope="col" class="${align[i]}">${inlineText(column.label)}</th>`)
  const rows = block.rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0
        ? `<th scope="row" class="${align[i]}">${cellText(cell)}</th>`
        : `<td class="${align[i]}">${cellText(cell)}</td>`,
    )
    return `<tr>${cells.join('')}</tr>`
  })
  const title = block.caption === undefined ? '' : `<caption>${inlineText(block.caption)}</caption>`
  // What scrolls sideways on a narrow screen must be reachable by keyboard, and then needs a name.
  const region = `class="scroll" tabindex="0" role="region" aria-label="${escapeMarkup(block.caption ?? words.table)}"`
  const content = `<thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody>`
  return `<div ${region}><table>${title}${content}</table></div>`
}

function isNumeric(cells: readonly (Cell | undefined)[]): boolean {
  const first = cells.find((cell) => cell !== null && cell !== undefined && cell !== '')
  return first !== undefined && typeof first !== 'string'
}

export function cellText(cell: Cell): string {
  if (cell === null || typeof cell === 'number') return inlineText(formatNumber(cell))
  return inlineText(typeof cell === 'string' ? cell : formatQuantity(cell))
}

function paragraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => `<p>${inlineText(paragraph.trim())}</p>`)
    .join('')
}

function code(text: string): string {
  return `<pre><code>${escapeMarkup(text)}</code></pre>`
}

function anchor(id: string): string {
  return id.toLowerCase().replace(/[^a-z0-9-]+/g, '-') || 'section'
}

function plainLength(html: string): number {
  return html.replace(/<[^>]+>/g, '').replace(/&[^;]+;/g, 'x').length
}

function plainPower(power: string): string {
  return power.replace(/./g, (c) => (c === '⁻' ? '\u2212' : String('⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c))))
}
