import type { ReactNode } from 'react'
import { useWords } from '../../views/use-words.ts'
import { sharedWords } from './shared-words.ts'

export type ShownKind = keyof (typeof sharedWords)['en']['kinds']

const colors: Readonly<Record<ShownKind, string>> = {
  'global-minimum': 'var(--tone-good)',
  'local-minimum': 'var(--series-1)',
  'strict-saddle': 'var(--tone-saddle)',
  'non-strict-saddle': 'var(--series-4)',
  maximum: 'var(--series-7)',
  'not-critical': 'var(--tone-open)',
  'near-infimum': 'var(--tone-open)',
  undecided: 'var(--tone-open)',
}

export function kindColor(kind: ShownKind): string {
  return colors[kind]
}

/** The shape of a kind, told apart without color: a disc for minima (with a ring where global), a diamond for saddles
 * (hollow where the Hessian does not show it), a triangle for maxima. */
export function KindShape({
  kind,
  x,
  y,
  size = 7,
}: {
  readonly kind: ShownKind
  readonly x: number
  readonly y: number
  readonly size?: number
}): ReactNode {
  const color = colors[kind]
  const diamond = `M${x} ${y - size}L${x + size} ${y}L${x} ${y + size}L${x - size} ${y}Z`
  if (kind === 'strict-saddle') return <path d={diamond} fill={color} className="kind-rim" />
  if (kind === 'non-strict-saddle')
    return (
      <g>
        <path d={diamond} className="kind-rim" fill="var(--card)" stroke="none" />
        <path d={diamond} fill="var(--card)" stroke={color} strokeWidth={size * 0.42} />
      </g>
    )
  if (kind === 'maximum')
    return (
      <path
        d={`M${x} ${y - size}L${x + size} ${y + size * 0.8}L${x - size} ${y + size * 0.8}Z`}
        fill={color}
        className="kind-rim"
      />
    )
  return (
    <g>
      <circle cx={x} cy={y} r={size * 0.86} fill={color} className="kind-rim" />
      {kind === 'global-minimum' && <circle cx={x} cy={y} r={size * 0.34} fill="var(--card)" />}
    </g>
  )
}

/** The kind in words with its shape. */
export function KindBadge({ kind }: { readonly kind: ShownKind }): ReactNode {
  const words = useWords(sharedWords)
  return (
    <span className="kind-badge">
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <KindShape kind={kind} x={8} y={8} size={5.6} />
      </svg>
      {words.kinds[kind]}
    </span>
  )
}
