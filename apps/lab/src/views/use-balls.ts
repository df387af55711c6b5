import { useCallback, useEffect, useRef, useState } from 'react'
import { dropBall, stepBall } from '../scenes/ball.ts'
import type { Ball, BallMethod, BallRules } from '../scenes/ball.ts'
import type { PlaneFunction } from '../scenes/plane-function.ts'

export interface Drop {
  readonly x: number
  readonly y: number
}

const stepsMax = 600

/** Balls dropped at one place, one for each method, rolling: a step every 40 ms, or all at once for readers who want no
 *  motion. They start anew when place, methods, rules or function change; `again` drops them once more. */
export function useBalls(
  plane: PlaneFunction | undefined,
  drop: Drop | undefined,
  methods: readonly BallMethod[],
  rules: BallRules,
): { readonly balls: readonly Ball[]; readonly again: () => void } {
  const [balls, setBalls] = useState<readonly Ball[]>([])
  const [round, setRound] = useState(0)
  const normal = useRef(normalNumbers(1))
  const methodKey = methods.join()
  const ruleKey = JSON.stringify(rules)
  useEffect(() => {
    if (!plane || !drop) return setBalls([])
    normal.current = normalNumbers(1 + round)
    let now =
      methodKey === ''
        ? []
        : methodKey.split(',').flatMap((m) => dropBall(m as BallMethod, plane, drop.x, drop.y) ?? [])
    const step = (): boolean => {
      now = now.map((ball) => stepBall(ball, plane, rules, normal.current))
      return now.some((ball) => ball.state === 'rolling') && now[0].steps < stepsMax
    }
    if (globalThis.matchMedia('(prefers-reduced-motion: reduce)').matches) {
      for (let k = 0; k < stepsMax && now.length > 0 && step(); k++);
      return setBalls(now)
    }
    setBalls(now)
    if (now.length === 0) return
    const timer = setInterval(() => {
      if (!step()) clearInterval(timer)
      setBalls(now)
    }, 40)
    return () => clearInterval(timer)
  }, [plane, drop?.x, drop?.y, methodKey, ruleKey, round])
  return { balls, again: useCallback(() => setRound((n) => n + 1), []) }
}

/** Standard normal numbers, the same for the same seed: a link shows the same path. Mulberry32 with Box and Muller; for a
 *  picture, not for measurements. */
function normalNumbers(seed: number): () => number {
  let state = seed * 0x9e3779b9
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}
