import { useEffect, useState } from 'react'
import { Gathered } from '../state/gathered.ts'

/** State that many small changes make; shown as `Gathered` says. What waits is forgotten with the component. */
export function useGathered<S>(initial: S): [S, Gathered<S>] {
  const [state, setState] = useState(initial)
  const [gathered] = useState(() => new Gathered<S>(setState, () => document.hidden))
  // Effects of children come first: what they draw is done by now.
  useEffect(() => gathered.shown(), [state, gathered])
  useEffect(() => {
    const onVisibility = (): void => {
      if (!document.hidden) gathered.flush()
    }
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      gathered.clear()
    }
  }, [gathered])
  return [state, gathered]
}
