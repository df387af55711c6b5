import { useState } from 'react'
import type { ReactNode } from 'react'
import type { RunSummary } from 'thalweg/protocol'
import { formatNumber, formatPercent } from '../scenes/format-number.ts'
import { formatDuration, formatMoment } from '../scenes/format-time.ts'
import { writePlace } from '../state/place.ts'
import { relative, server } from '../state/server.ts'
import { runsWords } from '../words/runs-words.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Button } from './controls.tsx'
import { Figure } from './figure.tsx'
import { HistoryPlot } from './history-plot.tsx'
import { LiveCurve } from './live-curve.tsx'
import { RunProgress } from './run-progress.tsx'
import { usePreferences } from './use-stores.ts'
import { useRun } from './use-runs.ts'
import type { LiveDetail } from './use-runs.ts'
import { useWords } from './use-words.ts'
import { verdictTones } from './verdict-glyph.tsx'

/** One run: as it computes, and what came out. */
export function RunDetailView({ id }: { readonly id: string }): ReactNode {
  const words = useWords(runsWords)
  const run = useRun(id)
  const { detail, summary, error } = run
  return (
    <section className="room run-detail">
      <p className="small">
        <a href={writePlace({ room: 'runs', settings: {} })}>← {words.back}</a>
      </p>
      {error !== undefined && (
        <p className="notice" role="alert">
          {error}
        </p>
      )}
      {summary && <RunHead summary={summary} />}
      {detail && summary && <RunBody run={run} summary={summary} />}
    </section>
  )
}

function RunHead({ summary }: { readonly summary: RunSummary }): ReactNode {
  const words = useWords(runsWords)
  const verdicts = useWords(verdictWords)
  const { language } = usePreferences()
  const { verdict } = summary
  const kind = verdict ? verdicts.kinds[verdict.kind] : ''
  return (
    <div className="room-head">
      <h1>{summary.name}</h1>
      <p className="run-line">
        <span className={`state ${summary.state}`}>{words.states[summary.state]}</span>
        <span>{words.commands[summary.command]}</span>
        <span className="muted">{formatMoment(summary.updatedAt, language)}</span>
        {summary.elapsedMs !== null && (
          <span className="muted">
            {words.elapsed} {formatDuration(summary.elapsedMs)}
          </span>
        )}
      </p>
      {summary.progress && <RunProgress progress={summary.progress} name={summary.name} />}
      {summary.error && (
        <p className="notice" role="alert">
          {summary.error}
        </p>
      )}
      {verdict && (
        <p className="lead">
          {!verdict.summary.startsWith(kind) && <b className={`tone ${verdictTones[verdict.kind]}`}>{kind}. </b>}
          {verdict.summary}
        </p>
      )}
      <RunActions summary={summary} />
    </div>
  )
}

function RunActions({ summary }: { readonly summary: RunSummary }): ReactNode {
  const words = useWords(runsWords)
  const [error, setError] = useState('')
  const act = (work: Promise<unknown>): void => {
    work.then(
      () => setError(''),
      (reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)),
    )
  }
  const { id } = summary
  return (
    <div className="run-actions">
      {summary.stoppable && <Button onPress={() => act(server.stop(id))}>{words.stop}</Button>}
      {summary.state === 'stopping' && <Button onPress={() => act(server.stop(id, 'now'))}>{words.stopNow}</Button>}
      {summary.resumable && (
        <Button kind="strong" onPress={() => act(server.resume(id))}>
          {words.resume}
        </Button>
      )}
      {summary.state === 'finished' && (
        <a className="button" href={writePlace({ room: 'verdict', settings: { point: `run:${id}` } })}>
          {words.toVerdict}
        </a>
      )}
      {summary.hasSurface && (
        <a className="button" href={writePlace({ room: 'landscape', settings: { plane: `run:${id}` } })}>
          {words.toSurface}
        </a>
      )}
      {summary.hasReport && (
        <a className="button" href={`./api/runs/${encodeURIComponent(id)}/report`} target="_blank" rel="noreferrer">
          {words.toReport}
        </a>
      )}
      <span role="status" className="small">
        {error}
      </span>
    </div>
  )
}

function RunBody({ run, summary }: { readonly run: LiveDetail; readonly summary: RunSummary }): ReactNode {
  const words = useWords(runsWords)
  const { detail, curve, log } = run
  const history = detail?.training?.history ?? []
  return (
    <>
      <RunFacts summary={summary} />
      <div className="run-figures">
        {curve.length > 1 && (
          <Figure title={words.curve}>
            <LiveCurve points={curve} label={words.curve} xLabel={words.step} />
          </Figure>
        )}
        {history.length > 1 && (
          <Figure title={words.history}>
            <HistoryPlot runs={[{ name: summary.name, history }]} />
          </Figure>
        )}
      </div>
      {detail && detail.figures.some(({ type }) => type === 'svg') && (
        <section aria-label={words.figures}>
          <h2>{words.figures}</h2>
          <div className="run-pictures">
            {detail.figures
              .filter(({ type }) => type === 'svg')
              .map(({ name, url }) => (
                <a key={name} href={relative(url)} target="_blank" rel="noreferrer">
                  <img src={relative(url)} alt="" loading="lazy" />
                  <span>{name}</span>
                </a>
              ))}
          </div>
        </section>
      )}
      <section aria-label={words.log}>
        <h2>{words.log}</h2>
        {/* it scrolls, so keys must reach it */}
        <pre className="log" tabIndex={0} role="log" aria-label={words.log}>
          {log.length === 0 ? words.logEmpty : log.map((line) => line.text).join('\n')}
        </pre>
      </section>
      {detail?.experiment && (
        <details className="experiment">
          <summary>{words.experiment}</summary>
          <pre>
            <code>{detail.experiment}</code>
          </pre>
        </details>
      )}
    </>
  )
}

function RunFacts({ summary }: { readonly summary: RunSummary }): ReactNode {
  const words = useWords(runsWords)
  const verdicts = useWords(verdictWords)
  const samples = summary.data?.samples
  const facts = [
    [words.loss, formatNumber(summary.loss?.value), summary.loss?.name],
    [words.accuracy, summary.accuracy === null ? undefined : formatPercent(summary.accuracy), undefined],
    [
      words.gradientNorm,
      summary.gradientNorm === null ? undefined : formatNumber(summary.gradientNorm, { digits: 3 }),
      undefined,
    ],
    [
      words.model,
      summary.model?.name,
      summary.model?.parameters
        ? `${formatNumber(summary.model.parameters)} ${words.parameters.toLowerCase()}`
        : undefined,
    ],
    [words.data, summary.data?.name, samples ? verdicts.samples(formatNumber(samples)) : undefined],
  ] as const
  const known = facts.filter(([, value]) => value !== undefined && value !== '–')
  if (known.length === 0) return null
  return (
    <dl className="facts run-facts">
      {known.map(([label, value, note]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <span className={String(value).length > 14 ? 'fact-number long' : 'fact-number'}>{value}</span>
            {note && <span className="fact-note">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  )
}
