import { useEffect, useRef, useState } from 'react'
import type { Computations, InputOf, OutputOf } from '../state/computation.ts'
import { ComputationError } from '../state/computer.ts'
import type { Computer } from '../state/computer.ts'

/** How far a computation is. `value` stays the one before while a new one is computed, so that figures do not blink. */
export interface Computed<T> {
  readonly value: T | undefined
  /** What the worker reported on the way, the newest. */
  readonly partial: unknown
  readonly busy: boolean
  readonly error: string | undefined
  /** 0 … 1 where the computation reports it. */
  readonly progress: number | undefined
}

/** Computes `name` of `input` in the worker whenever the input changes (compared by its JSON; typed arrays by their
 *  elements); a computation that is overtaken is given up. `undefined` computes nothing.
 *
 *      const computer = new Computer<typeof import('./linear.worker.ts').computations>(
 *        () => new Worker(new URL('./linear.worker.ts', import.meta.url), { type: 'module' }))
 *      const { value, busy } = useComputation(computer, 'ladder', { widths, x, y }) */
export function useComputation<C extends Computations, K extends keyof C & string>(
  computer: Computer<C>,
  name: K,
  input: InputOf<C[K]> | undefined,
): Computed<OutputOf<C[K]>> {
  const [state, setState] = useState<Computed<OutputOf<C[K]>>>(idle)
  const key = input === undefined ? undefined : JSON.stringify(input)
  const newest = useRef(input)
  newest.current = input
  useEffect(() => {
    if (newest.current === undefined) return setState((old) => ({ ...old, busy: false, progress: undefined }))
    const controller = new AbortController()
    setState((old) => ({ ...old, busy: true, error: undefined, progress: undefined, partial: undefined }))
    computer
      .compute(name, newest.current, {
        signal: controller.signal,
        onProgress: (done, total) => setState((old) => ({ ...old, progress: done / Math.max(1, total) })),
        onPartial: (partial) => setState((old) => ({ ...old, partial })),
      })
      .then(
        (value) => setState({ ...idle, value }),
        (error: unknown) => {
          if (controller.signal.aborted || (error instanceof ComputationError && error.aborted)) return
          setState((old) => ({ ...old, busy: false, error: error instanceof Error ? error.message : String(error) }))
        },
      )
    return () => controller.abort()
  }, [computer, name, key])
  return state
}

const idle = { value: undefined, partial: undefined, busy: false, error: undefined, progress: undefined }
