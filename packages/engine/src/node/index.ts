/** ONNX Runtime inside Node: the native CPU provider, in this process or in a child. */
export { nativeEngine } from './native-engine.ts'
export type { NativeEngineOptions } from './native-engine.ts'
export { childEngine } from './engine-process.ts'
export type { ChildEngineOptions } from './engine-process.ts'
