import { useCallback, useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import { surfaceOptions } from '../scenes/landscape-look.ts'
import { lossOf, nearestNode } from '../scenes/plane-data.ts'
import type { PlaneData } from '../scenes/plane-data.ts'
import { splineFunction } from '../scenes/plane-function.ts'
import type { PlaneFunction } from '../scenes/plane-function.ts'
import { landscapeSettings } from '../state/landscape-settings.ts'
import { loadPlane } from '../state/planes.ts'
import { landscapeWords } from '../words/landscape-words.ts'
import { BallPanel, useBallSettings } from './ball-panel.tsx'
import { LandscapeControls } from './landscape-controls.tsx'
import { PlanePane } from './plane-pane.tsx'
import { useBalls } from './use-balls.ts'
import { useLoaded } from './use-loaded.ts'
import { usePreferences, useSetting } from './use-stores.ts'
import { useWords } from './use-words.ts'

/** One surface, or two beside each other with one camera, and what can be done with them. */
export function LandscapeView(): ReactNode {
  const words = useWords(landscapeWords)
  const [planeId] = useSetting('plane', landscapeSettings.plane)
  const [besideId] = useSetting('beside', landscapeSettings.beside)
  const [same] = useSetting('same', landscapeSettings.same)
  const first = usePlane(planeId)
  const second = usePlane(besideId === '' ? undefined : besideId)
  const shared = same && first.value && second.value ? [first.value, second.value] : undefined
  return (
    <section className="room landscape">
      <div className="room-head">
        <h1>{words.title}</h1>
        <p className="lead">{words.lead}</p>
      </div>
      <div className="landscape-layout">
        <div className={besideId === '' ? 'landscape-stage' : 'landscape-stage two'}>
          <LoadedPane loaded={first} shared={shared} main />
          {besideId !== '' && <LoadedPane loaded={second} shared={shared} />}
        </div>
        <aside className="landscape-side">{first.value && <LandscapeControls plane={first.value} />}</aside>
      </div>
    </section>
  )
}

function usePlane(id: string | undefined): ReturnType<typeof useLoaded<PlaneData>> {
  const { language } = usePreferences()
  const load = useCallback((key: string) => loadPlane(key, language), [language])
  return useLoaded(id, load)
}

interface LoadedPaneProps {
  readonly loaded: ReturnType<typeof usePlane>
  readonly shared: readonly PlaneData[] | undefined
  /** The one on which balls are dropped. */
  readonly main?: boolean
}

function LoadedPane({ loaded: { value: plane, error }, shared, main = false }: LoadedPaneProps): ReactNode {
  const words = useWords(landscapeWords)
  if (error !== undefined)
    return (
      <div className="notice" role="alert">
        <b>{words.failed}.</b> {error}
      </div>
    )
  if (!plane)
    return (
      <div className="plane-pane waiting" aria-busy="true">
        <p className="muted">{words.loading} …</p>
      </div>
    )
  return <ReadyPane key={plane.id} plane={plane} planes={shared ?? [plane]} main={main} />
}

interface ReadyPaneProps {
  readonly plane: PlaneData
  readonly planes: readonly PlaneData[]
  readonly main: boolean
}

function ReadyPane({ plane, planes, main }: ReadyPaneProps): ReactNode {
  const [color] = useSetting('color', landscapeSettings.color)
  const [scale] = useSetting('scale', landscapeSettings.scale)
  const [palette] = useSetting('palette', landscapeSettings.palette)
  const [levels] = useSetting('levels', landscapeSettings.levels)
  const options = useMemo(
    () => surfaceOptions(planes, plane, { color, scale, palette, levels }),
    [planes, plane, color, scale, palette, levels],
  )
  const [drop, setDrop] = useSetting('drop', landscapeSettings.drop)
  const f = usePlaneFunction(plane, drop !== undefined || main)
  const { methods, rules } = useBallSettings(f, plane)
  const { balls, again } = useBalls(f, drop, methods, rules)
  const [probe, setProbe] = useState<{ x: number; y: number }>()
  const move = useCallback(
    (right: number, up: number) =>
      setProbe((old) => {
        const { xs, ys } = lossOf(plane)
        const from = old ?? { x: (xs[0] + xs[xs.length - 1]) / 2, y: (ys[0] + ys[ys.length - 1]) / 2 }
        const { i, j } = nearestNode(lossOf(plane), from.x, from.y)
        const inside = (k: number, nodes: ArrayLike<number>): number =>
          nodes[Math.min(nodes.length - 1, Math.max(0, k))]
        return { x: inside(i + right, xs), y: inside(j + up, ys) }
      }),
    [plane],
  )
  return (
    <div className="plane-column">
      <PlanePane plane={plane} options={options} balls={balls} probe={probe} onProbe={move} onDrop={setDrop} />
      {main && f && <BallPanel plane={plane} balls={balls} onAgain={again} onClear={() => setDrop(undefined)} />}
    </div>
  )
}

/** The function on which balls roll: the analytic one itself, or the spline through the nodes. */
function usePlaneFunction(plane: PlaneData, wanted: boolean): PlaneFunction | undefined {
  const spline = useMemo(() => (plane.analytic || !wanted ? undefined : splineFunction(lossOf(plane))), [plane, wanted])
  const [analytic, setAnalytic] = useState<PlaneFunction>()
  useEffect(() => {
    const { analytic: name } = plane
    if (!name || !wanted) return setAnalytic(undefined)
    let shown = true
    void import('../scenes/analytic-plane.ts').then(({ analyticFunction }) => {
      const made = analyticFunction(name)
      if (shown) setAnalytic(made)
    })
    return () => {
      shown = false
    }
  }, [plane, wanted])
  return plane.analytic ? analytic : spline
}
