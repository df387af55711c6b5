import type { TrainingState } from './training-state.ts'

export interface Advance {
  readonly state: TrainingState
  /** Loss before each step taken, [steps] or [steps × B]; it is as long as steps were taken. */
  readonly losses: Float64Array
  /** Set when the method ended by itself. */
  readonly stopped?: string
}

/** Takes training steps. The same state and the same steps give the same bits, however they are cut into calls. */
export interface Stepper {
  /** Takes between 1 and `most` steps. */
  advance(state: TrainingState, most: number): Promise<Advance>
  /** Arithmetic of one step. */
  readonly flopsPerStep: number
  dispose(): Promise<void>
}
