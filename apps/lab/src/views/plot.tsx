import { useEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type { PlotOptions } from '@observablehq/plot'

type PlotModule = typeof import('@observablehq/plot')

let plotModule: PlotModule | undefined

export interface PlotProps {
  /** What a reader who does not see the picture is told. */
  readonly label: string
  /** The picture for a width in pixels. Colors by name: `var(--series-1)`, `var(--ink)`, `var(--accent)`; then light and
   *  dark need no second drawing. Keep the function (useCallback or useMemo), it is drawn again when it changes. */
  readonly options: (plot: PlotModule, width: number) => PlotOptions
  /** Height reserved while Observable Plot is being fetched. */
  readonly height?: number
}

/** A figure by Observable Plot, as wide as its column. */
export function Plot({ label, options, height = 260 }: PlotProps): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const width = useWidth(host)
  const [plot, setPlot] = useState(plotModule)
  useEffect(() => {
    if (plot) return
    let shown = true
    void import('@observablehq/plot').then((module) => {
      plotModule = module
      if (shown) setPlot(module)
    })
    return () => {
      shown = false
    }
  }, [plot])
  useEffect(() => {
    const element = host.current
    if (!plot || !element || width === 0) return
    const drawn = plot.plot({
      width,
      height,
      style: { fontFamily: 'inherit', fontSize: '12px', background: 'none' },
      ...options(plot, width),
      figure: false,
    })
    // Plot labels its groups, but a picture has one label: groups without a role may have none.
    for (const group of drawn.querySelectorAll('[aria-label]')) group.removeAttribute('aria-label')
    drawn.setAttribute('role', 'img')
    drawn.setAttribute('aria-label', label)
    element.replaceChildren(drawn)
  }, [plot, options, width, height, label])
  return <div className="plot" ref={host} style={{ minHeight: height }} />
}

/** Width of an element in whole pixels, 0 before it is known. */
export function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry.contentRect.width)))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return width
}
