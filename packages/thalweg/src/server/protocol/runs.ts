import type {
  ConnectDocument,
  CriticalDocument,
  DiagnosisDocument,
  EndPoint,
  HistoryPoint,
  SpectrumDocument,
  TrainingRecord,
  VerdictKind,
} from './documents.ts'
import type { Progress } from './progress.ts'
import type { WorkRequest } from './work.ts'

/** `interrupted`: it says that it is running and nobody runs it (killed, or the machine stopped). */
export type RunState = 'queued' | 'running' | 'stopping' | 'finished' | 'stopped' | 'failed' | 'interrupted'

export type Command =
  | 'run'
  | 'diagnose'
  | 'spectrum'
  | 'surface'
  | 'critical'
  | 'connect'
  | 'line'
  | 'plane-graph'
  /** A folder of results that none of these wrote. */
  | 'other'

export interface RunSummary {
  readonly id: string
  /** For people; may hold any character. */
  readonly name: string
  readonly command: Command
  readonly state: RunState
  readonly createdAt: string
  /** When it ended, or when anything in it last changed. */
  readonly updatedAt: string
  readonly elapsedMs: number | null
  readonly model: { readonly name: string; readonly parameters: number | null } | null
  readonly data: { readonly name: string; readonly samples: number | null } | null
  readonly loss: { readonly name: string; readonly value: number | null } | null
  readonly accuracy: number | null
  readonly gradientNorm: number | null
  readonly seed: number | null
  readonly verdict: { readonly kind: VerdictKind; readonly summary: string } | null
  readonly figures: readonly FigureReference[]
  readonly hasReport: boolean
  readonly hasSurface: boolean
  /** While it is queued or running under this lab, else null. */
  readonly progress: Progress | null
  /** `stop` will do something. */
  readonly stoppable: boolean
  /** `resume` will go on where it stopped. */
  readonly resumable: boolean
  /** The run whose point an analysis looks at. */
  readonly parent: string | null
  /** Why it failed, in one sentence that says how to mend it. */
  readonly error: string | null
}

/** Query of `GET /api/runs`. Filters may be repeated (`state=running&state=queued`): any of them. */
export interface RunQuery {
  /** Words that name, model, data, command, verdict or summary contain; all of them, any case. */
  readonly search?: string
  readonly state?: readonly RunState[]
  readonly command?: readonly Command[]
  readonly verdict?: readonly VerdictKind[]
  /** Default `updated`, newest first; a leading `-` turns an order round. */
  readonly sort?: RunOrder | `-${RunOrder}`
  readonly offset?: number
  /** Default 100, at most 1000. */
  readonly limit?: number
}

export type RunOrder = 'updated' | 'created' | 'name' | 'loss' | 'gradient-norm' | 'parameters'

export interface RunList {
  readonly runs: readonly RunSummary[]
  /** How many match, of `all` that there are. */
  readonly total: number
  readonly all: number
  readonly offset: number
  /** The root holds more folders than the lab looks at. */
  readonly truncated: boolean
}

export interface FigureReference {
  /** File name without its ending: `loss`, `surface`, `eigenvalues`. */
  readonly name: string
  readonly type: 'svg' | 'png'
  readonly url: string
}

export interface ResultReference {
  /** `results/NAME.json` */
  readonly name: string
  readonly bytes: number
  readonly url: string
}

export interface CheckpointReference {
  /** `step-0000120`, `final` */
  readonly name: string
  readonly step: number | null
  readonly bytes: number
  readonly url: string
}

/** One array of an NPZ file. The body at `url` is its values as float64, little endian, row-major (the last axis runs
 * fastest), whatever dtype the file holds; the header `Thalweg-Shape` repeats the shape (`51,51`). NaN and infinities
 * are what they are. */
export interface ArrayReference {
  /** `results/FILE.npz` */
  readonly file: string
  readonly array: string
  readonly shape: readonly number[]
  readonly url: string
}

export interface RunDetail {
  readonly summary: RunSummary
  /** manifest.json; null where there is none. */
  readonly manifest: Readonly<Record<string, unknown>> | null
  /** The experiment as YAML, where the run came from one. */
  readonly experiment: string | null
  /** The request that the lab started it with. */
  readonly request: WorkRequest | null
  readonly results: readonly ResultReference[]
  readonly arrays: readonly ArrayReference[]
  readonly figures: readonly FigureReference[]
  readonly checkpoints: readonly CheckpointReference[]
  readonly reportUrl: string | null
  readonly training: TrainingRecord | null
  readonly end: EndPoint | null
  readonly diagnosis: DiagnosisDocument | null
  readonly spectrum: SpectrumDocument | null
  readonly critical: CriticalDocument | null
  readonly connect: ConnectDocument | null
  readonly warnings: readonly string[]
}

/** Several runs beside each other. */
export interface Comparison {
  readonly runs: readonly RunSummary[]
  /** In the order of `runs`; empty where a run was not trained. */
  readonly histories: readonly (readonly HistoryPoint[])[]
  /** Eigenvalues of the diagnosis in descending order, in the order of `runs`. */
  readonly eigenvalues: readonly (readonly number[])[]
  /** Every setting, dotted (`training.learningRate`); `differs` where not all runs agree. */
  readonly settings: readonly {
    readonly key: string
    readonly values: readonly (string | number | boolean | null)[]
    readonly differs: boolean
  }[]
}
