import type { LinearReport } from '@thalweg/landscape'
import type { ShownCritical } from '../analyses/critical/critical-section.ts'
import type { ShownElimination } from '../analyses/eliminate/elimination-section.ts'
import type { EliminationWords } from '../analyses/eliminate/elimination-words.ts'
import type { ShownGram } from '../analyses/gram/gram-section.ts'
import type { ShownSpectrum } from '../analyses/spectrum/spectrum-section.ts'
import type { Language } from '../report/scene.ts'

/** The document of an analysis, as `--json` of its command prints it, or why there is none. */
export type Examined<T> =
  | { readonly document: T; readonly words?: Readonly<Record<Language, EliminationWords>> | null }
  | { readonly problem: string }

/** What the analyses of an experiment found, those that it asks for; beside diagnosis and surface. */
export interface AnalysisResults {
  readonly spectrum?: Examined<ShownSpectrum>
  readonly critical?: Examined<ShownCritical>
  readonly linear?: Examined<LinearReport>
  readonly eliminate?: Examined<ShownElimination>
  readonly gram?: Examined<ShownGram>
}

export type AnalysisName = keyof AnalysisResults

/** In the order in which they are made and shown. */
export const analysisNames: readonly AnalysisName[] = ['spectrum', 'critical', 'linear', 'eliminate', 'gram']

/** The document, where there is one. */
export function documentOf<T>(examined: Examined<T> | undefined): T | undefined {
  return examined && 'document' in examined ? examined.document : undefined
}

/** Its sentences, where they were written in every language. */
export function wordsOf(examined: Examined<unknown> | undefined, lang: Language): EliminationWords | null {
  return examined && 'document' in examined ? (examined.words?.[lang] ?? null) : null
}

/** Why an analysis has no document: its name and the sentence. */
export function problemsOf(results: AnalysisResults): readonly (readonly [AnalysisName, string])[] {
  return analysisNames.flatMap((name) => {
    const examined = results[name]
    return examined && 'problem' in examined ? [[name, examined.problem] as const] : []
  })
}
