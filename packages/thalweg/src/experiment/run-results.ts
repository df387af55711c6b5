import type { Diagnosis, LossPlane, Model, TrainResult } from '@thalweg/landscape'
import type { ExperimentData } from './load-experiment.ts'
import type { Experiment } from './schema.ts'

/** What `thalweg run` asks of its worker. */
export interface RunArgument {
  readonly file: string
  /** Where runs go when `out` is not given. */
  readonly runRoot: string
  readonly out?: string
  readonly seed?: number
  readonly threads?: number
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
}
