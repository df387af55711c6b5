import { useEffect, useRef, useState } from 'react'

export interface Playback {
  /** 0 … 1. */
  readonly position: number
  readonly playing: boolean
  seek(position: number): void
  toggle(): void
}

function prefersStill(): boolean {
  return globalThis.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false
}

/** A position that runs from 0 to 1 in `seconds` and starts anew when `key` changes. Who wants no motion sees the end. */
export function usePlayback(key: unknown, seconds: number, ready: boolean): Playback {
  const [position, setPosition] = useState(1)
  const [playing, setPlaying] = useState(false)
  const at = useRef(1)
  useEffect(() => {
    if (!ready) return
    at.current = prefersStill() ? 1 : 0
    setPosition(at.current)
    setPlaying(at.current < 1)
  }, [key, ready])
  useEffect(() => {
    if (!playing) return
    let last: number | undefined
    let frame = requestAnimationFrame(function tick(now) {
      at.current = Math.min(1, at.current + (now - (last ?? now)) / (1000 * seconds))
      last = now
      setPosition(at.current)
      if (at.current >= 1) setPlaying(false)
      else frame = requestAnimationFrame(tick)
    })
    return () => cancelAnimationFrame(frame)
  }, [playing, seconds])
  return {
    position,
    playing,
    seek: (next) => {
      setPlaying(false)
      at.current = next
      setPosition(next)
    },
    toggle: () => {
      if (!playing && at.current >= 1) at.current = 0
      setPlaying(!playing)
    },
  }
}
