import type { CurvePoint } from '../evidence/degenerate.ts'
import type { Evidence, Message, VerdictKind } from './diagnosis.ts'
import type { Escape } from '../evidence/saddle-evidence.ts'

/** What examining a critical point led to. */
export interface Examination {
  readonly verdict: VerdictKind
  readonly summary: Message
  readonly advice: readonly Message[]
  readonly evidence: readonly Evidence[]
  readonly escape: Escape | null
  readonly gap: number | null
  readonly curve: readonly CurvePoint[]
}

/** Of a verdict that comes with no way down and no bound. */
export const plain: Pick<Examination, 'escape' | 'gap' | 'curve'> = { escape: null, gap: null, curve: [] }

export function escapeAdvice({ distance, lossBefore: before, lossAfter: after }: Escape): Message {
  return { id: 'advice.escape', values: { distance, before, after, gain: before - after } }
}

export function undecided(
  id: Message['id'],
  values: Message['values'],
  evidence: readonly Evidence[],
  advice: readonly Message[],
): Examination {
  return { verdict: 'undecided', summary: { id, values }, advice, evidence, ...plain }
}
