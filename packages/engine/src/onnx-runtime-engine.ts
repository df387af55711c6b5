import { DomainError, TaskError, UnsupportedError, tensor } from '@thalweg/graph'
import type { DType, Expr, Graph, InputExpr, Tensor } from '@thalweg/graph'
import { emitGraph, emitLoop, loopResults, stepsInput } from './emit/emit-graph.ts'
import type { CompileOptions, Engine, Executable, LoopExecutable, LoopProgram, RunOptions, Values } from './engine.ts'
import { checkValue, prepareGraph, prepareLoop } from './prepare.ts'
import type { Runtime, Session } from './runtime.ts'
import { Turns } from './turns.ts'
import { threadsFor } from './work.ts'

/** An open session and what holds of its calls: values are checked, runs take turns, none starts after disposal. */
class Guarded {
  readonly #where: string
  readonly #session: Session
  readonly #inputs: readonly InputExpr[]
  readonly #names: readonly string[]
  readonly #turns = new Turns()
  #open = true

  constructor(where: string, session: Session, inputs: readonly InputExpr[]) {
    this.#where = where
    this.#session = session
    this.#inputs = inputs
    this.#names = inputs.map((i) => i.attributes.name)
  }

  /** @param last feeds that follow those of the inputs. */
  async run(values: Values, options: RunOptions | undefined, last: readonly Tensor[] = []): Promise<Tensor[]> {
    this.#requireOpen()
    const names = this.#names
    const feeds: Tensor[] = []
    for (let i = 0; i < names.length; i++)
      feeds.push(checkValue(this.#where, names[i], this.#inputs[i], values[names[i]]))
    feeds.push(...last)
    return this.#turns.take(async () => {
      this.#requireOpen()
      if (options?.signal?.aborted)
        throw new TaskError(`${this.#where}: cancelled before it started.`, { cancelled: true })
      return this.#session.run(feeds, options?.signal)
    })
  }

  /** Waits for the run in progress. */
  async dispose(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#turns.take(() => this.#session.release())
  }

  #requireOpen(): void {
    if (!this.#open) throw new DomainError(`${this.#where}: the executable has been disposed. Compile the graph again.`)
  }
}

function named(names: readonly string[], results: readonly Tensor[], from = 0): Record<string, Tensor> {
  const out: Record<string, Tensor> = {}
  for (let i = 0; i < names.length; i++) out[names[i]] = results[from + i]
  return out
}

/** An engine over one build of ONNX Runtime, wherever that runs. */
export class OnnxRuntimeEngine implements Engine {
  readonly name: string
  readonly fingerprint: string
  readonly #runtime: Runtime
  readonly #live = new Set<Guarded>()
  #open = true

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.name = runtime.name
    this.fingerprint = runtime.fingerprint
  }

  supports(dtype: DType): boolean {
    return this.#runtime.dtypes.includes(dtype)
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    const prepared = prepareGraph(graph, options.constants)
    const { inputs } = prepared
    const outputs = Object.keys(prepared.outputs)
    this.#requireDTypes([...inputs, ...Object.values(prepared.outputs)])
    const threads = this.#threads(prepared.outputs, options)
    const names = inputs.map((i) => i.attributes.name)
    const session = await this.#openSession('run', emitGraph(prepared), { inputs: names, outputs, threads }, inputs)
    return {
      graph: prepared,
      run: async (values, runOptions) => named(outputs, await session.run(values, runOptions)),
      dispose: () => this.#close(session),
    }
  }

  async compileLoop(program: LoopProgram, options: CompileOptions = {}): Promise<LoopExecutable> {
    const prepared = prepareLoop(program, options.constants)
    const inputs = [...prepared.inputs, ...prepared.carried]
    const roots = [...prepared.next, ...Object.values(prepared.records)]
    this.#requireDTypes([...inputs, ...roots])
    const threads = this.#threads(Object.fromEntries(roots.map((e, i) => [i, e])), options)
    const names = [...inputs.map((i) => i.attributes.name), stepsInput]
    const plan = { inputs: names, outputs: loopResults(prepared), threads }
    const session = await this.#openSession('runLoop', emitLoop(prepared), plan, inputs)
    const carried = prepared.carried.map((c) => c.attributes.name)
    const records = Object.keys(prepared.records)
    return {
      program: prepared,
      run: async (values, steps, runOptions) => {
        if (!Number.isSafeInteger(steps) || steps < 0)
          throw new DomainError(`runLoop: steps must be a non-negative integer, got ${steps}.`)
        const count = tensor('int64', [], BigInt64Array.of(BigInt(steps)))
        const results = await session.run(values, runOptions, [count])
        return { carried: named(carried, results), records: named(records, results, carried.length) }
      },
      dispose: () => this.#close(session),
    }
  }

  async dispose(): Promise<void> {
    this.#open = false
    await Promise.all([...this.#live].map((session) => this.#close(session)))
    await this.#runtime.dispose()
  }

  #threads(outputs: Readonly<Record<string, Expr>>, options: CompileOptions): number {
    return options.threads || threadsFor({ outputs }, this.#runtime.threadsAvailable)
  }

  #requireDTypes(types: readonly { readonly dtype: DType }[]): void {
    const missing = types.find(({ dtype }) => !this.supports(dtype))
    if (!missing) return
    const known = this.#runtime.dtypes.join(', ')
    throw new UnsupportedError(
      `compile: ${this.name} computes ${known}, got ${missing.dtype}. Cast, or use another engine.`,
    )
  }

  async #openSession(
    where: string,
    model: Uint8Array,
    plan: Parameters<Runtime['createSession']>[1],
    inputs: readonly InputExpr[],
  ): Promise<Guarded> {
    if (!this.#open) throw new DomainError('compile: the engine has been disposed. Open another.')
    const session = new Guarded(where, await this.#runtime.createSession(model, plan), inputs)
    this.#live.add(session)
    return session
  }

  async #close(session: Guarded): Promise<void> {
    this.#live.delete(session)
    await session.dispose()
  }
}
