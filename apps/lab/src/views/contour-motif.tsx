import type { ReactNode } from 'react'
import { contourMotif } from '../scenes/contour-motif.ts'

const motif = contourMotif()

/** Contour lines behind the head of a page; decoration. */
export function ContourMotif(): ReactNode {
  return (
    <svg
      className="motif"
      viewBox="0 0 1200 240"
      preserveAspectRatio="xMaxYMid slice"
      aria-hidden="true"
      focusable="false"
    >
      <path className="motif-contours" d={motif.contours} />
      <path className="motif-river" d={motif.river} />
    </svg>
  )
}

/** The mark beside the name. */
export function ThalwegSign(): ReactNode {
  return (
    <svg className="sign" viewBox="0 0 24 20" aria-hidden="true" focusable="false">
      <path d="M2 5C7 5 7 10 12 10S17 5 22 5" opacity=".45" />
      <path d="M2 10C7 10 7 15 12 15S17 10 22 10" opacity=".7" />
      <path d="M2 15C7 15 7 20 12 20S17 15 22 15" />
    </svg>
  )
}
