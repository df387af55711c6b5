/** Stands for ONNX Runtime's WebGPU build in the static pages: theory computes in float64, which WebGPU has not, so its 26 MB
 * are left out. */
throw new TypeError('The static pages compute in WebAssembly only.')
