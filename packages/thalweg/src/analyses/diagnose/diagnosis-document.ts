import { phrase, sentence } from '@thalweg/landscape'
import type { Diagnosis, Message } from '@thalweg/landscape'
import type { VerdictCard } from '../../report/report.ts'
import type { Language } from '../../report/scene.ts'

/** The card of a report: claims and advice in words. */
export function verdictCard(diagnosis: Diagnosis, lang: Language): VerdictCard {
  const words = (message: Message): string => sentence(message, lang)
  return {
    kind: diagnosis.verdict,
    summary: words(diagnosis.summary),
    evidence: diagnosis.evidence.map(({ claim, value, bound, method }) => ({
      claim: words(claim),
      value,
      bound: bound ?? undefined,
      method: phrase(method, lang),
    })),
    advice: diagnosis.advice.map(words).join('\n\n'),
  }
}

function warningSentences({ warnings }: Diagnosis, lang: Language): string[] {
  return warnings.map((message) => sentence(message, lang))
}

/** Warnings about the subject and about what was found; a note of the model that a warning repeats is said once. */
export function allWarnings(subjectWarnings: readonly string[], diagnosis: Diagnosis, lang: Language): string[] {
  const repeated = new Set(diagnosis.warnings.map(({ values }) => values['note']))
  return [...subjectWarnings.filter((warning) => !repeated.has(warning)), ...warningSentences(diagnosis, lang)]
}

/** A diagnosis as the JSON document of `thalweg diagnose`: numbers beside their sentences, parameter vectors left out
 * (they go to files). */
export function diagnosisJson(diagnosis: Diagnosis, lang: Language): object {
  const {
    verdict,
    inertia,
    eigenvalues,
    gradientNorm,
    noiseFloor,
    criticalDistance,
    flatness,
    gap,
    symmetry,
    kinks,
    curve,
    cost,
  } = diagnosis
  const words = (message: Message): string => sentence(message, lang)
  const without = (value: object, keys: readonly string[]): object =>
    Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
  return {
    verdict,
    summary: words(diagnosis.summary),
    gradientNorm,
    noiseFloor,
    criticalDistance,
    flatness,
    inertia,
    eigenvalues,
    evidence: diagnosis.evidence.map((e) => ({ ...e, claim: words(e.claim), method: phrase(e.method, lang) })),
    advice: diagnosis.advice.map(words),
    ...(diagnosis.polished && { polished: without(diagnosis.polished, ['theta']) }),
    ...(diagnosis.escape && { escape: without(diagnosis.escape, ['theta', 'direction']) }),
    ...(gap !== null && { gap }),
    ...(symmetry && { symmetry }),
    ...(kinks && { kinks }),
    ...(curve.length > 0 && { curve }),
    cost,
  }
}

/** A diagnosis for the terminal. */
export function diagnosisLines(document: DiagnosisLinesSource, lang: Language): string[] {
  const against = lang === 'zh' ? ' 对照 ' : ' against '
  const { summary, evidence, advice } = document
  const number = (v: number | null): string => (v === null ? '' : Number(v.toPrecision(6)).toString())
  return [
    summary,
    ...evidence.map((e) => {
      const value =
        e.value === null
          ? ''
          : `  [${number(e.value)}${e.bound === null ? '' : `${against}${number(e.bound)}`}; ${e.method}]`
      return `  · ${e.claim}${value}`
    }),
    ...advice.map((a) => `  → ${a}`),
  ]
}

/** What the lines need of the document. */
export interface DiagnosisLinesSource {
  readonly summary: string
  readonly evidence: readonly {
    readonly claim: string
    readonly value: number | null
    readonly bound: number | null
    readonly method: string
  }[]
  readonly advice: readonly string[]
}
