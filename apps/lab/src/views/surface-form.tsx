import { useState } from 'react'
import type { ReactNode } from 'react'
import type { RunSummary, SurfaceRequest } from 'thalweg/protocol'
import { address } from '../state/address.ts'
import { server } from '../state/server.ts'
import { landscapeWords } from '../words/landscape-words.ts'
import { Button, Select, Switch } from './controls.tsx'
import { usePreferences } from './use-stores.ts'
import { useWords } from './use-words.ts'

type Directions = 'trajectory' | 'eigenvectors' | 'random'

/** Asks the server for another surface of a trained run. */
export function SurfaceForm({ runs }: { readonly runs: readonly RunSummary[] }): ReactNode {
  const words = useWords(landscapeWords)
  const { language } = usePreferences()
  const [run, setRun] = useState(runs[0].id)
  const [directions, setDirections] = useState<Directions>('trajectory')
  const [curvature, setCurvature] = useState(false)
  const [error, setError] = useState('')
  const start = async (): Promise<void> => {
    const { id } = await server.start(surfaceWork(run, directions, curvature, language))
    address.go({ room: 'runs', settings: { run: id } })
  }
  return (
    <details className="surface-form">
      <summary>{words.newSurface}</summary>
      <div>
        <Select
          label={words.runs}
          value={run}
          onChange={setRun}
          choices={runs.map(({ id, name }) => ({ id, text: name }))}
        />
        <Select
          label={words.axes}
          value={directions}
          onChange={setDirections}
          choices={(['trajectory', 'eigenvectors', 'random'] as const).map((id) => ({
            id,
            text: words.directions[id],
          }))}
        />
        <Switch value={curvature} onChange={setCurvature}>
          {words.withCurvature}
        </Switch>
        <Button
          onPress={() => {
            start().catch((reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)))
          }}
        >
          {words.compute}
        </Button>
        <p className="small" role="status">
          {error}
        </p>
      </div>
    </details>
  )
}

function surfaceWork(run: string, directions: Directions, curvature: boolean, lang: 'en' | 'zh'): SurfaceRequest {
  return {
    command: 'surface',
    subject: { model: { kind: 'run', run } },
    directions,
    ...(directions === 'eigenvectors' && { eigenvectors: 'ends' as const }),
    ...(directions === 'trajectory' && { trajectory: true }),
    points: 41,
    ...(curvature && { curvatureGrid: 15, curvatureSamples: 500 }),
    lang,
  }
}
