import type { Engine, Executable, LoopExecutable } from '@thalweg/engine'

/** Milliseconds of computing between two looks at the worker's messages. */
const breath = 30

/** An engine that lets the worker read its messages now and then and ends work that nobody waits for: engines in a worker
 * compute within one turn of the event loop, so without this an abort would arrive after the result. */
export function politeEngine(engine: Engine, signal: AbortSignal): Engine {
  let last = performance.now()
  const pause = async (): Promise<void> => {
    if (performance.now() - last > breath) {
      await new Promise((resolve) => setTimeout(resolve))
      last = performance.now()
    }
    signal.throwIfAborted()
  }
  return {
    name: engine.name,
    fingerprint: engine.fingerprint,
    supports: (dtype) => engine.supports(dtype),
    compile: async (graph, options) => {
      await pause()
      return politeExecutable(await engine.compile(graph, options), pause)
    },
    compileLoop: async (program, options) => {
      await pause()
      return politeLoop(await engine.compileLoop(program, options), pause)
    },
    dispose: () => engine.dispose(),
  }
}

function politeExecutable(executable: Executable, pause: () => Promise<void>): Executable {
  return {
    graph: executable.graph,
    run: async (values, options) => {
      await pause()
      return executable.run(values, options)
    },
    dispose: () => executable.dispose(),
  }
}

function politeLoop(loop: LoopExecutable, pause: () => Promise<void>): LoopExecutable {
  return {
    program: loop.program,
    run: async (values, steps, options) => {
      await pause()
      return loop.run(values, steps, options)
    },
    dispose: () => loop.dispose(),
  }
}
