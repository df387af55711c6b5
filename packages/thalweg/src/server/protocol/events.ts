import type { ProtocolVersion } from './health.ts'
import type { Progress } from './progress.ts'
import type { RunSummary } from './runs.ts'

/** A point of the live curve: loss of the last step's batch. */
export interface CurvePoint {
  readonly step: number
  readonly loss: number | null
}

export interface LogLine {
  readonly at: string
  readonly level: 'info' | 'warning' | 'error'
  readonly text: string
}

/** `event:` is the type and `data:` the whole object as JSON. A comment every 15 s keeps the stream alive. */
export type LabEvent =
  /** First of all, and again after a reconnect: what the list shows without a filter is to be fetched anew. */
  | { readonly type: 'hello'; readonly version: string; readonly protocol: ProtocolVersion }
  /** New, changed and removed runs since the last event; at most four such events a second. */
  | { readonly type: 'runs'; readonly changed: readonly RunSummary[]; readonly removed: readonly string[] }
  /** The lab goes down; reconnecting will fail until it is started again. */
  | { readonly type: 'shutdown' }
  /** Of the runs that `?run=ID` names. */
  | RunEvent

/** A run as it stands: the curve thinned to 2000 points, the last 500 lines. */
export interface LiveRun {
  readonly summary: RunSummary
  readonly curve: readonly CurvePoint[]
  readonly log: readonly LogLine[]
}

/** `run` is the id, so that one stream can carry several runs. */
export type RunEvent =
  /** First of all, and again after a reconnect: everything so far; it replaces what was known. */
  | ({ readonly type: 'snapshot'; readonly run: string } & LiveRun)
  | { readonly type: 'progress'; readonly run: string; readonly progress: Progress }
  /** To be added to the curve. */
  | { readonly type: 'curve'; readonly run: string; readonly points: readonly CurvePoint[] }
  | { readonly type: 'log'; readonly run: string; readonly lines: readonly LogLine[] }
  /** State, files or numbers have changed: fetch the detail anew where it is shown. */
  | { readonly type: 'run'; readonly run: string; readonly summary: RunSummary }
  | { readonly type: 'shutdown' }
