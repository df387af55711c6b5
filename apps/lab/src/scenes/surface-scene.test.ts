import { describe, expect, it } from 'vitest'
import { lightness, paletteColor, palettes } from './color-map.ts'
import { surfaceOptions } from './landscape-look.ts'
import type { PlaneData } from './plane-data.ts'
import { solidStl } from './stl.ts'
import { frameOf, isHidden, surfaceScene } from './surface-scene.ts'

const nodes = (low: number, high: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1))

function planeOf(f: (x: number, y: number) => number, xs: readonly number[], ys: readonly number[]): PlaneData {
  const axis = { label: '', explained: null, eigenvalue: null }
  return {
    id: 'test',
    name: 'test',
    x: axis,
    y: axis,
    fields: [{ kind: 'loss', grid: { xs, ys, values: Float64Array.from(ys.flatMap((y) => xs.map((x) => f(x, y)))) } }],
    trajectories: [],
    markers: [],
    normalization: 'none',
    cosine: 0,
    warnings: [],
    analytic: null,
  }
}

const bowl = planeOf((x, y) => 1 + x * x + y * y, nodes(-1, 1, 11), nodes(-1, 1, 11))
const look = { color: 'loss', scale: 'linear', palette: 'auto', levels: 8 } as const
const sceneOf = (plane: PlaneData): ReturnType<typeof surfaceScene> =>
  surfaceScene(plane, surfaceOptions([plane], plane, look))

describe('surfaceScene', () => {
  it('stands on its lowest value and keeps inside its box', () => {
    const { surface, halfWidth, halfDepth, height } = sceneOf(bowl)
    const heights = surface.positions.filter((_, k) => k % 3 === 2)
    expect(Math.min(...heights)).toBe(0)
    expect(Math.max(...heights)).toBeCloseTo(height, 6)
    expect(Math.max(...surface.positions.filter((_, k) => k % 3 === 0))).toBeCloseTo(halfWidth, 6)
    expect(Math.max(...surface.positions.filter((_, k) => k % 3 === 1))).toBeCloseTo(halfDepth, 6)
    expect(surface.indices).toHaveLength(2 * 3 * 10 * 10)
  })

  it('has normals that point up, straight up at the bottom', () => {
    const { surface } = sceneOf(bowl)
    const middle = 3 * (5 * 11 + 5)
    expect([...surface.normals.slice(middle, middle + 3)].map((x) => Math.round(1e6 * x) / 1e6)).toEqual([0, 0, 1])
    for (let k = 2; k < surface.normals.length; k += 3) expect(surface.normals[k]).toBeGreaterThan(0)
  })

  it('leaves out the four cells around a value that is not finite', () => {
    const holed = planeOf(
      (x, y) => (Math.hypot(x, y) < 1e-9 ? Number.NaN : 1 + x * x + y * y),
      nodes(-1, 1, 11),
      nodes(-1, 1, 11),
    )
    expect(sceneOf(holed).surface.indices).toHaveLength(2 * 3 * (100 - 4))
    expect(sceneOf(holed).surface.positions.every(Number.isFinite)).toBe(true)
  })

  it('draws contour lines at the heights of their levels, and the same ones on the floor', () => {
    const { contours, floorContours, floor, height } = sceneOf(bowl)
    expect(contours.positions.length).toBeGreaterThan(0)
    expect(floorContours.positions).toHaveLength(contours.positions.length)
    const heights = new Set([...contours.positions].filter((_, k) => k % 3 === 2).map((z) => Math.round(z * 1e4)))
    // Levels of a loss from 1 to 3 in steps of 0.2, without the ends that are points.
    expect(heights.size).toBeGreaterThan(6)
    expect(heights.size).toBeLessThan(12)
    expect(Math.max(...heights) / 1e4).toBeLessThanOrEqual(height + 1e-4)
    expect(floorContours.positions.filter((_, k) => k % 3 === 2).every((z) => Math.abs(z - floor) < 1e-6)).toBe(true)
  })

  it('reads back the places that it makes', () => {
    const wide = planeOf((x, y) => x + y, nodes(-3, 17, 21), nodes(2, 4, 5))
    const frame = frameOf(wide, surfaceOptions([wide], wide, look).heights)
    const { x, y } = frame.read(frame.place(5.5, 3.25, 7))
    expect([x, y]).toEqual([expect.closeTo(5.5, 12), expect.closeTo(3.25, 12)])
    expect(frame.halfDepth / frame.halfWidth).toBeCloseTo(1 / 1.6, 12)
  })

  it('makes tubes as thick as the distance from the plane, to scale, and not thinner than a line', () => {
    const point = (x: number, offPlaneDistance: number): PlaneData['trajectories'][number]['points'][number] => ({
      ...{ name: String(x), x, y: 0, offPlaneDistance, loss: 1, planeLoss: 1 + x * x },
    })
    const path = { ...bowl, trajectories: [{ name: 'path', points: [point(-0.8, 0.2), point(0, 0.2), point(0.8, 0)] }] }
    const [{ core, shell }] = sceneOf(path).trajectories
    const widthAt = (mesh: typeof core, x: number): number => {
      const ys = [...mesh.positions].filter((_, k) => k % 3 === 1 && Math.abs(mesh.positions[k - 1] - x) < 0.02)
      return Math.max(...ys)
    }
    expect(widthAt(shell, 0)).toBeCloseTo(0.2, 2)
    expect(widthAt(shell, 0.8)).toBeCloseTo(widthAt(core, 0.8), 3)
  })
})

describe('isHidden', () => {
  it('sees the bottom of a bowl from above and not from the side', () => {
    const scene = sceneOf(bowl)
    const bottom: [number, number, number] = [0, 0, 0.03]
    expect(isHidden(scene, bottom, [0, -0.5, 4])).toBe(false)
    expect(isHidden(scene, bottom, [0, -4, 0.2])).toBe(true)
    expect(isHidden(scene, [0, 0, 0.5], [0, -4, 1.5])).toBe(false)
  })
})

it('solidStl is closed: every edge belongs to two triangles', () => {
  const bytes = solidStl(sceneOf(bowl))
  const view = new DataView(bytes.buffer)
  const count = view.getUint32(80, true)
  expect(bytes.length).toBe(84 + 50 * count)
  const edges = new Map<string, number>()
  for (let t = 0; t < count; t++) {
    const corner = (k: number): string =>
      [0, 1, 2].map((axis) => view.getFloat32(84 + 50 * t + 12 + 12 * k + 4 * axis, true).toFixed(3)).join()
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ]) {
      const key = [corner(a), corner(b)].toSorted().join('|')
      edges.set(key, (edges.get(key) ?? 0) + 1)
    }
  }
  expect(new Set(edges.values())).toEqual(new Set([2]))
})

it('palettes rise in lightness; the diverging one rises to its middle and falls', () => {
  const steps = Array.from({ length: 41 }, (_, k) => k / 40)
  for (const palette of palettes) {
    const light = steps.map((share) => lightness(paletteColor(palette, share)))
    light.slice(1).forEach((value, k) => {
      const falling = palette === 'diverging' && k >= 20
      expect(Math.sign(value - light[k]) * (falling ? -1 : 1), `${palette} at ${k}`).toBe(1)
    })
  }
})
