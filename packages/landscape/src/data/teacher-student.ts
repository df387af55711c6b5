import { DomainError, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { Dataset } from './dataset.ts'
import { generatedValues, requireCount, requireNonNegative } from './generated.ts'

export interface TeacherOptions {
  readonly inputs?: number
  readonly hidden?: number
  readonly outputs?: number
  /** Number of hidden layers. */
  readonly layers?: number
  readonly activation?: 'tanh' | 'relu'
  readonly seed?: number
}

export interface TeacherStudentOptions extends TeacherOptions {
  readonly samples?: number
  /** Standard deviation of the normal noise added to the targets. */
  readonly noise?: number
}

/** A fully connected network without biases: W_L σ(… σ(W_1 x)), each W_l [out × in]. */
export interface Teacher {
  readonly activation: 'tanh' | 'relu'
  readonly weights: readonly Tensor<'float64'>[]
}

/** A random teacher, W_l ~ N(0, g²/in) with g² = 2 for relu after the first layer and 1 otherwise, which keeps the
 * size of the activations. The same options give the teacher that `teacherStudent` labels with: a student of the same
 * architecture and these weights has zero loss where there is no noise. */
export function makeTeacher(options: TeacherOptions = {}): Teacher {
  const { inputs = 5, hidden = 4, outputs = 1, layers = 1, activation = 'tanh', seed = 0 } = options
  for (const [key, value] of Object.entries({ inputs, hidden, outputs, layers }))
    requireCount('teacherStudent', key, value, 1)
  if (activation !== 'tanh' && activation !== 'relu')
    throw new DomainError(`teacherStudent: activation must be tanh or relu, got ${activation}.`)
  const widths = [inputs, ...new Array<number>(layers).fill(hidden), outputs]
  const weights = widths.slice(1).map((out, layer) => {
    const gain = activation === 'relu' && layer > 0 ? Math.SQRT2 : 1
    const factor = gain / Math.sqrt(widths[layer])
    const entries = randomStream(seed, 'data/teacher-student/weights', layer).normals(out * widths[layer])
    return tensor(
      'float64',
      [out, widths[layer]],
      entries.map((entry) => factor * entry),
    )
  })
  return { activation, weights }
}

/** Inputs N(0, I), targets from a random teacher network plus noise. */
export function teacherStudent(options: TeacherStudentOptions = {}): Dataset {
  const { samples = 200, noise = 0, inputs = 5, hidden = 4, outputs = 1, layers = 1 } = options
  const { activation = 'tanh', seed = 0 } = options
  requireCount('teacherStudent', 'samples', samples, 1)
  requireNonNegative('teacherStudent', 'noise', noise)
  const teacher = makeTeacher(options)
  const x = randomStream(seed, 'data/teacher-student/inputs', 0).normals(samples * inputs)
  const y = randomStream(seed, 'data/teacher-student/noise', 0).normals(samples * outputs)
  for (let i = 0; i < samples; i++) {
    const labels = applyTeacher(teacher, x.subarray(i * inputs, (i + 1) * inputs))
    for (let r = 0; r < outputs; r++) y[i * outputs + r] = labels[r] + noise * y[i * outputs + r]
  }
  const parameters = { samples, noise, inputs, hidden, outputs, layers, activation, seed }
  return generatedValues('teacher-student', parameters, samples, x, y)
}

/** The teacher's outputs for one input. */
function applyTeacher({ weights, activation }: Teacher, input: Float64Array): Float64Array {
  let values = input
  weights.forEach(({ shape, data }, layer) => {
    const [out, width] = shape
    const next = new Float64Array(out)
    for (let r = 0; r < out; r++) {
      let sum = 0
      for (let j = 0; j < width; j++) sum += data[r * width + j] * values[j]
      next[r] = layer === weights.length - 1 ? sum : activation === 'tanh' ? Math.tanh(sum) : Math.max(0, sum)
    }
    values = next
  })
  return values
}
