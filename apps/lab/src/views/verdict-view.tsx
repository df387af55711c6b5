import { useCallback, useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { RunSummary } from 'thalweg/protocol'
import { exampleNames } from '../state/examples.ts'
import { loadFindings, workOn } from '../state/findings.ts'
import type { Findings } from '../state/findings.ts'
import { textSetting, writePlace } from '../state/place.ts'
import { server } from '../state/server.ts'
import { serverHealth } from '../state/server-health.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Button, Select } from './controls.tsx'
import { IndexFigure } from './index-figure.tsx'
import { LineSection } from './line-section.tsx'
import { SpectrumFigure } from './spectrum-figure.tsx'
import { useLoaded } from './use-loaded.ts'
import { usePreferences, useSetting } from './use-stores.ts'
import { useWords } from './use-words.ts'
import { VerdictCard } from './verdict-card.tsx'

const subjectSetting = textSetting('example:teacher')

/** What is known about one point, from the verdict down to single numbers. */
export function VerdictView(): ReactNode {
  const words = useWords(verdictWords)
  const { language } = usePreferences()
  const [subject, setSubject] = useSetting('point', subjectSetting)
  const choices = useSubjects(subject)
  const load = useCallback((id: string) => loadFindings(id, language), [language])
  const { value: findings, error, busy } = useLoaded(subject, load)
  return (
    <section className="room verdict-room">
      <div className="room-head verdict-room-head">
        <div>
          <h1>{words.title}</h1>
          <p className="lead">{words.lead}</p>
        </div>
        <Select label={words.subject} value={subject} choices={choices} onChange={setSubject} />
      </div>
      {error !== undefined && (
        <div className="notice" role="alert">
          <b>{words.failed}.</b> {error}
        </div>
      )}
      {!findings && busy && <p className="muted">{words.loading} …</p>}
      {findings && findings.id === subject && <FindingsView key={findings.id} findings={findings} />}
    </section>
  )
}

function FindingsView({ findings }: { readonly findings: Findings }): ReactNode {
  const words = useWords(verdictWords)
  const { diagnosis, spectrum, critical, run } = findings
  return (
    <>
      <p className="findings-line">
        <b>{findings.name}.</b> {findings.description}
      </p>
      {diagnosis ? (
        <VerdictCard findings={findings} diagnosis={diagnosis} />
      ) : (
        <Gap text={words.noDiagnosis} action={words.startDiagnosis} run={run} command="diagnose" />
      )}
      <p className="findings-links">
        {findings.plane && (
          <a href={writePlace({ room: 'landscape', settings: { plane: findings.plane } })}>{words.surface}</a>
        )}
        {findings.reportUrl && <a href={findings.reportUrl}>{words.report}</a>}
      </p>
      <div className="verdict-figures">
        <section aria-label={words.spectrum}>
          <h2>{words.spectrum}</h2>
          {spectrum || diagnosis ? (
            <SpectrumFigure spectrum={spectrum} diagnosis={diagnosis} parameters={findings.parameters} />
          ) : (
            <Gap text={words.noSpectrum} action={words.startSpectrum} run={run} command="spectrum" />
          )}
          {!spectrum && diagnosis && run !== null && (
            <Gap text={words.noSpectrum} action={words.startSpectrum} run={run} command="spectrum" />
          )}
        </section>
        <section aria-label={words.index}>
          <h2>{words.index}</h2>
          {critical ? (
            <IndexFigure critical={critical} />
          ) : (
            <Gap text={words.noCritical} action={words.startCritical} run={run} command="critical" />
          )}
        </section>
      </div>
      <LineSection findings={findings} />
    </>
  )
}

interface GapProps {
  readonly text: string
  readonly action: string
  readonly run: string | null
  readonly command: Parameters<typeof workOn>[1]
}

/** What is missing, and the button that computes it where there is a server. */
function Gap({ text, action, run, command }: GapProps): ReactNode {
  const words = useWords(verdictWords)
  const { language } = usePreferences()
  const [state, setState] = useState<{ readonly started?: boolean; readonly error?: string }>({})
  if (state.started) return <p className="gap muted">{words.started}</p>
  return (
    <div className="gap">
      <p className="muted">{text}</p>
      {run !== null && (
        <Button
          onPress={() => {
            server.start(workOn(run, command, language)).then(
              () => setState({ started: true }),
              (error: unknown) => setState({ error: error instanceof Error ? error.message : String(error) }),
            )
          }}
        >
          {action}
        </Button>
      )}
      {state.error && <p role="alert">{state.error}</p>}
    </div>
  )
}

/** Examples, and the runs that have a verdict or can get one. */
function useSubjects(chosen: string): readonly { readonly id: string; readonly text: string }[] {
  const words = useWords(verdictWords)
  const { language } = usePreferences()
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
  return useMemo(() => {
    const known = [
      ...runs
        .filter(({ command }) => ['run', 'diagnose', 'spectrum', 'critical', 'line'].includes(command))
        .map(({ id, name }) => ({ id: `run:${id}`, text: `${words.run}: ${name}` })),
      ...Object.entries(exampleNames).map(([id, names]) => ({
        id: `example:${id}`,
        text: `${words.example}: ${names[language]}`,
      })),
    ]
    return known.some(({ id }) => id === chosen) ? known : [...known, { id: chosen, text: chosen }]
  }, [runs, words, language, chosen])
}
