import { describe, expect, test } from 'vitest'
import { matrix, matrixFromRows, symmetricEigenvalues } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { infiniteKernel } from './infinite-kernel.ts'
import { nearlyParallelPairs, unitRows } from './kernel-inputs.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'
import { standardKernel } from './standard-kernel.ts'
import { depthBehavior } from './depth-behavior.ts'

function unitInputs(seed: number, n: number, d: number): Matrix {
  return unitRows(matrix(n, d, randomStream(seed, 'inputs').normals(n * d)), true)
}

const sixty = matrixFromRows([
  [1, 0],
  [0.5, Math.sqrt(0.75)],
])

test('printed numbers: ReLU, K⁽¹⁾ and K⁽²⁾ at ρ = ½', () => {
  const value = (depth: number): number =>
    infiniteKernel(sixty, { architecture: 'fc', depth, activation: 'relu' }).gram.data[1]
  expect(value(1)).toBeCloseTo(0.333333333333333, 14)
  expect(value(2)).toBeCloseTo(0.431431185712729, 14)
})

test('ReLU: tangent kernel Σ_h S_{h−1} Π D + S_H, and Θ(1) = H + 1', () => {
  const k0 = (r: number): number => (Math.PI - Math.acos(r)) / Math.PI
  const k1 = (r: number): number => (Math.sqrt(1 - r * r) + r * (Math.PI - Math.acos(r))) / Math.PI
  for (const depth of [1, 2, 5]) {
    const s = [0.5]
    const d = [0]
    for (let h = 1; h <= depth; h++) {
      d.push(k0(s[h - 1]))
      s.push(k1(s[h - 1]))
    }
    let theta = s[depth]
    for (let h = 1; h <= depth; h++) theta += s[h - 1] * d.slice(h).reduce((product, value) => product * value, 1)
    const { tangent, errors } = infiniteKernel(sixty, { architecture: 'fc', depth, activation: 'relu' })
    expect(Math.abs(tangent.data[1] - theta)).toBeLessThan(1e-13)
    expect(Math.abs(tangent.data[0] - (depth + 1))).toBeLessThan(1e-13)
    expect(errors.tangent).toBeLessThan(1e-12)
  }
})

describe("neural-tangents' convention", () => {
  const x = matrix(5, 4, randomStream(3, 'any norm').normals(20))

  function reference(relu: boolean, w: number, b: number, depth: number): { nngp: number[][]; ntk: number[][] } {
    const n = x.rows
    const inner = (i: number, j: number): number =>
      (w * [0, 1, 2, 3].reduce((sum, k) => sum + x.data[4 * i + k] * x.data[4 * j + k], 0)) / 4 + b
    let nngp = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => inner(i, j)))
    let ntk = nngp.map((r) => [...r])
    for (let h = 0; h < depth; h++) {
      const k = nngp
      const both = (i: number, j: number): [number, number] => {
        const [s, t, c] = [k[i][i], k[j][j], k[i][j]]
        if (!relu)
          return [
            (2 / Math.PI) * Math.asin((2 * c) / Math.sqrt((1 + 2 * s) * (1 + 2 * t))),
            4 / Math.PI / Math.sqrt((1 + 2 * s) * (1 + 2 * t) - 4 * c * c),
          ]
        const angle = i === j ? 0 : Math.atan2(Math.sqrt(s * t - c * c), c)
        const e = (Math.sqrt(s * t) * (Math.sin(angle) + (Math.PI - angle) * Math.cos(angle))) / (2 * Math.PI)
        return [e, (Math.PI - angle) / (2 * Math.PI)]
      }
      const next = k.map((r, i) => r.map((_value, j) => w * both(i, j)[0] + b))
      ntk = next.map((r, i) => r.map((value, j) => value + w * both(i, j)[1] * ntk[i][j]))
      nngp = next
    }
    return { nngp, ntk }
  }

  test.each([
    ['relu', 2, 0, 1],
    ['relu', 2, 0.1, 3],
    ['relu', 1.5, 0.05, 5],
    ['erf', 1.5, 0.05, 2],
    ['erf', 2.25, 0, 4],
  ])('%s, weight variance %f, bias variance %f, depth %i', (activation, weightVariance, biasVariance, depth) => {
    const { nngp, ntk } = standardKernel(x, { depth, activation, weightVariance, biasVariance })
    const expected = reference(activation === 'relu', weightVariance, biasVariance, depth)
    nngp.data.forEach((value, at) => expect(Math.abs(value - expected.nngp.flat()[at])).toBeLessThan(1e-12))
    ntk.data.forEach((value, at) => expect(Math.abs(value - expected.ntk.flat()[at])).toBeLessThan(1e-12 * depth))
  })

  test('weight variance 2 without bias and the theory of unit inputs agree for ReLU', () => {
    const unit = unitInputs(1, 4, 3)
    const scaled = { ...unit, data: unit.data.map((value) => value * Math.sqrt(3 / 2)) }
    const { ntk } = standardKernel(scaled, { depth: 3, activation: 'relu', weightVariance: 2 })
    const { tangent } = infiniteKernel(unit, { architecture: 'fc', depth: 3, activation: 'relu' })
    ntk.data.forEach((value, at) => expect(Math.abs(value - tangent.data[at])).toBeLessThan(1e-13))
  })
})

