import { DomainError } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { Dataset } from './dataset.ts'
import { generatedClasses, requireCount, requireNonNegative } from './generated.ts'

/** What every two-class problem in the plane takes. */
export interface PlanarOptions {
  /** Number of samples in both classes together; an odd one goes to class 0. */
  readonly samples?: number
  /** Standard deviation of the normal noise added to both coordinates. */
  readonly noise?: number
  readonly seed?: number
}

export interface TwoSpiralsOptions extends PlanarOptions {
  readonly turns?: number
  readonly radius?: number
}

/** Two interleaved spirals, i = 0 … m−1 in each class, class 1 the negative of class 0:
 *
 *      ρ = radius · (1 − (96/104) · i/(m−1)) ,   φ = 2π · turns · i/(m−1) ,   x = (ρ sin φ, ρ cos φ)
 *
 * With 194 samples, 3 turns and radius 6.5 these are the points of Lang & Witbrock, "Learning to tell two spirals
 * apart" (1988). */
export function twoSpirals(options: TwoSpiralsOptions = {}): Dataset {
  const { samples = 194, noise = 0, turns = 3, radius = 1, seed = 0 } = options
  requireNonNegative('twoSpirals', 'turns', turns)
  requireNonNegative('twoSpirals', 'radius', radius)
  const parameters = { samples, noise, turns, radius, seed }
  return planar('two-spirals', parameters, (label, t) => {
    const rho = (label === 0 ? radius : -radius) * (1 - (96 / 104) * t)
    const phi = 2 * Math.PI * turns * t
    return [rho * Math.sin(phi), rho * Math.cos(phi)]
  })
}

/** Two interleaving half circles of radius 1, t = 0 … π: (cos t, sin t) and (1 − cos t, ½ − sin t). */
export function twoMoons(options: PlanarOptions = {}): Dataset {
  const { samples = 200, noise = 0.1, seed = 0 } = options
  return planar('two-moons', { samples, noise, seed }, (label, t) => {
    const angle = Math.PI * t
    return label === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)]
  })
}

export interface ConcentricCirclesOptions extends PlanarOptions {
  /** Radius of the inner circle (class 1); the outer one has radius 1. */
  readonly innerRadius?: number
}

/** Two circles around the origin, evenly spaced points. */
export function concentricCircles(options: ConcentricCirclesOptions = {}): Dataset {
  const { samples = 200, noise = 0.05, innerRadius = 0.5, seed = 0 } = options
  if (!(innerRadius > 0 && innerRadius < 1))
    throw new DomainError(`concentricCircles: innerRadius must be between 0 and 1, got ${innerRadius}.`)
  const parameters = { samples, noise, innerRadius, seed }
  return planar('concentric-circles', parameters, (label, _, i, count) => {
    const radius = label === 0 ? 1 : innerRadius
    const angle = (2 * Math.PI * i) / count
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
}

/** The curve of each class, sampled evenly: class 0 first, then class 1; t runs over 0 … 1. */
function planar(
  name: string,
  parameters: Required<PlanarOptions>,
  point: (label: number, t: number, i: number, count: number) => readonly [number, number],
): Dataset {
  const { samples, noise, seed } = parameters
  requireCount(name, 'samples', samples, 2)
  requireNonNegative(name, 'noise', noise)
  const normal = randomStream(seed, `data/${name}`, 0)
  const points = new Float64Array(2 * samples)
  const labels = new BigInt64Array(samples)
  const firstCount = Math.ceil(samples / 2)
  for (let k = 0; k < samples; k++) {
    const label = k < firstCount ? 0 : 1
    const count = label === 0 ? firstCount : samples - firstCount
    const i = label === 0 ? k : k - firstCount
    const [a, b] = point(label, count > 1 ? i / (count - 1) : 0, i, count)
    points[2 * k] = a + noise * normal.normal()
    points[2 * k + 1] = b + noise * normal.normal()
    labels[k] = BigInt(label)
  }
  return generatedClasses(name, parameters, points, labels, 2)
}

export interface XorOptions extends PlanarOptions {
  /** Corners at ±1 instead of 0 and 1. */
  readonly signed?: boolean
}

/** Exclusive or: sample i lies at corner i mod 4 of (0,0), (0,1), (1,0), (1,1), class 1 where the coordinates differ. */
export function xor(options: XorOptions = {}): Dataset {
  const { samples = 4, noise = 0, signed = false, seed = 0 } = options
  requireCount('xor', 'samples', samples, 1)
  requireNonNegative('xor', 'noise', noise)
  const normal = randomStream(seed, 'data/xor', 0)
  const low = signed ? -1 : 0
  const points = new Float64Array(2 * samples)
  const labels = new BigInt64Array(samples)
  for (let i = 0; i < samples; i++) {
    const a = (i >> 1) & 1
    const b = i & 1
    points[2 * i] = (a === 1 ? 1 : low) + noise * normal.normal()
    points[2 * i + 1] = (b === 1 ? 1 : low) + noise * normal.normal()
    labels[i] = BigInt(a ^ b)
  }
  return generatedClasses('xor', { samples, noise, signed, seed }, points, labels, 2)
}
