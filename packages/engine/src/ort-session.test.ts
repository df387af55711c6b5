import { DomainError, InvariantError, TaskError, UnsupportedError, tensorOf } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { sessionOver, translated } from './ort-session.ts'
import type { OrtSession, OrtTensor, WrapTensor } from './ort-session.ts'

const failing = (message: string) => (): Promise<never> => Promise.reject(new Error(message))

describe('translated', () => {
  it('says what kind of failure it was', async () => {
    const missing = failing('Could not find an implementation for Foo(7) node')
    await expect(translated('compile', missing)).rejects.toThrow(UnsupportedError)
    const outside = failing('indices element out of data bounds, idx=4 must be within the inclusive range [-4,3]')
    await expect(translated('run', outside)).rejects.toThrow(DomainError)
    await expect(translated('run', failing('bad allocation'))).rejects.toThrow(TaskError)
  })
})

describe('sessionOver', () => {
  const plan = { inputs: ['a', 'b'], outputs: ['y'], threads: 1 }
  const wrap: WrapTensor = ({ dtype, shape, data }) => ({ type: dtype, dims: shape, data })
  const sessionGiving = (y: OrtTensor, seen: Record<string, OrtTensor>[] = []): OrtSession => ({
    run: (feeds) => {
      seen.push({ ...feeds })
      return Promise.resolve({ y })
    },
    release: () => Promise.resolve(),
  })

  it('wraps a value again only when it is another object', async () => {
    const seen: Record<string, OrtTensor>[] = []
    const session = sessionOver(
      sessionGiving({ type: 'float32', dims: [1], data: Float32Array.of(1) }, seen),
      plan,
      wrap,
    )
    const [a, b, c] = [1, 2, 3].map((v) => tensorOf('float32', [1], [v]))
    await session.run([a, b])
    await session.run([a, c])
    expect(seen[1]['a']).toBe(seen[0]['a'])
    expect(seen.map((feeds) => (feeds['b'].data as Float32Array)[0])).toEqual([2, 3])
  })

  it('refuses a result of a type that we do not have', async () => {
    const session = sessionOver(sessionGiving({ type: 'uint8', dims: [1], data: Uint8Array.of(1) }), plan, wrap)
    const value = tensorOf('float32', [1], [1])
    await expect(session.run([value, value])).rejects.toThrow(InvariantError)
  })
})
