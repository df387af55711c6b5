import { ThalwegError, numbersOf, tensorOf } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { builtinDatasets, builtinParameters, makeBuiltin } from './builtin-datasets.ts'
import { sampleCount } from './dataset.ts'
import type { Dataset } from './dataset.ts'
import { gaussianMixture } from './gaussian-mixture.ts'
import type { DatasetParameters } from './generated.ts'
import { linearRegression } from './linear-regression.ts'
import { concentricCircles, twoMoons, twoSpirals, xor } from './planar.ts'
import { makeTeacher, teacherStudent } from './teacher-student.ts'
import { unitSphere } from './unit-sphere.ts'

const generators = Object.keys(builtinDatasets).filter((name) => builtinDatasets[name].make)
const classCounts = (dataset: Dataset): number[] => {
  const counts = new Array<number>(dataset.classCount as number).fill(0)
  for (const y of dataset.targets.data) counts[Number(y)]++
  return counts
}

describe('built-in generators', () => {
  it.each(generators)('%s: same seed, same bits; defaults as registered; documented', (name) => {
    const dataset = makeBuiltin(name)
    const parameters = builtinParameters(name)
    expect(sampleCount(dataset)).toBe(parameters.samples)
    expect(makeBuiltin(name).digest).toBe(dataset.digest)
    // Giving every default must change nothing: the registry and the generator agree on them.
    expect(makeBuiltin(name, parameters).digest).toBe(dataset.digest)
    expect(builtinDatasets[name].make?.({}).digest).toBe(dataset.digest)
    expect(dataset.origin).toContain(`samples=${parameters.samples}`)
    const noisy: DatasetParameters = 'noise' in parameters ? { noise: 0.3 } : {}
    expect(makeBuiltin(name, { ...noisy, seed: 1 }).digest).not.toBe(makeBuiltin(name, { ...noisy, seed: 2 }).digest)
    for (const { description } of Object.values(builtinDatasets[name].parameters)) expect(description).not.toBe('')
  })

  it.each(generators)('%s: refuses bad parameters with a typed error', (name) => {
    const cases: DatasetParameters[] = [
      { samples: 0 },
      { samples: 2.5 },
      { samples: -3 },
      { seed: -1 },
      { samples: NaN },
    ]
    for (const bad of cases) expect(() => makeBuiltin(name, bad), JSON.stringify(bad)).toThrow(ThalwegError)
    expect(() => makeBuiltin(name, { smaples: 3 })).toThrow("no parameter 'smaples'. There are: samples")
    expect(() => makeBuiltin(name, { samples: '3' })).toThrow('must be a number')
  })

  it('lists the names, and leaves files to the host', () => {
    expect(() => makeBuiltin('mnist')).toThrow("'mnist' is not built in. There are: digits, iris")
    expect(() => makeBuiltin('toString')).toThrow('not built in')
    expect(() => makeBuiltin('digits')).toThrow('only the host can load')
  })
})

describe('twoSpirals', () => {
  it('contains the points of Lang and Witbrock', () => {
    const { inputs, targets } = twoSpirals({ samples: 194, turns: 3, radius: 6.5 })
    const x = inputs.x.data as Float64Array
    for (const i of [0, 1, 40, 96]) {
      const angle = (i * Math.PI) / 16
      const radius = (6.5 * (104 - i)) / 104
      expect(x[2 * i]).toBeCloseTo(radius * Math.sin(angle), 12)
      expect(x[2 * i + 1]).toBeCloseTo(radius * Math.cos(angle), 12)
      expect(x[2 * (97 + i)]).toBe(-x[2 * i])
    }
    expect([targets.data[96], targets.data[97]]).toEqual([0n, 1n])
  })
})

describe('planar sets', () => {
  it('are balanced, an odd sample going to class 0', () => {
    for (const make of [twoSpirals, twoMoons, concentricCircles])
      expect(classCounts(make({ samples: 11 }))).toEqual([6, 5])
  })

  it('lie on their curves without noise', () => {
    const circles = concentricCircles({ samples: 40, noise: 0, innerRadius: 0.3 })
    const x = circles.inputs.x.data as Float64Array
    circles.targets.data.forEach((y, i) => {
      expect(Math.hypot(x[2 * i], x[2 * i + 1])).toBeCloseTo(y === 0n ? 1 : 0.3, 14)
    })
    const moons = numbersOf(twoMoons({ samples: 4, noise: 0 }).inputs.x)
    expect(Array.from(moons, (v) => Math.round(v * 1e9) / 1e9 + 0)).toEqual([1, 0, -1, 0, 0, 0.5, 2, 0.5])
    expect(() => concentricCircles({ innerRadius: 1 })).toThrow('between 0 and 1')
  })

  it('xor: the four corners, signed or not, repeated', () => {
    expect(Array.from(numbersOf(xor().inputs.x))).toEqual([0, 0, 0, 1, 1, 0, 1, 1])
    expect(Array.from(numbersOf(xor({ signed: true }).inputs.x))).toEqual([-1, -1, -1, 1, 1, -1, 1, 1])
    expect(Array.from(numbersOf(xor({ samples: 6 }).targets))).toEqual([0, 1, 1, 0, 0, 1])
  })
})

