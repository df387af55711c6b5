import type { SurfaceStill } from '../scene.ts'

/** Unit box: x and y in −1 … 1, height in 0 … 1. */
export type Vector = readonly [number, number, number]
export type Screen = readonly [x: number, y: number]

export interface Projection {
  toScreen(point: Vector): Screen
  /** Along the ground, greater is nearer to the eye: of a surface over its plane what is nearer there hides what is farther,
   *  whatever the heights. */
  nearness(point: Vector): number
}

const HEIGHT_SHARE = 0.95
const PLOT_HEIGHT_MAX = 480

/** Where a surface is seen from if nobody says. */
export const defaultView: NonNullable<SurfaceStill['view']> = { azimuth: 35, elevation: 32 }

/** Seen from `azimuth` degrees (0 = along −y, counterclockwise from above) and `elevation` above the plane. */
export function parallelProjection(view: SurfaceStill['view'] = defaultView): Projection {
  const turn = (view.azimuth * Math.PI) / 180
  const tilt = (view.elevation * Math.PI) / 180
  const depth = ([x, y]: Vector): number => -Math.sin(turn) * x + Math.cos(turn) * y
  return {
    toScreen: (p) => [
      Math.cos(turn) * p[0] + Math.sin(turn) * p[1],
      -depth(p) * Math.sin(tilt) - p[2] * HEIGHT_SHARE * Math.cos(tilt),
    ],
    nearness: (p) => -depth(p),
  }
}

/** The bounding box scaled to the width between `left` and `right`; the height follows. */
export function fitToWidth(
  projection: Projection,
  room: { left: number; right: number; top: number },
): { projection: Projection; height: number } {
  const corners = [-1, 1].flatMap((x) => [-1, 1].flatMap((y) => [0, 1].map((z) => projection.toScreen([x, y, z]))))
  const [x0, x1] = [Math.min(...corners.map((c) => c[0])), Math.max(...corners.map((c) => c[0]))]
  const [y0, y1] = [Math.min(...corners.map((c) => c[1])), Math.max(...corners.map((c) => c[1]))]
  const scale = Math.min((room.right - room.left) / (x1 - x0), PLOT_HEIGHT_MAX / (y1 - y0))
  const dx = (room.left + room.right - scale * (x0 + x1)) / 2
  const toScreen = (p: Vector): Screen => {
    const [a, b] = projection.toScreen(p)
    return [dx + scale * a, room.top + scale * (b - y0)]
  }
  return {
    projection: { nearness: projection.nearness, toScreen },
    height: Math.ceil(room.top + scale * (y1 - y0) + 26),
  }
}

/** Which end of x and of y is the far one. */
export function farCorner(projection: Projection): [number, number] {
  return [
    projection.nearness([1, 0, 0]) < projection.nearness([-1, 0, 0]) ? 1 : -1,
    projection.nearness([0, 1, 0]) < projection.nearness([0, -1, 0]) ? 1 : -1,
  ]
}
