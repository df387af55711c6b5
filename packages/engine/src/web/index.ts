/** ONNX Runtime in WebAssembly or on WebGPU: in the browser, and in Node for tests. */
export { webEngine, webGpuAvailable } from './web-engine.ts'
export type { WebEngineOptions } from './web-engine.ts'
