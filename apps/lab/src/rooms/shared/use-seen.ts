import { useEffect, useRef, useState } from 'react'
import type { RefObject } from 'react'

/** Whether an element has come near the part of the page that is in view: what is dear is computed only then. */
export function useSeen<E extends Element>(): readonly [ref: RefObject<E | null>, seen: boolean] {
  const ref = useRef<E>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    if (!ref.current || seen) return
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && setSeen(true),
      { rootMargin: '200px' },
    )
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [seen])
  return [ref, seen]
}