describe('recursions are positive semidefinite', () => {
  test.each(['softplus', 'relu', 'tanh', 'hard-tanh', 'sin'])('%s', (activation) => {
    const x = unitInputs(8, 14, 6)
    const image = { channels: 2, pixels: 3 }
    for (const options of [
      { architecture: 'fc', depth: 4 },
      { architecture: 'resnet', depth: 4 },
      { architecture: 'conv-resnet', depth: 2, image },
    ] as const) {
      const some =
        options.architecture === 'conv-resnet' && activation === 'hard-tanh'
          ? { ...x, rows: 5, data: x.data.slice(0, 30) }
          : x
      const { gram, tangent, layers } = infiniteKernel(some, { ...options, activation })
      for (const kernel of [gram, tangent, ...layers]) {
        const values = symmetricEigenvalues(kernel)
        expect(values[0]).toBeGreaterThan(-1e-13 * values[values.length - 1])
      }
      expect(symmetricEigenvalues(gram)[0]).toBeGreaterThan(0)
    }
  })
})

test('depth: geometric with ratio χ for softplus, H² λ level for residual nets, polynomial for ReLU', async () => {
  const x = matrixFromRows([
    [1, 0],
    [0.6, 0.8],
    [0, 1],
  ])
  const depths = Array.from({ length: 10 }, (_, i) => i + 1)
  const softplus = await depthBehavior(x, depths)
  expect(softplus.chi).toBeCloseTo(0.31846, 5)
  expect(Math.abs(softplus.points[9].ratio! - softplus.chi)).toBeLessThan(1e-4)
  expect(softplus.points[1].scaledResnet).toBeCloseTo(0.0069, 4)
  expect(softplus.points[9].scaledResnet).toBeCloseTo(0.0081, 4)
  const relu = await depthBehavior(x, [9, 10], { activation: 'relu' })
  expect(relu.chi).toBe(1)
  expect(relu.points[1].ratio!).toBeGreaterThan(0.9)
})

test('a zero patch, opposite pixels and one pixel', () => {
  const x = matrixFromRows([
    [1, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0.6, 0.8],
  ])
  const { gram, layers } = infiniteKernel(x, {
    architecture: 'conv-resnet',
    depth: 2,
    activation: 'relu',
    image: { channels: 1, pixels: 6 },
    patch: 1,
  })
  expect([...gram.data].every(Number.isFinite)).toBe(true)
  expect(layers[0].data[1]).toBe(0)
  const single = infiniteKernel(sixty, {
    architecture: 'conv-resnet',
    depth: 3,
    image: { channels: 2, pixels: 1 },
    patch: 1,
  })
  const plain = infiniteKernel(sixty, { architecture: 'resnet', depth: 3 })
  single.gram.data.forEach((value, at) => expect(Math.abs(value - plain.gram.data[at])).toBeLessThan(1e-15))
})

describe('λ_min with its bound', () => {
  test('both methods agree within their bounds', async () => {
    const x = unitInputs(11, 520, 40)
    const { gram } = infiniteKernel(x, { architecture: 'fc', depth: 2, activation: 'relu', layers: false })
    const large = await smallestEigenvalue(gram)
    expect(large.method).toBe('factored')
    expect(large.bound).toBeLessThan(1e-8 * large.value)
    expect(Math.abs(large.value - symmetricEigenvalues(gram)[0])).toBeLessThan(large.bound)
    const small = {
      rows: 60,
      cols: 60,
      data: Float64Array.from({ length: 3600 }, (_, at) => gram.data[Math.floor(at / 60) * 520 + (at % 60)]),
    }
    const dense = await smallestEigenvalue(small, 1e-12)
    expect(dense.method).toBe('dense')
    expect(dense.bound).toBeGreaterThan(60e-12)
  })

  test('repeated inputs: zero within the bound', async () => {
    const x = matrixFromRows([
      [1, 0],
      [0.6, 0.8],
      [0.6, 0.8],
    ])
    const kernel = infiniteKernel(x, { architecture: 'fc', depth: 2 })
    const { value, bound } = await smallestEigenvalue(kernel.gram, kernel.errors.gram)
    expect(Math.abs(value)).toBeLessThanOrEqual(bound)
  })
})

test('inputs of another norm are refused, or divided by it', () => {
  const x = matrixFromRows([
    [1, 0],
    [3, 4],
  ])
  expect(() => infiniteKernel(x, { architecture: 'fc', depth: 1 })).toThrow(/norm 1, got 5.00000 in sample 1/)
  const { gram } = infiniteKernel(x, { architecture: 'fc', depth: 1, normalize: true })
  const same = infiniteKernel(
    matrixFromRows([
      [1, 0],
      [0.6, 0.8],
    ]),
    { architecture: 'fc', depth: 1 },
  )
  gram.data.forEach((value, at) => expect(value).toBeCloseTo(same.gram.data[at], 15))
  expect(() => infiniteKernel(matrixFromRows([[0, 0]]), { architecture: 'fc', depth: 1, normalize: true })).toThrow(
    /zero/,
  )
  expect(() => infiniteKernel(x, { architecture: 'conv-resnet', depth: 1, normalize: true })).toThrow(/needs the image/)
  expect(() => infiniteKernel(x, { architecture: 'fc', depth: 0, normalize: true })).toThrow(/depth/)
})

test('nearly parallel pairs, up to sign', () => {
  const x = matrixFromRows([
    [1, 0],
    [0, 2],
    [Math.cos(1e-9), Math.sin(1e-9)],
    [-1, 1e-3],
  ])
  const [first, second] = nearlyParallelPairs(x, 2)
  expect(first.samples).toEqual([0, 2])
  expect(first.angle).toBeCloseTo(1e-9 * (180 / Math.PI), 15)
  expect(second).toMatchObject({ opposite: true })
  expect(second.angle).toBeCloseTo(0.0573, 4)
})

test('a sample of zeros has no direction and spoils no pair', () => {
  const x = matrixFromRows([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])
  const pairs = nearlyParallelPairs(x)
  expect(pairs.map(({ samples }) => samples)).toEqual([
    [1, 3],
    [2, 3],
    [1, 2],
  ])
  expect(pairs[0].angle).toBeCloseTo(45, 12)
})
