import type { Engine } from '@thalweg/engine'
import type { Computation, Computations, FromWorker, ToWorker } from './computation.ts'

/** What is used of a worker's global scope. */
interface WorkerScope {
  postMessage(message: FromWorker): void
  addEventListener(type: 'message', listener: (event: { data: ToWorker }) => void): void
}

let engine: Promise<Engine> | undefined

/** One engine a worker: its WebAssembly is fetched when the first computation needs it. */
function sharedEngine(): Promise<Engine> {
  engine ??= import('@thalweg/engine/web').then(({ webEngine }) => webEngine())
  return engine
}

/** Offers computations to the page that started this worker. Call it once, at the end of a worker's file:
 *
 *      export const computations = { ladder: async (input: LadderInput, context: ComputationContext) => … }
 *      serveComputations(computations)
 *
 *  Several may run at once as far as they await something. */
export function serveComputations(computations: Computations): void {
  const scope = globalThis as unknown as WorkerScope
  const running = new Map<number, AbortController>()
  scope.addEventListener('message', ({ data }) => {
    if (data.kind === 'abort') running.get(data.id)?.abort()
    else void run(scope, running, data.id, computations[data.name] as Computation<unknown> | undefined, data)
  })
}

async function run(
  scope: WorkerScope,
  running: Map<number, AbortController>,
  id: number,
  computation: Computation<unknown> | undefined,
  { name, input }: { readonly name: string; readonly input: unknown },
): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  // What was asked for and given up at once (a slider on its way) is not begun.
  await new Promise((resolve) => setTimeout(resolve))
  try {
    if (computation === undefined) throw new TypeError(`no computation ${name}`)
    controller.signal.throwIfAborted()
    const value = await computation(input, {
      engine: sharedEngine,
      onProgress: (done, total) => scope.postMessage({ kind: 'progress', id, done, total }),
      onPartial: (partial) => scope.postMessage({ kind: 'partial', id, value: partial }),
      signal: controller.signal,
    })
    scope.postMessage({ kind: 'result', id, value })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    scope.postMessage({ kind: 'error', id, message, aborted: controller.signal.aborted })
  } finally {
    running.delete(id)
  }
}
