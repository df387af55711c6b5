import type { ReactNode } from 'react'
import { Formula } from '../../views/formula.tsx'

/** Paragraphs of a sentence table: blank lines part them, `$…$` is TeX, `$$…$$` TeX on a line of its own, `**…**` strong. */
export function Rich({ text }: { readonly text: string }): ReactNode {
  return text.split('\n\n').map((paragraph, i) =>
    paragraph.startsWith('$$') ? (
      <Formula key={i} tex={paragraph.slice(2, -2)} block />
    ) : (
      <p key={i}>
        <RichLine text={paragraph} />
      </p>
    ),
  )
}

/** The same within a line. */
export function RichLine({ text }: { readonly text: string }): ReactNode {
  return text.split(/(\$[^$]+\$|\*\*[^*]+\*\*)/).map((part, i) => {
    if (part.startsWith('$')) return <Formula key={i} tex={part.slice(1, -1)} />
    if (part.startsWith('**')) return <strong key={i}>{part.slice(2, -2)}</strong>
    return part
  })
}
