import { DomainError } from '@thalweg/graph'

/** How the learning rate changes with the step t = 0 … T−1, as a factor of the given rate:
 *
 *     constant      1
 *     step          factor^⌊t/every⌋
 *     cosine        m + (1 − m)·½(1 + cos(π t/T))         m = minimum; Loshchilov & Hutter 2017, no restarts
 *     inverse-time  1/(1 + decay·t)
 *
 * `warmUp` steps w come first, with factor (t + 1)/w; the rule then counts from there. */
export type Schedule =
  | { readonly kind: 'constant'; readonly warmUp?: number }
  | { readonly kind: 'step'; readonly every: number; readonly factor: number; readonly warmUp?: number }
  | { readonly kind: 'cosine'; readonly minimum?: number; readonly warmUp?: number }
  | { readonly kind: 'inverse-time'; readonly decay: number; readonly warmUp?: number }

export const scheduleKinds = ['constant', 'step', 'cosine', 'inverse-time'] as const

/** @throws {DomainError} if the kind is unknown or a number is out of range. */
export function checkSchedule(schedule: Schedule): Schedule {
  const wrong = (rule: string, value: unknown): never => {
    throw new DomainError(`schedule: ${rule}, got ${String(value)}.`)
  }
  const { kind, warmUp = 0 } = schedule
  if (!scheduleKinds.includes(kind)) wrong(`kind must be one of ${scheduleKinds.join(', ')}`, kind)
  if (!(Number.isInteger(warmUp) && warmUp >= 0)) wrong('warmUp must be a number of steps', warmUp)
  if (kind === 'step' && !(Number.isInteger(schedule.every) && schedule.every >= 1))
    wrong('every must be a positive integer', schedule.every)
  if (kind === 'step' && !(schedule.factor > 0 && schedule.factor < Infinity))
    wrong('factor must be positive', schedule.factor)
  if (kind === 'cosine' && !((schedule.minimum ?? 0) >= 0 && (schedule.minimum ?? 0) <= 1))
    wrong('minimum must lie in 0…1', schedule.minimum)
  if (kind === 'inverse-time' && !(schedule.decay >= 0 && schedule.decay < Infinity))
    wrong('decay must be finite and ≥ 0', schedule.decay)
  return schedule
}

/** The factor at step t of `steps`. */
export function scheduleFactor(schedule: Schedule, t: number, steps: number): number {
  const warmUp = schedule.warmUp ?? 0
  if (t < warmUp) return (t + 1) / warmUp
  const after = t - warmUp
  switch (schedule.kind) {
    case 'constant':
      return 1
    case 'step':
      return schedule.factor ** Math.floor(after / schedule.every)
    case 'cosine': {
      const minimum = schedule.minimum ?? 0
      return minimum + ((1 - minimum) * (1 + Math.cos((Math.PI * after) / Math.max(1, steps - warmUp)))) / 2
    }
    case 'inverse-time':
      return 1 / (1 + schedule.decay * after)
  }
}
