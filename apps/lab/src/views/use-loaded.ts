import { useEffect, useState } from 'react'

export interface Loaded<T> {
  readonly value: T | undefined
  readonly error: string | undefined
  readonly busy: boolean
}

/** What a promise gives, for the key it was asked with; what came before stays in `value` until then. `undefined` as a key
 *  loads nothing and forgets what was there. Raise `revision` to load the same again. */
export function useLoaded<T>(
  key: string | undefined,
  load: (key: string) => Promise<T>,
  revision: number = 0,
): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ value: undefined, error: undefined, busy: key !== undefined })
  useEffect(() => {
    if (key === undefined) return setState({ value: undefined, error: undefined, busy: false })
    let wanted = true
    setState((old) => ({ ...old, busy: true }))
    load(key).then(
      (value) => wanted && setState({ value, error: undefined, busy: false }),
      (error: unknown) =>
        wanted &&
        setState({ value: undefined, error: error instanceof Error ? error.message : String(error), busy: false }),
    )
    return () => {
      wanted = false
    }
  }, [key, load, revision])
  return state
}
