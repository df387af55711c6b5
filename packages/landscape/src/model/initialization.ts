import { DomainError, sizeOf } from '@thalweg/graph'
import type { Shape } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { RandomStream } from '../random/random-stream.ts'
import { parameterCount } from './model.ts'
import type { Parameter } from './model.ts'
import { orthogonalMatrix } from './orthogonal-matrix.ts'

export const initializationNames = [
  'he-normal',
  'he-uniform',
  'glorot-normal',
  'glorot-uniform',
  'lecun-normal',
  'pytorch-default',
  'standard-normal',
  'orthogonal',
  'zeros',
] as const

/** How weights are drawn, with g the gain of the activation that follows the layer (√2 for ReLU, 1 for none):
 *
 *     he-normal         N(0, g²/fanIn)               He et al. 2015
 *     he-uniform        U(±g √(3/fanIn))
 *     glorot-normal     N(0, 2/(fanIn + fanOut))     Glorot & Bengio 2010
 *     glorot-uniform    U(±√(6/(fanIn + fanOut)))
 *     lecun-normal      N(0, 1/fanIn)                LeCun et al. 1998
 *     pytorch-default   U(±1/√fanIn), weights and biases: torch.nn.Linear and Conv2d (kaiming_uniform with a = √5)
 *     standard-normal   N(0, 1), weights and biases: the theory of wide networks, whose layers carry their own scale
 *     orthogonal        g Q, orthonormal rows or columns, whichever are fewer (Saxe et al. 2014)
 *     zeros             0
 *
 * Biases are 0 where nothing else is said; scales of normalisation layers are 1 and shifts 0 in every scheme. */
export type InitializationName = (typeof initializationNames)[number]

/** A parameter and what its initial values depend on. */
export interface InitializedParameter extends Parameter {
  /** Inputs that one output sums over: columns of a matrix, input channels per group times kernel elements. For a bias,
   * that of its layer. */
  readonly fanIn: number
  /** Outputs that one input reaches: rows of a matrix, output channels times kernel elements. */
  readonly fanOut: number
  /** Gain of the activation that follows. */
  readonly gain: number
}

interface Draw {
  readonly stream: RandomStream
  readonly parameter: InitializedParameter
  readonly length: number
}

function normal({ stream, length }: Draw, deviation: number): Float64Array {
  return stream.normals(length).map((z) => deviation * z)
}

function uniform({ stream, length }: Draw, bound: number): Float64Array {
  return stream.uniforms(length).map((u) => bound * (2 * u - 1))
}

const weightSchemes: Readonly<Record<InitializationName, (draw: Draw) => Float64Array>> = {
  'he-normal': (d) => normal(d, d.parameter.gain / Math.sqrt(d.parameter.fanIn)),
  'he-uniform': (d) => uniform(d, d.parameter.gain * Math.sqrt(3 / d.parameter.fanIn)),
  'glorot-normal': (d) => normal(d, Math.sqrt(2 / (d.parameter.fanIn + d.parameter.fanOut))),
  'glorot-uniform': (d) => uniform(d, Math.sqrt(6 / (d.parameter.fanIn + d.parameter.fanOut))),
  'lecun-normal': (d) => normal(d, 1 / Math.sqrt(d.parameter.fanIn)),
  'pytorch-default': (d) => uniform(d, 1 / Math.sqrt(d.parameter.fanIn)),
  'standard-normal': (d) => normal(d, 1),
  orthogonal: ({ stream, parameter, length }) => {
    const rows = parameter.shape[0]
    return orthogonalMatrix(stream, rows, length / rows).map((q) => parameter.gain * q)
  },
  zeros: ({ length }) => new Float64Array(length),
}

function biasValues(scheme: InitializationName, draw: Draw): Float64Array {
  const drawn = scheme === 'pytorch-default' || scheme === 'standard-normal'
  return drawn ? weightSchemes[scheme](draw) : new Float64Array(draw.length)
}

function initialValues(scheme: InitializationName, draw: Draw): Float64Array {
  switch (draw.parameter.role) {
    case 'scale':
      return new Float64Array(draw.length).fill(1)
    case 'shift':
      return new Float64Array(draw.length)
    case 'bias':
      return biasValues(scheme, draw)
    default:
      return weightSchemes[scheme](draw)
  }
}

/** @throws {DomainError} listing the names there are. */
export function requireInitialization(where: string, name: string): InitializationName {
  if (!(initializationNames as readonly string[]).includes(name))
    throw new DomainError(`${where}: initialization must be one of ${initializationNames.join(', ')}, got ${name}.`)
  return name as InitializationName
}

/** A starting point θ [p]. Each parameter draws from its own stream (seed, 'initialization', position), so it does not
 * depend on the parameters before it. */
export function initialTheta(
  parameters: readonly InitializedParameter[],
  scheme: InitializationName,
  seed: number,
): Float64Array {
  const theta = new Float64Array(parameterCount({ parameters }))
  let at = 0
  parameters.forEach((parameter, i) => {
    const length = sizeOf(parameter.shape)
    theta.set(initialValues(scheme, { stream: randomStream(seed, 'initialization', i), parameter, length }), at)
    at += length
  })
  return theta
}

/** A weight [out × in] or [out × in/groups × kernel…]; fans as PyTorch counts them. */
export function weightParameter(name: string, shape: Shape, gain: number): InitializedParameter {
  const receptive = sizeOf(shape.slice(2))
  return { name, shape, role: 'weight', outputAxis: 0, fanIn: shape[1] * receptive, fanOut: shape[0] * receptive, gain }
}

/** One number per output of the layer that `weight` belongs to. */
export function biasParameter(name: string, weight: InitializedParameter): InitializedParameter {
  const { fanIn, fanOut, gain } = weight
  return { name, shape: [weight.shape[0]], role: 'bias', outputAxis: 0, fanIn, fanOut, gain }
}

/** Scale and shift of a normalisation layer over `channels`. */
export function affineParameters(name: string, channels: number): InitializedParameter[] {
  const common = { shape: [channels], outputAxis: 0, fanIn: 1, fanOut: 1, gain: 1 }
  return [
    { name: `${name}.weight`, role: 'scale', ...common },
    { name: `${name}.bias`, role: 'shift', ...common },
  ]
}
