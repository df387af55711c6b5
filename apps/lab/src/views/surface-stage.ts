import {
  AmbientLight,
  BufferAttribute,
  BufferGeometry,
  Color,
  DirectionalLight,
  DoubleSide,
  Float32BufferAttribute,
  Group,
  Line,
  LineBasicMaterial,
  LineLoop,
  Mesh as ThreeMesh,
  MeshBasicMaterial,
  MeshLambertMaterial,
  OctahedronGeometry,
  PerspectiveCamera,
  Raycaster,
  Scene,
  SphereGeometry,
  Vector2,
  Vector3,
  WebGLRenderer,
} from 'three'
import type { Material, Object3D } from 'three'
import { LineMaterial } from 'three/addons/lines/LineMaterial.js'
import { LineSegments2 } from 'three/addons/lines/LineSegments2.js'
import { LineSegmentsGeometry } from 'three/addons/lines/LineSegmentsGeometry.js'
import { eyeOf, startCamera } from '../scenes/camera.ts'
import type { Camera } from '../scenes/camera.ts'
import type { LineSet, SurfaceScene } from '../scenes/surface-scene.ts'
import { tubeMesh } from '../scenes/tube.ts'
import type { Mesh } from '../scenes/tube.ts'

/** Colors that follow light and dark; the surface has its own. */
export interface StageColors {
  readonly paper: string
  readonly ink: string
  readonly rule: string
  readonly path: string
  readonly minimum: string
  readonly saddle: string
}

/** A ball as it is drawn: where it is and the way it came, in box coordinates. */
export interface StageBall {
  readonly position: readonly [number, number, number]
  readonly path: readonly number[]
  readonly color: string
}

/** The one place that uses three.js: draws a surface scene into a canvas, when asked to and not more often. It knows no
 *  data: what it draws is a {@link SurfaceScene}, what it answers is places in its box. */
export class SurfaceStage {
  readonly #renderer: WebGLRenderer
  readonly #camera = new PerspectiveCamera(24, 1, 0.1, 40)
  readonly #scene = new Scene()
  readonly #content = new Group()
  readonly #balls = new Group()
  readonly #sun = new DirectionalLight(0xffffff, 2.35)
  readonly #lineMaterials: LineMaterial[] = []
  #surface: ThreeMesh | undefined
  #drawn: SurfaceScene | undefined
  #view: Camera = startCamera
  #pending = 0
  #afterRender: () => void = () => {}