describe('gaussianMixture', () => {
  it('is balanced and separated as asked', () => {
    const dataset = gaussianMixture({ samples: 3001, classes: 3, dimension: 4, separation: 6, seed: 7 })
    expect(classCounts(dataset)).toEqual([1001, 1000, 1000])
    const centers = [0, 1, 2].map((c) =>
      [0, 1, 2, 3].map((j) => {
        let sum = 0
        for (let i = c; i < 3001; i += 3) sum += Number(dataset.inputs.x.data[4 * i + j])
        return sum / 1000
      }),
    )
    const distances = [0, 1, 2].map((c) => Math.hypot(...centers[c].map((v, j) => v - centers[(c + 1) % 3][j])))
    // A difference of two means of 1000 samples has standard deviation √(2/1000) = 0.045 per coordinate; four of them.
    expect(Math.abs(Math.min(...distances) - 6)).toBeLessThan(0.18)
  })

  it('takes one class and many classes in one dimension', () => {
    expect(gaussianMixture({ classes: 1 }).classCount).toBe(1)
    expect(gaussianMixture({ classes: 9, dimension: 1 }).inputs.x.shape).toEqual([300, 1])
  })
})

describe('regressions', () => {
  it('linearRegression: the given map exactly, noise on top', () => {
    const map = tensorOf('float64', [2, 3], [1, 0, -1, 0.5, 2, 0])
    const { inputs, targets } = linearRegression({ samples: 4, map })
    const x = inputs.x.data as Float64Array
    expect(targets.shape).toEqual([4, 2])
    expect(targets.data[6]).toBeCloseTo(x[9] - x[11], 14)
    expect(targets.data[7]).toBeCloseTo(0.5 * x[9] + 2 * x[10], 14)
    const noisy = linearRegression({ samples: 1000, map, noise: 0.5 })
    const exact = linearRegression({ samples: 1000, map })
    const exactValues = numbersOf(exact.targets)
    const residual = numbersOf(noisy.targets).map((v, i) => v - exactValues[i])
    const variance = residual.reduce((s, r) => s + r * r, 0) / 2000
    // Sample variance of 2000 normals: standard deviation 0.25 √(2/2000) = 0.0079.
    expect(Math.abs(variance - 0.25)).toBeLessThan(0.032)
    expect(() => linearRegression({ map, inputs: 2 })).toThrow('[any, 2], got [2,3]')
  })

  it('teacherStudent: the targets are those of the teacher of the same options', () => {
    const options = { inputs: 3, hidden: 2, layers: 2, activation: 'relu', outputs: 2, samples: 5, seed: 3 } as const
    const { inputs, targets } = teacherStudent(options)
    const { weights } = makeTeacher(options)
    expect(weights.map((w) => w.shape)).toEqual([
      [2, 3],
      [2, 2],
      [2, 2],
    ])
    let values = Array.from(numbersOf(inputs.x).slice(6, 9))
    weights.forEach(({ shape: [out, width], data }, layer) => {
      values = Array.from({ length: out }, (_, r) => values.reduce((s, v, j) => s + data[r * width + j] * v, 0))
      if (layer < 2) values = values.map((v) => Math.max(0, v))
    })
    expect(Array.from(numbersOf(targets).slice(4, 6))).toEqual(values)
    expect(() => teacherStudent({ activation: 'gelu' as 'relu' })).toThrow('tanh or relu')
  })

  it('unitSphere: norm 1 and both signs', () => {
    const { inputs, targets, task } = unitSphere({ samples: 64, dimension: 7 })
    for (let i = 0; i < 64; i++) {
      const row = Array.from(inputs.x.data.slice(7 * i, 7 * i + 7), Number)
      expect(Math.abs(Math.hypot(...row) - 1)).toBeLessThan(1e-15 * 4)
    }
    expect(new Set(targets.data as Float64Array)).toEqual(new Set([-1, 1]))
    expect([task, targets.shape]).toEqual(['regression', [64, 1]])
  })
})
