export { adam, adamW } from './adam.ts'
export type { AdamOptions } from './adam.ts'
export { lbfgs } from './lbfgs-stepper.ts'
export type { Lbfgs, LbfgsOptions } from './lbfgs-stepper.ts'
export type { NoiseRule, Optimizer, StateSlot, StepContext } from './optimizer.ts'
export { optimizerFromSpec, optimizerNames } from './optimizer-from-spec.ts'
export type { OptimizerName, OptimizerSpec } from './optimizer-from-spec.ts'
export { perturbedGradientDescent } from './perturbed-gradient-descent.ts'
export type { PerturbedGradientDescentOptions } from './perturbed-gradient-descent.ts'
export { scheduleFactor, scheduleKinds } from './schedule.ts'
export type { Schedule } from './schedule.ts'
export { gradientDescent, sgd } from './sgd.ts'
export type { SgdOptions } from './sgd.ts'
export { train } from './train.ts'
export type {
  Checkpoint,
  HistoryPoint,
  TrainOptions,
  TrainProgress,
  TrainRecord,
  TrainResult,
  TrainStatus,
} from './train.ts'
export { trainMany } from './train-many.ts'
export type { TrainManyOptions, TrainManyResult } from './train-many.ts'