  constructor(canvas: HTMLCanvasElement) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true })
    this.#renderer.setClearAlpha(0)
    this.#camera.up.set(0, 0, 1)
    this.#scene.add(new AmbientLight(0xffffff, 1.35), this.#sun, this.#content, this.#balls)
  }

  /** Called after every picture, for labels that lie over it. */
  onRender(listener: () => void): void {
    this.#afterRender = listener
  }

  resize(width: number, height: number, pixelRatio: number): void {
    this.#renderer.setPixelRatio(Math.min(2, pixelRatio))
    this.#renderer.setSize(width, height, false)
    this.#camera.aspect = width / Math.max(1, height)
    for (const material of this.#lineMaterials) material.resolution.set(width, height)
    this.#aim()
  }

  look(view: Camera): void {
    this.#view = view
    this.#aim()
  }

  show(scene: SurfaceScene, colors: StageColors): void {
    dispose(this.#content)
    this.#lineMaterials.length = 0
    this.#drawn = scene
    this.#surface = surfaceOf(scene.surface)
    this.#content.add(this.#surface, ...this.#frameOf(scene, colors))
    this.#content.add(this.#lines(scene.contours, 1.15, 0.8), this.#lines(scene.floorContours, 1.25, 0.9))
    for (const { core, shell } of scene.trajectories) this.#content.add(...tubesOf(core, shell, colors))
    for (const { kind, position } of scene.markers) this.#content.add(markOf(kind, position, colors))
    this.#aim()
  }

  showBalls(balls: readonly StageBall[]): void {
    dispose(this.#balls)
    for (const { position, path, color } of balls) {
      const ball = new ThreeMesh(new SphereGeometry(0.024, 20, 14), new MeshLambertMaterial({ color }))
      ball.position.set(position[0], position[1], position[2] + 0.024)
      const radii = new Array<number>(path.length / 3).fill(0.0065)
      const trail = new ThreeMesh(geometryOf(tubeMesh(path, radii)), new MeshLambertMaterial({ color }))
      this.#balls.add(ball, trail)
    }
    this.render()
  }

  /** Where the surface is under a place of the canvas (−1 … 1, y up), in box coordinates. */
  pick(x: number, y: number): [number, number, number] | undefined {
    if (!this.#surface) return undefined
    const ray = new Raycaster()
    ray.setFromCamera(new Vector2(x, y), this.#camera)
    const hit = ray.intersectObject(this.#surface, false)[0]
    return hit ? [hit.point.x, hit.point.y, hit.point.z] : undefined
  }

  /** Place of a point of the box in the canvas, 0 … 1 from the left and from the top. */
  project(position: readonly [number, number, number]): { readonly left: number; readonly top: number } {
    const at = new Vector3(...position).project(this.#camera)
    return { left: (at.x + 1) / 2, top: (1 - at.y) / 2 }
  }

  /** Where the eye is, in the box. */
  eye(): [number, number, number] {
    const { x, y, z } = this.#camera.position
    return [x, y, z]
  }

  /** Soon, once, however often it is asked for before that. */
  render(): void {
    this.#pending ||= requestAnimationFrame(() => this.#renderNow())
  }

  /** The picture as a PNG, on `paper`. */
  async png(paper: string): Promise<Blob> {
    const before = this.#scene.background
    this.#scene.background = new Color(paper)
    this.#renderNow()
    const canvas = this.#renderer.domElement
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
    this.#scene.background = before
    this.#renderNow()
    if (!blob) throw new TypeError('the canvas gave no picture')
    return blob
  }

  /** Surface, tubes and marks as binary glTF (y up, as glTF has it). */
  async gltf(): Promise<ArrayBuffer> {
    const { GLTFExporter } = await import('three/addons/exporters/GLTFExporter.js')
    const root = new Group()
    root.rotation.x = -Math.PI / 2
    for (const child of this.#content.children)
      if (child instanceof ThreeMesh && !(child instanceof LineSegments2)) root.add(child.clone())
    const scene = new Scene()
    scene.add(root)
    return (await new GLTFExporter().parseAsync(scene, { binary: true })) as ArrayBuffer
  }

  dispose(): void {
    cancelAnimationFrame(this.#pending)
    dispose(this.#content)
    dispose(this.#balls)
    this.#renderer.dispose()
  }

  #renderNow(): void {
    cancelAnimationFrame(this.#pending)
    this.#pending = 0
    this.#renderer.render(this.#scene, this.#camera)
    this.#afterRender()
  }

  #aim(): void {
    const middle = this.#drawn ? (this.#drawn.height + this.#drawn.floor) / 2 : 0
    const eye = eyeOf({ ...this.#view, distance: this.#fittingDistance(middle) / this.#view.zoom })
    this.#camera.position.set(eye[0], eye[1], eye[2] + middle)
    this.#camera.lookAt(0, 0, middle)
    this.#camera.updateProjectionMatrix()
    this.#camera.updateMatrixWorld()
    // The light stays at the left shoulder, as on a map.
    const light = eyeOf({ azimuth: this.#view.azimuth - 62, elevation: 48, distance: 5 })
    this.#sun.position.set(light[0], light[1], light[2])
    this.render()
  }

  /** So far away that the box stays in the picture however it is turned. */
  #fittingDistance(middle: number): number {
    if (!this.#drawn) return 5
    const { halfWidth, halfDepth, height, floor } = this.#drawn
    const radius = Math.hypot(halfWidth, halfDepth)
    const e = (this.#view.elevation * Math.PI) / 180
    const tangent = Math.tan((this.#camera.fov * Math.PI) / 360)
    let farthest = 0
    for (const z of [height - middle, floor - middle])
      for (const [right, back] of [
        [radius, 0],
        [0, radius],
        [0, -radius],
      ]) {
        const up = z * Math.cos(e) + back * Math.sin(e)
        const towards = z * Math.sin(e) - back * Math.cos(e)
        const needed = Math.max(Math.abs(up) / 0.9, right / (0.93 * this.#camera.aspect)) / tangent
        farthest = Math.max(farthest, towards + needed)
      }
    return farthest
  }

  #lines({ positions, colors }: LineSet, width: number, opacity: number): Object3D {
    if (positions.length === 0) return new Group()
    const geometry = new LineSegmentsGeometry()
    geometry.setPositions(positions)
    geometry.setColors(colors)
    const material = new LineMaterial({ linewidth: width, vertexColors: true, transparent: true, opacity })
    const size = this.#renderer.getSize(new Vector2())
    material.resolution.copy(size)
    this.#lineMaterials.push(material)
    return new LineSegments2(geometry, material)
  }

  /** The rim of the map below, and faint posts to the surface. */
  #frameOf({ halfWidth: a, halfDepth: b, floor }: SurfaceScene, colors: StageColors): Object3D[] {
    const corners = [
      [-a, -b],
      [a, -b],
      [a, b],
      [-a, b],
    ].map(([x, y]) => new Vector3(x, y, floor))
    const sheet = new ThreeMesh(
      new BufferGeometry().setFromPoints(corners).setIndex([0, 1, 2, 0, 2, 3]),
      new MeshBasicMaterial({
        color: colors.paper,
        side: DoubleSide,
        polygonOffset: true,
        polygonOffsetFactor: 4,
        polygonOffsetUnits: 4,
      }),
    )
    const rim = new LineLoop(
      new BufferGeometry().setFromPoints(corners),
      new LineBasicMaterial({ color: colors.ink, transparent: true, opacity: 0.5 }),
    )
    return [sheet, rim]
  }
}

function geometryOf({ positions, normals, colors, indices }: Mesh): BufferGeometry {
  const geometry = new BufferGeometry()
  geometry.setAttribute('position', new Float32BufferAttribute(positions, 3))
  geometry.setAttribute('normal', new Float32BufferAttribute(normals, 3))
  if (colors) geometry.setAttribute('color', new Float32BufferAttribute(colors, 3))
  geometry.setIndex(new BufferAttribute(indices, 1))
  return geometry
}

function surfaceOf(mesh: Mesh): ThreeMesh {
  const material = new MeshLambertMaterial({
    vertexColors: true,
    side: DoubleSide,
    // Lines lie on the surface: it steps back behind them.
    polygonOffset: true,
    polygonOffsetFactor: 1.5,
    polygonOffsetUnits: 2,
  })
  return new ThreeMesh(geometryOf(mesh), material)
}

function tubesOf(core: Mesh, shell: Mesh, colors: StageColors): Object3D[] {
  const halo = new MeshLambertMaterial({ color: colors.path, transparent: true, opacity: 0.2, depthWrite: false })
  return [
    new ThreeMesh(geometryOf(core), new MeshLambertMaterial({ color: colors.path })),
    new ThreeMesh(geometryOf(shell), halo),
  ]
}

/** Told apart by shape as well as by color: minima and ends are balls, saddles octahedra. */
function markOf(kind: string, position: readonly [number, number, number], colors: StageColors): Object3D {
  const saddle = kind === 'saddle' || kind === 'critical'
  const color = saddle
    ? colors.saddle
    : kind === 'minimum'
      ? colors.minimum
      : kind === 'maximum'
        ? colors.ink
        : colors.path
  const shape = saddle ? new OctahedronGeometry(0.03) : new SphereGeometry(0.022, 20, 14)
  const mark = new ThreeMesh(shape, new MeshLambertMaterial({ color }))
  mark.position.set(position[0], position[1], position[2] + 0.02)
  return mark
}

function dispose(group: Group): void {
  for (const child of [...group.children]) {
    group.remove(child)
    if (!(child instanceof ThreeMesh || child instanceof Line)) continue
    ;(child.geometry as BufferGeometry).dispose()
    ;(child.material as Material).dispose()
  }
}
