import { useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { RunSummary } from 'thalweg/protocol'
import { startCamera } from '../scenes/camera.ts'
import { palettes } from '../scenes/color-map.ts'
import { automaticScale, colorsOf } from '../scenes/landscape-look.ts'
import type { PlaneData } from '../scenes/plane-data.ts'
import { landscapeSettings } from '../state/landscape-settings.ts'
import { server } from '../state/server.ts'
import { serverHealth } from '../state/server-health.ts'
import { landscapeWords } from '../words/landscape-words.ts'
import type { LandscapeWords } from '../words/landscape-words.ts'
import { Button, Segments, Select, Slider, Switch } from './controls.tsx'
import type { Choice } from './controls.tsx'
import { SurfaceForm } from './surface-form.tsx'
import { useSetting } from './use-stores.ts'
import { useWords } from './use-words.ts'

/** Which surface, and how it is drawn. */
export function LandscapeControls({ plane }: { readonly plane: PlaneData }): ReactNode {
  const words = useWords(landscapeWords)
  const [planeId, setPlane] = useSetting('plane', landscapeSettings.plane)
  const [beside, setBeside] = useSetting('beside', landscapeSettings.beside)
  const [, setDrop] = useSetting('drop', landscapeSettings.drop)
  const [same, setSame] = useSetting('same', landscapeSettings.same)
  const runs = useFinishedRuns()
  const planes = usePlaneChoices(runs, words, [planeId, beside])
  const trained = runs.filter(({ command }) => command === 'run')
  return (
    <div className="landscape-controls">
      <Select
        label={words.surface}
        value={planeId}
        choices={planes}
        onChange={(id) => {
          setPlane(id)
          setDrop(undefined)
        }}
      />
      <Select
        label={words.beside}
        value={beside === '' ? 'none' : beside}
        choices={[{ id: 'none', text: words.nothing }, ...planes]}
        onChange={(id) => setBeside(id === 'none' ? '' : id)}
      />
      {beside !== '' && (
        <Switch value={same} onChange={setSame}>
          {words.sameScale}
        </Switch>
      )}
      <LookControls plane={plane} words={words} />
      {trained.length > 0 && <SurfaceForm runs={trained} />}
    </div>
  )
}

function LookControls({ plane, words }: { readonly plane: PlaneData; readonly words: LandscapeWords }): ReactNode {
  const [view, setView] = useSetting('view', landscapeSettings.view)
  const [color, setColor] = useSetting('color', landscapeSettings.color)
  const [scale, setScale] = useSetting('scale', landscapeSettings.scale)
  const [palette, setPalette] = useSetting('palette', landscapeSettings.palette)
  const [levels, setLevels] = useSetting('levels', landscapeSettings.levels)
  const [camera, setCamera] = useSetting('cam', landscapeSettings.camera)
  const colors = colorsOf(plane)
  return (
    <>
      <Segments
        label={words.view}
        value={view}
        onChange={setView}
        choices={[
          { id: 'relief', text: words.relief },
          { id: 'map', text: words.map },
        ]}
      />
      <Select
        label={words.colorBy}
        value={colors.includes(color) ? color : 'loss'}
        onChange={setColor}
        choices={colors.map((id) => ({ id, text: words.fields[id] }))}
      />
      <Segments
        label={words.scale}
        value={scale === 'auto' ? automaticScale(plane) : scale}
        onChange={setScale}
        choices={[
          { id: 'linear', text: words.linear },
          { id: 'log', text: words.log },
        ]}
      />
      <Select
        label={words.palette}
        value={
          palette === 'auto'
            ? color === 'loss'
              ? 'relief'
              : color === 'smallest-eigenvalue'
                ? 'diverging'
                : 'viridis'
            : palette
        }
        onChange={setPalette}
        choices={palettes.map((id) => ({ id, text: words.palettes[id] }))}
      />
      <Slider label={words.levels} value={levels} min={0} max={40} step={1} onChange={setLevels} />
      {view === 'relief' && (
        <Button kind="quiet" onPress={() => setCamera(startCamera)} isDisabled={camera === startCamera}>
          {words.reset}
        </Button>
      )}
    </>
  )
}

/** Runs of the server that are over; none without one. */
function useFinishedRuns(): readonly RunSummary[] {
  const [runs, setRuns] = useState<readonly RunSummary[]>([])
  useEffect(() => {
    let shown = true
    void serverHealth()
      .then((health) => (health ? server.runs({ limit: 300, state: ['finished', 'stopped'] }) : undefined))
      .then((list) => list && shown && setRuns(list.runs))
      .catch(() => {})
    return () => {
      shown = false
    }
  }, [])
  return runs
}

/** Examples, analytic functions and the runs that have a surface; a plane from a link is in the list too. */
function usePlaneChoices(
  runs: readonly RunSummary[],
  words: LandscapeWords,
  chosen: readonly string[],
): readonly Choice<string>[] {
  return useMemo(() => {
    const known = [
      ...runs
        .filter((run) => run.hasSurface)
        .map((run) => ({ id: `run:${run.id}`, text: `${words.runs}: ${run.name}` })),
      ...Object.entries(words.planeNames).map(([id, text]) => ({ id, text })),
      ...Object.entries(words.functionNames).map(([id, text]) => ({ id: `function:${id}`, text })),
    ]
    const strange = chosen.filter((id) => id !== '' && !known.some((choice) => choice.id === id))
    return [...known, ...strange.map((id) => ({ id, text: id }))]
  }, [runs, words, chosen.join()])
}
