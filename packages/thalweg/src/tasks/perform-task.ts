import type { Engine } from '@thalweg/engine'
import { DomainError, FormatError } from '@thalweg/graph'
import { z } from 'zod'
import type { TaskContext, TaskKind, TaskKinds } from './task-kind.ts'
import { taskKey } from './task.ts'
import type { Task } from './task.ts'

/** Of a task from elsewhere. */
const taskBodyBytesMax = 2 ** 20

const taskSchema = z.strictObject({
  kind: z.string().max(100),
  version: z.int().positive(),
  inputs: z.json(),
  blobs: z.record(z.string().max(100), z.string().regex(/^[0-9a-f]{64}$/)),
  fingerprint: z.string().max(1000),
})

/** What a process needs to do tasks. */
export interface Performer {
  readonly kinds: TaskKinds
  readonly engine: Engine
  readonly blob: (digest: string) => Promise<Uint8Array>
}

/** Checks a task that came as text and does it. It names a registered kind and blobs by digest, never code or a path; its text
 * must be what its key says.
 * @throws {FormatError} if it is no task of this worker; {DomainError} if another engine must do it; what the kind throws. */
export class TaskPerformer {
  readonly #performer: Performer
  readonly #kept = new Map<string, unknown>()

  constructor(performer: Performer) {
    this.#performer = performer
  }

  async perform(key: string, body: string): Promise<Uint8Array> {
    const task = parseTask(key, body)
    const { kinds, engine, blob } = this.#performer
    const kind = await kindOf(kinds, task)
    if (task.fingerprint !== engine.fingerprint)
      throw new DomainError(
        `task ${task.kind}: must be done by '${task.fingerprint}', this is '${engine.fingerprint}'. Start a worker that fits.`,
      )
    const inputs = kind.inputs.safeParse(task.inputs)
    if (!inputs.success) throw new FormatError(`task ${task.kind}: ${z.prettifyError(inputs.error)}`)
    const context: TaskContext = {
      engine,
      blobs: task.blobs,
      blob: async (name) => blob(task.blobs[name]),
      kept: async (name, make) => this.#keep(name, make),
    }
    return kind.run(inputs.data, context)
  }

  /** One value is kept at a time: tasks that share it come one after the other, and two might not fit the memory. */
  async #keep<T>(key: string, make: () => Promise<T>): Promise<T> {
    if (!this.#kept.has(key)) {
      this.#kept.clear()
      this.#kept.set(key, await make())
    }
    return this.#kept.get(key) as T
  }
}

/** @throws {FormatError} */
export function parseTask(key: string, body: string): Task {
  if (body.length > taskBodyBytesMax)
    throw new FormatError(`task ${key}: at most ${taskBodyBytesMax} characters, got ${body.length}.`)
  const parsed = taskSchema.safeParse(jsonOf(body))
  if (!parsed.success) throw new FormatError(`task ${key}: ${z.prettifyError(parsed.error)}`)
  const task = parsed.data as Task
  if (taskKey(task) !== key) throw new FormatError(`task ${key}: its key is not that of its content.`)
  return task
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

async function kindOf(kinds: TaskKinds, { kind: name, version, blobs }: Task): Promise<TaskKind> {
  if (!Object.hasOwn(kinds, name))
    throw new FormatError(`task: a worker does ${Object.keys(kinds).join(', ')}, got ${JSON.stringify(name)}.`)
  const kind = await kinds[name]()
  if (kind.version !== version)
    throw new FormatError(`task ${name}: this worker does version ${kind.version}, got ${version}. Use one release.`)
  const [given, wanted] = [Object.keys(blobs).sort(), [...kind.blobs].sort()]
  if (given.join() !== wanted.join())
    throw new FormatError(`task ${name}: must name the blobs ${wanted.join(', ')}, got ${given.join(', ')}.`)
  return kind
}
