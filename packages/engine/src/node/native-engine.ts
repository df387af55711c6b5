import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { Engine } from '../engine.ts'
import { OnnxRuntimeEngine } from '../onnx-runtime-engine.ts'
import { sessionOver, translated } from '../ort-session.ts'
import { inexactOptimizers } from '../runtime.ts'
import type { Runtime } from '../runtime.ts'

export interface NativeEngineOptions {
  /** Threads within one operator; default: the cores of the machine. */
  readonly threads?: number
}

/** ONNX Runtime's native CPU provider. `run` blocks the calling thread: use `childEngine` where anything else must stay
 * responsive, and never a worker thread (ending one during a run aborts the whole process). */
export function nativeEngine(options: NativeEngineOptions = {}): Engine {
  return new OnnxRuntimeEngine(nativeRuntime(options))
}

export function nativeRuntime({ threads = availableParallelism() }: NativeEngineOptions = {}): Runtime {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  return {
    name: 'onnxruntime-node',
    fingerprint: `onnxruntime-node ${version}; ${process.arch} ${processor}; ${threads} threads`,
    threadsAvailable: threads,
    dtypes: ['float64', 'float32', 'int64', 'bool'],
    async createSession(model, plan) {
      const session = await translated('compile', () =>
        InferenceSession.create(model, {
          executionProviders: ['cpu'],
          intraOpNumThreads: plan.threads,
          interOpNumThreads: 1,
          graphOptimizationLevel: 'all',
          extra: { optimization: { disable_specified_optimizers: inexactOptimizers } },
          logSeverityLevel: 4,
        }),
      )
      return sessionOver(session, plan, (value) => new OrtTensor(value.dtype, value.data as never, value.shape))
    },
    dispose: () => Promise.resolve(),
  }
}
