import { useCallback, useEffect, useState } from 'react'
import type { CurvePoint, LogLine, RunDetail, RunSummary } from 'thalweg/protocol'
import { grownCurve } from '../scenes/growing-curve.ts'
import { mergedRuns } from '../scenes/run-list.ts'
import { live } from '../state/live.ts'
import { server } from '../state/server.ts'
import { serverHealth } from '../state/server-health.ts'
import type { Health } from 'thalweg/protocol'
import { useGathered } from './use-gathered.ts'

/** Who serves this page: undefined while that is not known, null where nobody answers. */
export function useHealth(): Health | null | undefined {
  const [health, setHealth] = useState<Health | null>()
  useEffect(() => {
    let shown = true
    void serverHealth().then((known) => shown && setHealth(known ?? null))
    return () => {
      shown = false
    }
  }, [])
  return health
}

export interface LiveRuns {
  readonly runs: readonly RunSummary[]
  readonly ready: boolean
  readonly error: string | undefined
}

/** All runs of the server, kept up to date by its events. */
export function useRuns(wanted: boolean): LiveRuns {
  const [state, gathered] = useGathered<LiveRuns>({ runs: [], ready: false, error: undefined })
  const fetchAll = useCallback(() => {
    server.runs({ limit: 1000 }).then(
      ({ runs }) => gathered.add(() => ({ runs, ready: true, error: undefined })),
      (error: unknown) =>
        gathered.add((old) => ({ ...old, ready: true, error: error instanceof Error ? error.message : String(error) })),
    )
  }, [gathered])
  useEffect(() => {
    if (!wanted) return
    fetchAll()
    return live.listen([], (event) => {
      if (event.type === 'hello') fetchAll()
      if (event.type === 'runs')
        gathered.add((old) => ({ ...old, runs: mergedRuns(old.runs, event.changed, event.removed) }))
    })
  }, [wanted, fetchAll, gathered])
  return state
}

export interface LiveDetail {
  readonly detail: RunDetail | undefined
  readonly summary: RunSummary | undefined
  readonly curve: readonly CurvePoint[]
  readonly log: readonly LogLine[]
  readonly error: string | undefined
}

const nothing: LiveDetail = { detail: undefined, summary: undefined, curve: [], log: [], error: undefined }
const logMax = 500

/** One run with its curve and its log as they grow. */
export function useRun(id: string): LiveDetail {
  const [state, gathered] = useGathered(nothing)
  useEffect(() => {
    let shown = true
    const change = (next: (old: LiveDetail) => LiveDetail): void => {
      if (shown) gathered.add(next)
    }
    const fetchDetail = (): void => {
      server.run(id).then(
        (detail) => change((old) => ({ ...old, detail, summary: detail.summary, error: undefined })),
        (error: unknown) =>
          change((old) => ({ ...old, error: error instanceof Error ? error.message : String(error) })),
      )
    }
    gathered.replace(nothing)
    fetchDetail()
    const stop = live.listen([id], (event) => {
      if (event.type === 'snapshot')
        change((old) => ({ ...old, summary: event.summary, curve: event.curve, log: event.log }))
      if (event.type === 'curve') change((old) => ({ ...old, curve: grownCurve(old.curve, event.points) }))
      if (event.type === 'log') change((old) => ({ ...old, log: [...old.log, ...event.lines].slice(-logMax) }))
      if (event.type === 'progress')
        change((old) => (old.summary ? { ...old, summary: { ...old.summary, progress: event.progress } } : old))
      if (event.type === 'run') {
        change((old) => ({ ...old, summary: event.summary }))
        fetchDetail()
      }
    })
    // A page that joins a stream already open gets no snapshot.
    fetch(`./api/runs/${encodeURIComponent(id)}/live`)
      .then((reply) => (reply.ok ? reply.json() : undefined))
      .then((known?: { curve: CurvePoint[]; log: LogLine[] }) => {
        if (known) change((old) => (old.curve.length > 0 ? old : { ...old, curve: known.curve, log: known.log }))
      })
      .catch(() => {})
    return () => {
      shown = false
      gathered.clear()
      stop()
    }
  }, [id, gathered])
  return state
}
