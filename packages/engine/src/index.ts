/** Running graphs on ONNX Runtime. The root is host-independent; `/node` and `/web` bring the hosts. */
export type {
  CompileOptions,
  Engine,
  Executable,
  LoopExecutable,
  LoopProgram,
  LoopResult,
  RunOptions,
  Values,
} from './engine.ts'
export { lower } from './lowering/lower.ts'
export { emitGraph, emitLoop } from './emit/emit-graph.ts'
export { prepareGraph } from './prepare.ts'
export { workOf } from './work.ts'
export type { Work } from './work.ts'
export { errorFromWire, errorToWire } from './wire-error.ts'
export type { WireError } from './wire-error.ts'
