import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { errorFromWire } from '@thalweg/engine'
import { TaskError } from '@thalweg/graph'
import { programBeside } from '../files/program-beside.ts'
import type { FromTaskWorker, ToTaskWorker } from './task-messages.ts'

/** The process died, or was ended because of its time: a pure task may succeed when it is tried again. */
export class TaskProcessDeath extends TaskError {}

export interface TaskProcessOptions {
  readonly blobs: string
  readonly threads: number
  readonly timeLimitMs?: number
  readonly entry?: string
}

interface Waiting {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: Error) => void
}

/** A child process that does one task at a time; it is started with the first one and again after it died. */
export class TaskProcess {
  readonly #options: TaskProcessOptions
  #child: ChildProcess | undefined
  #waiting: Waiting | undefined
  #ready: Promise<string> | undefined
  #ended = false

  constructor(options: TaskProcessOptions) {
    this.#options = options
  }

  /** The fingerprint of its engine.
   * @throws {TaskProcessDeath} if it cannot start. */
  async fingerprint(): Promise<string> {
    this.#ready ??= this.#start()
    return this.#ready
  }

  /** @throws {TaskProcessDeath} if the process died or ran out of time; what the task threw, as its class. */
  async perform(key: string, body: string): Promise<Uint8Array> {
    await this.fingerprint()
    const { timeLimitMs } = this.#options
    const child = this.#child
    if (!child) throw new TaskProcessDeath('task: its process ended before it began.')
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        this.#waiting = { resolve, reject }
        this.#send(child, { kind: 'task', key, body })
        if (timeLimitMs === undefined) return
        timer = setTimeout(() => {
          reject(new TaskProcessDeath(`task: took longer than its time limit of ${timeLimitMs / 1000} s.`))
          this.kill()
        }, timeLimitMs)
      })
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
    }
  }

  /** Ends the process now; a task that it was doing is rejected. */
  kill(): void {
    const child = this.#child
    this.#forget()
    child?.kill('SIGKILL')
    this.#waiting?.reject(new TaskProcessDeath('task: its process was ended.'))
  }

  /** Ends it for good. */
  end(): void {
    this.#ended = true
    this.kill()
  }

  #forget(): void {
    this.#child = undefined
    this.#ready = undefined
  }

  #send(child: ChildProcess, message: ToTaskWorker): void {
    if (child.connected) child.send(message, () => undefined)
  }

  async #start(): Promise<string> {
    if (this.#ended) throw new TaskProcessDeath('task: the work was stopped.')
    const { blobs, threads, entry = programBeside(import.meta.url, 'task-worker') } = this.#options
    const child = fork(entry, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child = child
    return new Promise<string>((resolve, reject) => {
      const died = (how: string): void => {
        const error = new TaskProcessDeath(`task: its process ended early (${how}), perhaps out of memory.`)
        reject(error)
        if (this.#child !== child) return
        this.#forget()
        this.#waiting?.reject(error)
      }
      child.on('message', (message: FromTaskWorker) => {
        if (message.kind === 'ready') resolve(message.fingerprint)
        else if (this.#child !== child) return
        else if (message.kind === 'result') this.#waiting?.resolve(message.bytes)
        else this.#waiting?.reject(errorFromWire(message.error))
      })
      child.once('error', (error) => died(error.message))
      child.once('exit', (code, signal) => died(signal ? `signal ${signal}` : `status ${code}`))
      this.#send(child, { kind: 'open', blobs, threads })
    })
  }
}
