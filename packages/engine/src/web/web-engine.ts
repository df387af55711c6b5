import { UnsupportedError } from '@thalweg/graph'
import type { DType } from '@thalweg/graph'
import type { Engine } from '../engine.ts'
import { OnnxRuntimeEngine } from '../onnx-runtime-engine.ts'
import { sessionOver, translated } from '../ort-session.ts'
import type { OrtSession } from '../ort-session.ts'
import { inexactOptimizers } from '../runtime.ts'
import type { Runtime } from '../runtime.ts'
import { Turns } from '../turns.ts'

export interface WebEngineOptions {
  /** `wasm` (default) computes float64 and float32, `webgpu` float32 only and needs an adapter. */
  readonly provider?: 'wasm' | 'webgpu'
  /** Threads of WebAssembly, default 1; more need a cross-origin isolated page. The first engine of a page decides. */
  readonly threads?: number
  /** Folder from which ONNX Runtime's `.wasm` file is loaded; default: beside its script. */
  readonly wasmPaths?: string
}

type OrtModule = typeof import('onnxruntime-web')

/** What we read of WebGPU's `navigator.gpu`. */
interface Gpu {
  requestAdapter(): Promise<{ readonly info?: { readonly vendor: string; readonly architecture: string } } | null>
}

async function gpuAdapter(): Promise<Awaited<ReturnType<Gpu['requestAdapter']>>> {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } }
  return (await navigator?.gpu?.requestAdapter()) ?? null
}

/** Whether this browser gives out a WebGPU adapter. */
export async function webGpuAvailable(): Promise<boolean> {
  return (await gpuAdapter()) !== null
}

/** ONNX Runtime in WebAssembly or on WebGPU. Nothing is fetched but the `.wasm` file that comes with the package.
 * @throws {UnsupportedError} for `webgpu` where there is no adapter. */
export async function webEngine(options: WebEngineOptions = {}): Promise<Engine> {
  return new OnnxRuntimeEngine(options.provider === 'webgpu' ? await gpuRuntime(options) : await wasmRuntime(options))
}

async function wasmRuntime(options: WebEngineOptions): Promise<Runtime> {
  const ort = configured(await import('onnxruntime-web/wasm'), options)
  const threads = ort.env.wasm.numThreads ?? 1
  return runtimeOver(ort, {
    name: 'onnxruntime-web wasm',
    provider: 'wasm',
    where: `wasm simd; ${threads} threads`,
    threads,
    dtypes: ['float64', 'float32', 'int64', 'bool'],
  })
}

async function gpuRuntime(options: WebEngineOptions): Promise<Runtime> {
  const adapter = await gpuAdapter()
  if (!adapter)
    throw new UnsupportedError('webEngine: this host must offer WebGPU, it gives no adapter. Use the provider wasm.')
  const ort = configured(await import('onnxruntime-web/webgpu'), options)
  const where = `webgpu ${adapter.info?.vendor ?? ''} ${adapter.info?.architecture ?? ''}`.trim()
  return runtimeOver(ort, {
    name: 'onnxruntime-web webgpu',
    provider: 'webgpu',
    where,
    threads: 1,
    dtypes: ['float32', 'int64', 'bool'],
  })
}

function configured(ort: OrtModule, { threads = 1, wasmPaths }: WebEngineOptions): OrtModule {
  ort.env.logLevel = 'fatal'
  ort.env.wasm.numThreads ??= threads
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths
  return ort
}

interface Host {
  readonly name: string
  readonly provider: 'wasm' | 'webgpu'
  readonly where: string
  readonly threads: number
  readonly dtypes: readonly DType[]
}

function runtimeOver(ort: OrtModule, host: Host): Runtime {
  // One WebAssembly instance serves all sessions, and on WebGPU two may not run at once.
  const turns = new Turns()
  return {
    name: host.name,
    fingerprint: `onnxruntime-web ${ort.env.versions.web ?? 'unknown'}; ${host.where}`,
    threadsAvailable: host.threads,
    dtypes: host.dtypes,
    async createSession(model, plan) {
      const options = {
        executionProviders: [host.provider],
        graphOptimizationLevel: 'all',
        extra: { optimization: { disable_specified_optimizers: inexactOptimizers } },
        logSeverityLevel: 4,
      } as const
      const create = (): Promise<OrtSession> => ort.InferenceSession.create(model, options)
      const session = sessionOver(
        await turns.take(() => translated('compile', create)),
        plan,
        (value) => new ort.Tensor(value.dtype, value.data as never, value.shape),
      )
      return {
        run: (feeds) => turns.take(() => session.run(feeds)),
        release: () => turns.take(() => session.release()),
      }
    },
    dispose: () => Promise.resolve(),
  }
}
