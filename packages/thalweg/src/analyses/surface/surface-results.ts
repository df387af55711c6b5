import type { FloatDType } from '@thalweg/graph'
import type { Axis, CurvatureGrid, EvaluationMethod, GridMinimum, GridState, ProjectedPoint } from '@thalweg/landscape'
import type { QueueAddress } from '../../queue/redis/queue-address.ts'
import type { Language } from '../../report/scene.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'
import type { ChosenDirections, DirectionRequest } from './surface-directions.ts'
import type { Sharpness } from './surface-sharpness.ts'

/** What `thalweg surface` asks of its worker. */
export interface SurfaceArgument {
  readonly subject: SubjectArgument
  readonly request: DirectionRequest
  /** START:END:COUNT or COUNT for each axis; left out where the directions suggest a range. */
  readonly axes: readonly (string | undefined)[]
  readonly count: number
  /** Models to interpolate to. */
  readonly to: readonly string[]
  /** Folders of checkpoints. */
  readonly trajectory: readonly string[]
  readonly heldOut?: readonly string[]
  /** A surface for the samples of each class. */
  readonly perClass: boolean
  readonly sharpness: boolean
  readonly dtype: FloatDType
  readonly evaluation?: EvaluationMethod
  /** Rounds of refinement around the lowest node and along trajectories. */
  readonly refine: number
  /** Nodes per axis of the grid of Hessian eigenvalues; 0 for none. */
  readonly curvature: number
  readonly curvatureSamples?: number
  /** Extreme eigenvalues at every point of the trajectories. */
  readonly trajectoryCurvature: boolean
  readonly scale: 'auto' | 'log' | 'linear' | 'relative'
  readonly out?: string
  /** Of the figures; default English. */
  readonly lang?: Language
  readonly resume: boolean
  readonly png: boolean
  /** Processes that compute; 0: the job's own. */
  readonly workers?: number
  /** Where the tasks go instead: see queue/redis. */
  readonly queue?: QueueAddress
  /** Of each; default all cores without workers, else one. */
  readonly threads?: number
  readonly timeLimitMs?: number
}

/** A trajectory as seen on the surface. */
export interface PlacedPoint extends ProjectedPoint {
  readonly name: string
  readonly step?: number
  /** L at the point itself, and at the place where it is drawn. */
  readonly loss: number
  readonly planeLoss: number
  readonly topEigenvalue?: number
  readonly bottomEigenvalue?: number
}

export interface PlacedTrajectory {
  readonly name: string
  readonly points: readonly PlacedPoint[]
}

/** The samples of one class on their own. */
export interface ClassSurface {
  readonly label: number
  readonly samples: number
  readonly state: GridState
}

/** Everything the figures and files of a surface show. */
export interface SurfaceResults {
  readonly argument: SurfaceArgument
  readonly subject: Subject
  readonly chosen: ChosenDirections
  readonly axes: readonly Axis[]
  readonly nodes: readonly Float64Array[]
  readonly training: GridState
  readonly heldOut: GridState | null
  /** Of the training data; empty where they were not asked for. */
  readonly classes: readonly ClassSurface[]
  readonly minima: readonly GridMinimum[]
  readonly trajectories: readonly PlacedTrajectory[]
  readonly curvature: CurvatureGrid | null
  readonly sharpness: Sharpness | null
  readonly cosines: readonly number[]
}
