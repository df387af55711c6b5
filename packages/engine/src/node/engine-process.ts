import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { TaskError } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import type { Engine } from '../engine.ts'
import { OnnxRuntimeEngine } from '../onnx-runtime-engine.ts'
import type { Runtime, Session, SessionPlan } from '../runtime.ts'
import { errorFromWire } from '../wire-error.ts'
import type { ChildCall, ChildIdentity, ChildReply, ChildResult } from './child-messages.ts'

export interface ChildEngineOptions {
  /** Threads within one operator; default: the cores of the machine. */
  readonly threads?: number
}

/** The native CPU provider in a child process, so that this one stays responsive: graphs travel as `.onnx` bytes,
 * tensors as their bytes, and a tensor passed again is not sent again.
 *
 * An abort signal ends a run at once by killing the child; other runs that were under way there are repeated. A child
 * that dies otherwise rejects its calls with a TaskError. Either way the next call starts a new child, in which
 * executables are opened again when they are used. `dispose` ends the child. */
export async function childEngine(options: ChildEngineOptions = {}): Promise<Engine> {
  const processes = new EngineProcess(options.threads)
  return new OnnxRuntimeEngine(childRuntime(processes, await processes.identity()))
}

function childRuntime(host: EngineProcess, identity: ChildIdentity): Runtime {
  let sessions = 0
  return {
    ...identity,
    name: `${identity.name} in a child process`,
    async createSession(model, plan) {
      const session = new ChildSession(host, sessions++, model, plan)
      await session.open()
      return session
    },
    dispose: () => host.end(),
  }
}

/** What calls to a child that ended are rejected with. */
function childEnded(how: string, byCancelling: boolean): TaskError {
  const message = `engine process: it must stay alive during a call, it ended with ${how}. Run again.`
  return new TaskError(message, { ended: how, byCancelling })
}

function isLost(error: unknown): error is TaskError {
  return error instanceof TaskError && 'ended' in error.details
}

interface Waiting {
  readonly resolve: (result: ChildResult) => void
  readonly reject: (reason: unknown) => void
}

/** One child at a time; a new one is started when there is none. It keeps this process alive only while it works. */
class EngineProcess {
  readonly #threads: number | undefined
  readonly #waiting = new Map<number, Waiting>()
  #child: ChildProcess | undefined
  #cancelled = false
  #calls = 0
  /** Counts children that ended, so that sessions know whether they are open in the present one. */
  generation = 0

  constructor(threads: number | undefined) {
    this.#threads = threads
  }

  identity(): Promise<ChildIdentity> {
    return this.call({ call: 'start', threads: this.#threads }) as Promise<ChildIdentity>
  }

  /** Starts a child if there is none. */
  ensure(): void {
    if (!this.#child) void this.identity().catch(() => undefined)
  }

  call(body: ChildCall): Promise<ChildResult> {
    const child = (this.#child ??= this.#start())
    const id = this.#calls++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#holdAlive(child)
      // A child that is gone is reported by its exit.
      child.send({ id, body }, () => undefined)
    })
  }

  /** Kills the child because a run was cancelled. */
  cancel(): void {
    if (!this.#child) return
    this.#cancelled = true
    this.#child.kill('SIGKILL')
  }

  async end(): Promise<void> {
    const child = this.#child
    if (!child) return
    const exit = new Promise((resolve) => child.once('exit', resolve))
    child.ref()
    child.kill('SIGKILL')
    await exit
  }

  #start(): ChildProcess {
    const file = import.meta.url.endsWith('.ts') ? './engine-child.ts' : './engine-child.js'
    const child = fork(new URL(file, import.meta.url), [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child.on('message', (message) => this.#settle(message as ChildReply))
    child.once('error', (error) => this.#ended(child, error.message))
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `status ${code}`))
    return child
  }

  #settle(reply: ChildReply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (this.#child) this.#holdAlive(this.#child)
    if ('error' in reply) waiting?.reject(errorFromWire(reply.error))
    else waiting?.resolve(reply.result)
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    const reason = childEnded(how, this.#cancelled)
    const waiting = [...this.#waiting.values()]
    this.#child = undefined
    this.#cancelled = false
    this.generation++
    this.#waiting.clear()
    for (const { reject } of waiting) reject(reason)
  }

  #holdAlive(child: ChildProcess): void {
    const hold = this.#waiting.size > 0 ? 'ref' : 'unref'
    child[hold]()
    child.channel?.[hold]()
  }
}

/** A session whose model can be opened again when its child is lost. */
class ChildSession implements Session {
  readonly #host: EngineProcess
  readonly #id: number
  readonly #model: Uint8Array
  readonly #plan: SessionPlan
  #openIn: number | undefined
  #last: readonly Tensor[] = []

  constructor(host: EngineProcess, id: number, model: Uint8Array, plan: SessionPlan) {
    this.#host = host
    this.#id = id
    this.#model = model
    this.#plan = plan
  }

  async open(): Promise<void> {
    await this.#attempt(undefined, () => this.#openNow())
  }

  async run(feeds: readonly Tensor[], signal?: AbortSignal): Promise<Tensor[]> {
    const abort = (): void => this.#host.cancel()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await this.#attempt(signal, () => this.#runNow(feeds))
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  async release(): Promise<void> {
    if (this.#openIn !== this.#host.generation) return
    this.#openIn = undefined
    await this.#host.call({ call: 'release', session: this.#id }).catch((error: unknown) => {
      if (!isLost(error)) throw error
    })
  }

  async #openNow(): Promise<void> {
    this.#host.ensure()
    const { generation } = this.#host
    if (this.#openIn === generation) return
    this.#last = []
    await this.#host.call({ call: 'open', session: this.#id, model: this.#model, plan: this.#plan })
    this.#openIn = generation
  }

  async #runNow(feeds: readonly Tensor[]): Promise<Tensor[]> {
    await this.#openNow()
    const changed = feeds.map((feed, i) => (feed === this.#last[i] ? null : feed))
    this.#last = feeds
    return (await this.#host.call({ call: 'run', session: this.#id, feeds: changed })) as Tensor[]
  }

  /** Repeats a step that was lost only because another run was cancelled. */
  async #attempt<T>(signal: AbortSignal | undefined, step: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await step()
      } catch (error) {
        if (!isLost(error)) throw error
        if (signal?.aborted)
          throw new TaskError('run: cancelled; the engine process was ended.', { cancelled: true }, error)
        if (!error.details['byCancelling']) throw error
      }
    }
  }
}
