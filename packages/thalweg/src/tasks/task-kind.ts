import type { Engine } from '@thalweg/engine'
import type { z } from 'zod'

/** What a task may use of the process around it. */
export interface TaskContext {
  readonly engine: Engine
  /** The bytes of a blob that the task names; they are what their digest says. */
  readonly blob: (name: string) => Promise<Uint8Array>
  /** Of all blobs that the task names: part of what a kept value depends on. */
  readonly blobs: Readonly<Record<string, string>>
  /** What a process keeps from task to task, such as a loss whose sessions are built: made when first asked for, dropped when
   * something else needs the room. The key must name all that the value depends on. */
  readonly kept: <T>(key: string, make: () => Promise<T>) => Promise<T>
}

/** A kind of task: the only code that a worker runs. `run` reads no file, clock or randomness of its own. */
export interface TaskKind<Inputs = unknown> {
  /** See `Task.version`. */
  readonly version: number
  /** Inputs from elsewhere are checked by it before anything runs. */
  readonly inputs: z.ZodType<Inputs>
  /** Names of the blobs that a task of this kind must bring: exactly these. */
  readonly blobs: readonly string[]
  /** The result as bytes: NPZ, or JSON.
   * @throws what makes the task fail for good: being pure it would fail again. */
  run(inputs: Inputs, context: TaskContext): Promise<Uint8Array>
}

/** Kinds by name, each loaded when it is first asked for. */
export type TaskKinds = Readonly<Record<string, () => Promise<TaskKind>>>
