import type { Diagnosis, LossPlane, Model, TrainResult } from '@thalweg/landscape'
import type { AnalysisResults } from './analysis-results.ts'
import type { ExperimentData } from './load-experiment.ts'
import type { QueueAddress } from '../queue/redis/queue-address.ts'
import type { Experiment } from './schema.ts'

/** What `thalweg run` asks of its worker. */
export interface RunArgument {
  readonly file: string
  /** Where runs go when `out` is not given. */
  readonly runRoot: string
  readonly out?: string
  readonly seed?: number
  /** Go on with a run that was stopped: `out`, or the last one of that name. */
  readonly resume?: boolean
  /** Processes for the stages that are split into tasks; 0: the job's own. */
  readonly workers?: number
  /** Of each; default all cores, for workers one. */
  readonly threads?: number
  /** Where the tasks go instead: see queue/redis. */
  readonly queue?: QueueAddress
  readonly timeLimitMs?: number
  readonly lang: 'en' | 'zh'
  /** Figures as PNG too. */
  readonly png?: boolean
}

/** What was measured at the end of training, in float64 on the full training data. */
export interface EndPoint {
  readonly loss: number
  readonly gradientNorm: number
  readonly accuracy: number
  readonly testLoss?: number
  readonly testAccuracy?: number
}

/** Everything a report shows. */
export interface RunResults {
  readonly experiment: Experiment
  readonly model: Model
  readonly data: ExperimentData
  readonly training: TrainResult | null
  readonly end: EndPoint
  readonly diagnosis: Diagnosis | null
  readonly plane: LossPlane | null
  readonly analyses: AnalysisResults
  readonly elapsedMs: number
}

/** What the worker tells `thalweg run` at the end. */
export interface RunOutcome {
  readonly directory: string
  readonly report: string
  readonly verdict: string
  readonly summary: string
  readonly status: string
  readonly loss: number
  readonly gradientNorm: number
  readonly elapsedMs: number
  /** Analyses that could not be made. */
  readonly warnings: readonly string[]
}
