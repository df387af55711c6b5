import type { ClaimOutcome } from '@thalweg/landscape/claims'
import type { Ledger, LedgerEntry, LedgerMeasurement, LedgerResult } from './ledger.ts'
import { LEDGER_STYLE } from './ledger-style.ts'
import { type LedgerWords, ledgerWords } from './ledger-words.ts'
import { cellText, inlineText, page, pairs, renderBlock } from './render-report.ts'
import type { PageState } from './render-report.ts'
import type { Cell } from './report.ts'
import { reportWords } from './report-words.ts'

type BadgeKind = ClaimOutcome | 'failed' | 'not-run'

/** A sign for each outcome, so that color is not all that tells them apart. */
const SIGNS: Readonly<Record<BadgeKind, string>> = {
  holds: '<path d="M2.5 8.5L6 12L13 3.5"/>',
  'holds-with-conditions': '<circle cx="8" cy="8" r="5.8"/><path class="solid" d="M8 2.2A5.8 5.8 0 0 1 8 13.8Z"/>',
  false: '<path d="M3.5 3.5L12.5 12.5M12.5 3.5L3.5 12.5"/>',
  vacuous: '<circle cx="8" cy="8" r="5.8"/><path d="M3.5 12.5L12.5 3.5"/>',
  'not-decided':
    '<path d="M5 5.5a3 3 0 1 1 4.5 2.6C8.5 8.7 8 9.3 8 10.3"/><circle class="solid" cx="8" cy="13.4" r="1.3"/>',
  failed: '<path d="M8 2.5V9"/><circle class="solid" cx="8" cy="12.8" r="1.4"/>',
  'not-run': '<path d="M3 8H13"/>',
}

/** The ledger as one self-contained HTML page in the style of reports: what differs first, then an overview, then every
 * claim with its figure and its numbers. Same data, same bytes. */
export function renderLedger(ledger: Ledger): string {
  const words = ledgerWords(ledger.lang)
  const frame = reportWords(ledger.lang)
  const state: PageState = { lang: ledger.lang, words: frame, figureCount: 0 }
  const topics = [...new Set(ledger.entries.map(({ topic }) => topic))]
  const body = [
    alarm(ledger.entries, words),
    factRow(ledger, words, state),
    contents(topics, frame.contents),
    overview(ledger.entries, topics, words),
    ...topics.map((topic, i) => topicSection(ledger.entries, topic, i, words, state)),
    lastSections(ledger, frame),
  ]
  const head = { title: words.title, subtitle: words.subtitle(ledger.entries.length), date: ledger.date }
  return page(head, frame, body.join('\n'), LEDGER_STYLE)
}

function differs({ expected, result }: LedgerEntry): boolean {
  return result.status === 'failed' || (result.status === 'finished' && result.outcome !== expected)
}

function badgeOf({ result }: LedgerEntry): BadgeKind {
  return result.status === 'finished' ? result.outcome : result.status
}

function badgeText(kind: BadgeKind, words: LedgerWords): string {
  if (kind === 'failed') return words.failed
  return kind === 'not-run' ? words.notRun : words.outcomes[kind]
}

function badge(kind: BadgeKind, words: LedgerWords): string {
  const sign = `<svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">${SIGNS[kind]}</svg>`
  return `<span class="badge ${kind}">${sign}${badgeText(kind, words)}</span>`
}

function anchor(id: string): string {
  return `claim-${id.toLowerCase().replace(/[^a-z0-9-]/g, '-')}`
}

function alarm(entries: readonly LedgerEntry[], words: LedgerWords): string {
  const odd = entries.filter(differs)
  if (odd.length === 0) {
    const complete = entries.every(({ result }) => result.status === 'finished')
    return complete ? `<section><p class="calm">${words.agreement}</p></section>` : ''
  }
  const lines = odd.map((entry) => {
    const text = words.alarmLine(entry.id, badgeText(badgeOf(entry), words), words.outcomes[entry.expected])
    return `<li><a href="#${anchor(entry.id)}">${inlineText(text)}</a></li>`
  })
  return `<section class="alarm" role="alert" aria-labelledby="alarm-title"><h2 id="alarm-title">${words.alarm(odd.length)}</h2><ul>${lines.join('')}</ul></section>`
}

function factRow({ entries, duration, seed }: Ledger, words: LedgerWords, state: PageState): string {
  const count = (keep: (entry: LedgerEntry) => boolean): number => entries.filter(keep).length
  const facts = [
    { label: words.claims, value: entries.length },
    { label: words.asExpected, value: count((e) => e.result.status === 'finished' && !differs(e)) },
    { label: words.differ, value: count((e) => e.result.status === 'finished' && differs(e)) },
    { label: words.unfinished, value: count((e) => e.result.status !== 'finished') },
    { label: words.duration, value: duration },
    { label: words.seed, value: seed },
  ]
  return `<section>${renderBlock({ kind: 'facts', facts }, state)}</section>`
}

function contents(topics: readonly string[], label: string): string {
  if (topics.length < 2) return ''
  const items = topics.map((topic, i) => `<li><a href="#topic-${i + 1}">${inlineText(topic)}</a></li>`)
  return `<nav aria-label="${label}"><ol>${items.join('')}</ol></nav>`
}

