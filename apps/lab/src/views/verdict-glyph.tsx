import type { ReactNode } from 'react'
import type { VerdictKind } from 'thalweg/protocol'

/** The family of a verdict: it gives the card its color, the words say the same. */
export const verdictTones: Readonly<Record<VerdictKind, 'good' | 'saddle' | 'slope' | 'open'>> = {
  'not-critical': 'slope',
  'strict-saddle': 'saddle',
  'non-strict-saddle': 'saddle',
  'local-minimum': 'good',
  'global-minimum': 'good',
  'near-infimum': 'good',
  undecided: 'open',
}

const ball = (x: number, y: number): ReactNode => <circle className="ball" cx={x} cy={y} r="6.5" />

const drawings: Readonly<Record<VerdictKind, ReactNode>> = {
  'not-critical': (
    <>
      <path d="M8 14C46 18 62 60 110 74" />
      {ball(55, 35)}
      <path d="M66 35L79 47M79 47l-9-1M79 47l-1-9" strokeWidth="2" />
    </>
  ),
  'strict-saddle': (
    <>
      <path className="faint" d="M6 8Q60 76 114 8" />
      <path d="M14 86Q60 -2 106 86" />
      {ball(60, 33)}
    </>
  ),
  'non-strict-saddle': (
    <>
      <path d="M8 16C40 18 44 46 60 46S82 74 112 78" />
      {ball(60, 39)}
    </>
  ),
  'local-minimum': (
    <>
      <path d="M6 18C18 66 44 66 56 34S84 82 112 84" />
      {ball(33, 48)}
      <path className="faint" d="M8 89H112" />
    </>
  ),
  'global-minimum': (
    <>
      <path d="M8 14C24 100 96 100 112 14" />
      {ball(60, 71)}
    </>
  ),
  'near-infimum': (
    <>
      <path d="M8 12C24 66 52 76 112 79" />
      {ball(84, 70)}
      <path className="faint" d="M8 86H112" strokeDasharray="4 5" />
    </>
  ),
  undecided: (
    <>
      <path className="faint" d="M8 20C28 76 44 76 60 52S92 28 112 74" />
      <path d="M51 34a9 9 0 1 1 13 8c-3 1.6-4 3.4-4 7" />
      <circle className="ball" cx="60" cy="58" r="2.6" />
    </>
  ),
}

/** A ball on the loss, drawn as the verdict has it; decoration beside the words. The same as in the report. */
export function VerdictGlyph({ kind }: { readonly kind: VerdictKind }): ReactNode {
  return (
    <svg className="glyph" viewBox="0 0 120 94" aria-hidden="true" focusable="false">
      {drawings[kind]}
    </svg>
  )
}
