import { layerGroups } from '../../curvature/block-operator.ts'
import type { Model } from '../../model/model.ts'

/** How far a layer's weights have moved. */
export interface LayerMovement {
  readonly name: string
  /** ‖W(k) − W(0)‖_F. */
  readonly absolute: number
  /** ‖W(k) − W(0)‖_F / ‖W(0)‖_F. */
  readonly relative: number
}

export function movementOf(model: Model, from: Float64Array, to: Float64Array): LayerMovement[] {
  return layerGroups(model).map(({ name, ranges }) => {
    let moved = 0
    let start = 0
    for (const [first, end] of ranges)
      for (let i = first; i < end; i++) {
        moved += (to[i] - from[i]) ** 2
        start += from[i] ** 2
      }
    const absolute = Math.sqrt(moved)
    return { name, absolute, relative: start === 0 ? absolute : absolute / Math.sqrt(start) }
  })
}

/** The largest over the layers. */
export function largestMovement(movement: readonly LayerMovement[]): number {
  return Math.max(...movement.map(({ absolute }) => absolute))
}
