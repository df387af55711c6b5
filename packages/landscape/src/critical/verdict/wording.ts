import { DomainError } from '@thalweg/graph'
import type { Message, VerdictKind } from './diagnosis.ts'
import type { MessageId } from './message-id.ts'
import { phrase } from './phrases.ts'
import { sentences } from './sentences.ts'

export type Language = 'en' | 'zh'

/** Three significant digits; powers of ten outside 0.001 … 99 999. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '—'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  const whole = Number.isInteger(value) && size < 1e6
  const short = size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1)
  return (whole ? String(value) : short).replace('e+', 'e').replaceAll('-', '−')
}

/** Losses are compared with each other, so they get digits enough to tell them apart. */
function formatLoss(value: number): string {
  const size = Math.abs(value)
  if (size === 0 || !Number.isFinite(value)) return formatNumber(value)
  const digits = Number(value.toPrecision(6))
  const text = size >= 1e-3 && size < 1e6 ? String(digits) : digits.toExponential()
  return text.replace('e+', 'e').replaceAll('-', '−')
}

const verdictNames: Readonly<Record<VerdictKind, Readonly<Record<Language, string>>>> = {
  'not-critical': { en: 'not a critical point', zh: '非临界点' },
  'strict-saddle': { en: 'strict saddle', zh: '严格鞍点' },
  'non-strict-saddle': { en: 'non-strict saddle', zh: '非严格鞍点' },
  'local-minimum': { en: 'local minimum', zh: '局部极小点' },
  'global-minimum': { en: 'global minimum', zh: '全局极小点' },
  'near-infimum': { en: 'near the infimum', zh: '接近下确界' },
  undecided: { en: 'undecided', zh: '无法判定' },
}

/** The name of a verdict in plain words. */
export function verdictName(verdict: VerdictKind, language: Language): string {
  return verdictNames[verdict][language]
}

/** A message as a sentence.
 * @throws {DomainError} if a value that the sentence names is missing: our mistake where the message was made. */
export function sentence(message: Message, language: Language): string {
  return sentences[message.id][language].replace(/\{(\w+)(?::(\w+))?\}/g, (_, name: string, form?: string) => {
    const value = message.values[name]
    if (value === undefined) throw new DomainError(`sentence: ${message.id} needs a value for ${name}, got none.`)
    if (typeof value === 'string')
      return form === 'verdict' ? verdictName(value as VerdictKind, language) : phrase(value, language)
    return form === 'loss' ? formatLoss(value) : formatNumber(value)
  })
}

/** All messages there are. */
export const messageIds: readonly MessageId[] = Object.keys(sentences) as MessageId[]
