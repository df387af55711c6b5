import { DomainError } from '@thalweg/graph'
import type { Dataset } from './dataset.ts'
import { gaussianMixture } from './gaussian-mixture.ts'
import type { DatasetParameters } from './generated.ts'
import { linearRegression } from './linear-regression.ts'
import { concentricCircles, twoMoons, twoSpirals, xor } from './planar.ts'
import { randomLabelsDataset } from './random-labels.ts'
import { teacherStudent } from './teacher-student.ts'
import { unitSphere } from './unit-sphere.ts'

export interface BuiltinParameter {
  readonly default: number | boolean | string
  readonly description: string
}

/** A data set known by name. */
export interface BuiltinDataset {
  readonly description: string
  readonly parameters: Readonly<Record<string, BuiltinParameter>>
  /** Generates it; absent where the content is a file that the host loads. */
  readonly make?: (parameters: DatasetParameters) => Dataset
}

const seed: BuiltinParameter = { default: 0, description: 'seed of the random numbers' }
const samples = (count: number): BuiltinParameter => ({ default: count, description: 'number of samples' })
const noise = (deviation: number): BuiltinParameter => ({
  default: deviation,
  description: 'standard deviation of the added normal noise',
})
const count = (value: number, description: string): BuiltinParameter => ({ default: value, description })

/** Every data set that has a name of its own, with its parameters, their defaults and meaning. */
export const builtinDatasets: Readonly<Record<string, BuiltinDataset>> = {
  digits: {
    description: '1797 handwritten digits of 8 × 8 pixels, scaled to 0…1; 10 classes (UCI, optical recognition)',
    parameters: { image: { default: false, description: 'samples of shape [1, 8, 8] instead of [64]' } },
  },
  iris: { description: '150 iris flowers, 4 measurements in cm; 3 species (UCI, Fisher 1936)', parameters: {} },
  'two-spirals': {
    description: 'two interleaved spirals in the plane; 2 classes (Lang & Witbrock 1988)',
    parameters: {
      samples: samples(194),
      noise: noise(0),
      turns: count(3, 'turns of each spiral'),
      radius: count(1, 'outer radius'),
      seed,
    },
    make: (parameters) => twoSpirals(parameters),
  },
  'two-moons': {
    description: 'two interleaving half circles in the plane; 2 classes',
    parameters: { samples: samples(200), noise: noise(0.1), seed },
    make: (parameters) => twoMoons(parameters),
  },
  'concentric-circles': {
    description: 'a circle inside another in the plane; 2 classes',
    parameters: {
      samples: samples(200),
      noise: noise(0.05),
      innerRadius: count(0.5, 'radius of the inner circle; the outer one has 1'),
      seed,
    },
    make: (parameters) => concentricCircles(parameters),
  },
  xor: {
    description: 'exclusive or: the corners of a square, exact or in noisy copies; 2 classes',
    parameters: {
      samples: samples(4),
      noise: noise(0),
      signed: { default: false, description: 'corners at ±1 instead of 0 and 1' },
      seed,
    },
    make: (parameters) => xor(parameters),
  },
  'gaussian-mixture': {
    description: 'normal clouds of covariance I around random centers; balanced classes',
    parameters: {
      samples: samples(300),
      classes: count(3, 'number of classes'),
      dimension: count(2, 'number of features'),
      separation: count(4, 'distance of the two nearest centers'),
      seed,
    },
    make: (parameters) => gaussianMixture(parameters),
  },
  'random-labels': {
    description: 'standard normal inputs with uniformly random labels: nothing to learn, only to memorize',
    parameters: {
      samples: samples(100),
      dimension: count(10, 'number of features'),
      classes: count(2, 'number of classes'),
      seed,
    },
    make: (parameters) => randomLabelsDataset(parameters),
  },
  'teacher-student': {
    description: 'standard normal inputs, targets from a random network; regression',
    parameters: {
      samples: samples(200),
      noise: noise(0),
      inputs: count(5, 'number of features'),
      hidden: count(4, "width of the teacher's hidden layers"),
      outputs: count(1, 'number of targets'),
      layers: count(1, 'number of hidden layers'),
      activation: { default: 'tanh', description: 'tanh or relu' },
      seed,
    },
    make: (parameters) => teacherStudent(parameters),
  },
  'linear-regression': {
    description: 'standard normal inputs, targets from a random linear map; regression',
    parameters: {
      samples: samples(100),
      inputs: count(5, 'number of features'),
      outputs: count(1, 'number of targets'),
      noise: noise(0),
      seed,
    },
    make: (parameters) => linearRegression(parameters),
  },
  'unit-sphere': {
    description: 'inputs uniform on the unit sphere, random targets ±1; regression',
    parameters: { samples: samples(50), dimension: count(10, 'number of features'), seed },
    make: (parameters) => unitSphere(parameters),
  },
}

/** The parameters of a named data set, complete: those given, checked by name and type, and the defaults of the rest.
 * @throws {DomainError} for an unknown data set or parameter, or a value of the wrong type, listing what there is. */
export function builtinParameters(name: string, given: DatasetParameters = {}): DatasetParameters {
  if (!Object.hasOwn(builtinDatasets, name))
    throw new DomainError(`data set: '${name}' is not built in. There are: ${Object.keys(builtinDatasets).join(', ')}.`)
  const known = builtinDatasets[name].parameters
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, key)) {
      const choices = Object.keys(known).join(', ') || 'none'
      throw new DomainError(`data set '${name}': there is no parameter '${key}'. There are: ${choices}.`)
    }
    const wanted = typeof known[key].default
    if (typeof value !== wanted)
      throw new DomainError(`data set '${name}': ${key} must be a ${wanted}, got '${value}'.`)
  }
  const defaults = Object.fromEntries(Object.entries(known).map(([key, parameter]) => [key, parameter.default]))
  return { ...defaults, ...given }
}

/** Generates a named data set.
 * @throws {DomainError} as `builtinParameters`, and for data sets that are files (digits, iris): the host loads those. */
export function makeBuiltin(name: string, given: DatasetParameters = {}): Dataset {
  const parameters = builtinParameters(name, given)
  const { make } = builtinDatasets[name]
  if (!make) throw new DomainError(`data set '${name}': its content is a file, which only the host can load.`)
  return make(parameters)
}