function overview(entries: readonly LedgerEntry[], topics: readonly string[], words: LedgerWords): string {
  const legend = (Object.keys(words.outcomes) as ClaimOutcome[]).map(
    (kind) => `<li>${badge(kind, words)} ${words.meanings[kind]}</li>`,
  )
  const head = [words.claim, words.statement, words.outcome].map((label) => `<th scope="col">${label}</th>`)
  const rows = topics.flatMap((topic) => [
    `<tr class="topic"><th colspan="3" scope="colgroup">${inlineText(topic)}</th></tr>`,
    ...entries.filter((entry) => entry.topic === topic).map((entry) => overviewRow(entry, words)),
  ])
  return `<section class="part" id="overview" aria-labelledby="overview-title"><h2 id="overview-title">${words.overview}</h2><ul class="legend">${legend.join('')}</ul><table class="overview"><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></section>`
}

function overviewRow(entry: LedgerEntry, words: LedgerWords): string {
  const odd = differs(entry)
    ? `<br><span class="differs">${words.expectedOutcome(words.outcomes[entry.expected])}</span>`
    : ''
  return `<tr><th scope="row"><a href="#${anchor(entry.id)}">${inlineText(entry.id)}</a></th><td>${inlineText(entry.statement)}</td><td>${badge(badgeOf(entry), words)}${odd}</td></tr>`
}

function topicSection(
  entries: readonly LedgerEntry[],
  topic: string,
  index: number,
  words: LedgerWords,
  state: PageState,
): string {
  const id = `topic-${index + 1}`
  const own = entries.filter((entry) => entry.topic === topic).map((entry) => claimCard(entry, words, state))
  return `<section class="part" id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${inlineText(topic)}</h2>${own.join('')}</section>`
}

function claimCard(entry: LedgerEntry, words: LedgerWords, state: PageState): string {
  const { result } = entry
  const odd = differs(entry)
  const kind = badgeOf(entry)
  const alert = odd ? `<span class="differs">${words.expectedOutcome(words.outcomes[entry.expected])}</span>` : ''
  const time =
    result.status === 'finished'
      ? `<span class="time">${words.time} ${inlineText(result.time)}, ${words.seed} ${result.seed}${result.earlier ? `, ${words.earlier}` : ''}</span>`
      : ''
  const about = [
    [words.experiment, entry.experiment],
    ...(entry.remark === undefined ? [] : [[words.conditions, entry.remark]]),
  ]
  const list = about.map(([label, text]) => `<dt>${label}</dt><dd>${inlineText(text)}</dd>`)
  const found =
    result.status === 'finished'
      ? finding(result, words, state)
      : `<p class="differs">${inlineText(result.problem)}</p>`
  return `<article class="claim ${kind}${odd ? ' alarming' : ''}" id="${anchor(entry.id)}" aria-labelledby="${anchor(entry.id)}-title">
<div class="claim-head"><div class="claim-line"><h3 id="${anchor(entry.id)}-title">${inlineText(entry.id)}</h3>${badge(kind, words)}${alert}${time}</div>
<p class="statement">${inlineText(entry.statement)}</p><p class="cite">${inlineText(entry.source)}</p></div>
<div class="claim-body"><dl class="about">${list.join('')}</dl>${found}</div></article>`
}

function finding({ summary, figure, measurements }: LedgerResult, words: LedgerWords, state: PageState): string {
  const numbers = measurements.length === 0 ? '' : measurementTable(measurements, words)
  return `<p class="summary">${inlineText(summary)}</p>${renderBlock({ kind: 'figures', figures: [figure] }, state)}${numbers}`
}

function measurementTable(measurements: readonly LedgerMeasurement[], words: LedgerWords): string {
  const printed = measurements.some(({ literature }) => literature !== undefined)
  const rows = measurements.map((measurement) => measurementRow(measurement, printed, words))
  const labels = [words.quantity, words.measured, words.expected, words.rule]
  const head = [...labels, ...(printed ? [words.literature] : []), words.agrees].map(
    (label) => `<th scope="col">${label}</th>`,
  )
  return `<table class="evidence"><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function measurementRow(measurement: LedgerMeasurement, printed: boolean, words: LedgerWords): string {
  const { name, measured, expected, tolerance, literature, met } = measurement
  const cells = [
    cell(words.measured, measured, 'quantity'),
    cell(words.expected, expected, 'quantity'),
    cell(words.rule, tolerance, 'method'),
    ...(printed ? [cell(words.literature, literature, 'method')] : []),
    met === undefined
      ? cell(words.agrees, undefined, 'mark')
      : `<td data-label="${words.agrees}"><span class="mark">${met ? words.met : words.notMet}</span></td>`,
  ]
  const off = met === false ? ' class="measurement-off"' : ''
  return `<tr${off}><th scope="row">${inlineText(name)}</th>${cells.join('')}</tr>`
}

function cell(label: string, value: Cell | undefined, name: string): string {
  if (value === undefined || value === '') return `<td class="${name} blank" data-label="${label}"></td>`
  return `<td class="${name}" data-label="${label}"><span>${cellText(value)}</span></td>`
}

function lastSections({ versions, command }: Ledger, frame: PageState['words']): string {
  const section = (id: string, title: string, content: string): string =>
    `<section class="part" id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>`
  const state: PageState = { lang: 'en', words: frame, figureCount: 0 }
  return [
    section('versions', frame.versions, `<div class="pairs">${pairs(versions, frame)}</div>`),
    section('repeat', frame.repeat, `<p>${frame.repeatText}</p>${renderBlock({ kind: 'code', text: command }, state)}`),
  ].join('\n')
}
