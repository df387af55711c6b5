import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

type Render = (tex: string, block: boolean) => string

let render: Render | undefined
let loading: Promise<Render> | undefined

function load(): Promise<Render> {
  loading ??= import('katex').then(({ default: katex }) => {
    render = (tex, displayMode) =>
      katex.renderToString(tex, { output: 'mathml', displayMode, throwOnError: false, strict: 'ignore' })
    return render
  })
  return loading
}

export interface FormulaProps {
  /** TeX, written by us: never what a reader typed or a file holds. */
  readonly tex: string
  /** On a line of its own. */
  readonly block?: boolean
}

/** A formula as MathML, which browsers draw and screen readers read. KaTeX comes with the first formula of a page. */
export function Formula({ tex, block = false }: FormulaProps): ReactNode {
  const [ready, setReady] = useState(render !== undefined)
  useEffect(() => {
    if (ready) return
    let shown = true
    void load().then(() => shown && setReady(true))
    return () => {
      shown = false
    }
  }, [ready])
  const className = block ? 'formula formula-block' : 'formula'
  if (!ready || render === undefined) return <span className={className}>{block ? '\u00a0' : ''}</span>
  return <span className={className} dangerouslySetInnerHTML={{ __html: render(tex, block) }} />
}
