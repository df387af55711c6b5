import { DomainError, InvariantError, TaskError, UnsupportedError, tensor } from '@thalweg/graph'
import type { DataOf, DType, Tensor } from '@thalweg/graph'
import type { Session, SessionPlan } from './runtime.ts'

/** What onnxruntime-node and onnxruntime-web have in common and we use. */
export interface OrtTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: unknown
}

export interface OrtSession {
  run(feeds: Record<string, OrtTensor>, options: { readonly logSeverityLevel: 4 }): Promise<Record<string, OrtTensor>>
  release(): Promise<void>
}

/** Makes a tensor of ONNX Runtime over ours; the data is not copied. */
export type WrapTensor = (value: Tensor) => OrtTensor

/** Calls a step of ONNX Runtime and translates what it throws.
 * @throws {UnsupportedError} if a model cannot be loaded; {DomainError} if a value is outside what an operator takes;
 *         {TaskError} if a run fails in any other way. */
export async function translated<T>(where: 'compile' | 'run', step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (where === 'compile') throw new UnsupportedError(`compile: ONNX Runtime refuses the graph: ${reason}`, {}, error)
    if (/out of data bounds|out of bounds|out of range|invalid ind/i.test(reason))
      throw new DomainError(`run: an index must lie inside its axis: ${reason}`, {}, error)
    throw new TaskError(`run: ONNX Runtime failed: ${reason}`, {}, error)
  }
}

const dtypeOf = new Map<string, DType>([
  ['float64', 'float64'],
  ['float32', 'float32'],
  ['int64', 'int64'],
  ['bool', 'bool'],
])

function unwrapped(value: OrtTensor): Tensor {
  const dtype = dtypeOf.get(value.type)
  if (dtype === undefined)
    throw new InvariantError(`run: results must be float64, float32, int64 or bool, got ${value.type}.`)
  return tensor(dtype, value.dims, value.data as DataOf[DType])
}

// Errors come back as exceptions; nothing is printed.
const quiet = { logSeverityLevel: 4 } as const

/** Our session over one of ONNX Runtime. Wrappers of values that stay the same from run to run are kept. */
export function sessionOver(session: OrtSession, plan: SessionPlan, wrap: WrapTensor): Session {
  const feeds: Record<string, OrtTensor> = {}
  const last: (Tensor | undefined)[] = plan.inputs.map(() => undefined)
  return {
    async run(values) {
      for (let i = 0; i < last.length; i++) {
        if (values[i] === last[i]) continue
        last[i] = values[i]
        feeds[plan.inputs[i]] = wrap(values[i])
      }
      const results = await translated('run', () => session.run(feeds, quiet))
      return plan.outputs.map((name) => unwrapped(results[name]))
    },
    release: () => session.release(),
  }
}
