import { constant, evaluate, numbersOf, sizeOf, tensor, tensorOf } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { readGolden } from '../../test/read-golden.ts'
import { activationNames } from './activation.ts'
import { activationSecondMoment } from './activation-moments.ts'
import { cnn } from './cnn.ts'
import { convResnet } from './conv-resnet.ts'
import { linearNetwork, mlp } from './mlp.ts'
import { modelFromSpec, modelKinds } from './model-from-spec.ts'
import type { ModelSpec } from './model-from-spec.ts'
import { parameterCount, parameterViews } from './model.ts'
import type { Model } from './model.ts'
import { residualMlp, scaledMlp } from './residual-mlp.ts'
import { resnet } from './resnet.ts'

/** Outputs for x [n × input], by the reference interpreter. */
function outputsOf(model: Model, theta: Float64Array, x: ArrayLike<number>): Float64Array {
  const n = x.length / sizeOf(model.inputs[0].shape)
  const parameters = parameterViews(model, constant(tensor('float64', [theta.length], theta)))
  const input = constant(tensorOf('float64', [n, ...model.inputs[0].shape], x))
  const out = model.forward(parameters, [input])
  expect(out.shape).toEqual([n, ...model.outputShape])
  return numbersOf(evaluate([out])[0])
}

function expectClose(actual: Float64Array, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < actual.length; i++) expect(Math.abs(actual[i] - expected[i])).toBeLessThan(tolerance)
}

interface GoldenModel {
  readonly named: readonly (readonly [name: string, shape: readonly number[]])[]
  readonly theta: readonly number[]
  readonly x: readonly number[]
  readonly outputs: readonly number[]
}

describe('against PyTorch', () => {
  const { cases } = readGolden<{ cases: Record<string, GoldenModel> }>('models')
  const small = { depth: 8, width: 2, outputs: 5, inputShape: [3, 9, 8], groups: 2 }
  const models: Record<string, Model> = {
    mlp: mlp({ widths: [3, 4, 4, 2], activation: 'tanh' }),
    cnn: cnn({ inputShape: [2, 8, 5], channels: [3, 4], hidden: [5], outputs: 3 }),
    'resnet-A-group': resnet({ ...small, shortcut: 'A', normalization: 'group' }),
    'resnet-B-batch': resnet({ ...small, shortcut: 'B', normalization: 'batch' }),
    'resnet-none-none': resnet({ ...small, shortcut: 'none', normalization: 'none' }),
    'resnet-A-layer': resnet({ ...small, shortcut: 'A', normalization: 'layer' }),
  }

  test.each(Object.keys(cases))('%s: shapes, order of parameters, outputs', (name) => {
    const golden = cases[name]
    const model = models[name]
    const shapes = new Map(model.parameters.map((p) => [p.name, p.shape]))
    const ours = name === 'mlp' ? [...shapes.values()] : golden.named.map(([key]) => shapes.get(key))
    expect(ours).toEqual(golden.named.map(([, shape]) => shape))
    expectClose(outputsOf(model, reordered(model, golden), golden.x), golden.outputs, 1e-12)
  })

  /** PyTorch lists a module's parameters in the order of its constructor; ours are matched by name. */
  function reordered(model: Model, { named, theta }: GoldenModel): Float64Array {
    const parts = new Map<string, readonly number[]>()
    let at = 0
    for (const [name, shape] of named) parts.set(name, theta.slice(at, (at += sizeOf(shape))))
    if (!parts.has(model.parameters[0].name)) return Float64Array.from(theta)
    return Float64Array.from(model.parameters.flatMap(({ name }) => [...parts.get(name)!]))
  }
})

describe('initialization', () => {
  const wide = (initialization: Parameters<typeof mlp>[0]['initialization']): Float64Array =>
    mlp({ widths: [200, 300, 1], activation: 'relu', initialization }).initialize(3)
  const layer = (theta: Float64Array): { weight: Float64Array; bias: Float64Array } => ({
    weight: theta.subarray(0, 60000),
    bias: theta.subarray(60000, 60300),
  })
  const deviation = (x: Float64Array): number => Math.sqrt(x.reduce((s, v) => s + v * v, 0) / x.length)

  test.each([
    ['he-normal', Math.sqrt(2 / 200), 0],
    ['he-uniform', Math.sqrt(2 / 200), 0],
    ['glorot-normal', Math.sqrt(2 / 500), 0],
    ['glorot-uniform', Math.sqrt(2 / 500), 0],
    ['lecun-normal', Math.sqrt(1 / 200), 0],
    ['pytorch-default', Math.sqrt(1 / 600), Math.sqrt(1 / 600)],
    ['standard-normal', 1, 1],
    ['orthogonal', Math.sqrt(2 / 300), 0],
    ['zeros', 0, 0],
  ] as const)('%s: standard deviations of weights and biases', (name, weights, biases) => {
    const { weight, bias } = layer(wide(name))
    // 60000 and 300 draws: four standard errors of a standard deviation are 1.2 % and 17 %.
    expect(Math.abs(deviation(weight) - weights)).toBeLessThanOrEqual(0.012 * weights)
    expect(Math.abs(deviation(bias) - biases)).toBeLessThanOrEqual(0.17 * biases)
  })

  test('uniform schemes stay within their bounds', () => {
    const { weight, bias } = layer(wide('pytorch-default'))
    for (const v of [...weight, ...bias]) expect(Math.abs(v)).toBeLessThanOrEqual(1 / Math.sqrt(200))
    for (const v of layer(wide('he-uniform')).weight) expect(Math.abs(v)).toBeLessThanOrEqual(Math.sqrt(6 / 200))
  })

  test('orthogonal: the shorter side is orthonormal up to the gain', () => {
    const { weight } = layer(wide('orthogonal'))
    for (const [a, b] of [
      [0, 0],
      [0, 1],
      [57, 57],
      [13, 199],
    ]) {
      let product = 0
      for (let i = 0; i < 300; i++) product += weight[i * 200 + a] * weight[i * 200 + b]
      expect(product).toBeCloseTo(a === b ? 2 : 0, 12)
    }
    const last = mlp({ widths: [5, 3], initialization: 'orthogonal' }).initialize(0)
    const rows = [0, 1].map((r) => last.subarray(5 * r, 5 * r + 5))
    expect(rows[0].reduce((s, v, i) => s + v * rows[1][i], 0)).toBeCloseTo(0, 12)
    expect(rows[0].reduce((s, v) => s + v * v, 0)).toBeCloseTo(1, 12)
  })

  test('equal seeds give equal bits, other seeds other numbers', () => {
    const model = mlp({ widths: [4, 5, 2] })
    expect(model.initialize(1)).toEqual(model.initialize(1))
    expect(model.initialize(1)).not.toEqual(model.initialize(2))
  })

  test('a parameter does not depend on those before it', () => {
    const narrow = linearNetwork([3, 2, 4]).initialize(9)
    const bare = linearNetwork([3, 5, 4], 'standard-normal').initialize(9)
    const again = linearNetwork([7, 5, 4], 'standard-normal').initialize(9)
    expect(bare.subarray(15)).toEqual(again.subarray(35))
    expect(narrow.length).toBe(14)
  })
})

describe('shapes and options', () => {
  test('skip adds the input of layers of equal width', () => {
    const plain = mlp({ widths: [2, 2, 1], activation: 'linear' })
    const skipping = mlp({ widths: [2, 2, 1], activation: 'linear', skip: true })
    // W₁ = 0, b₁ = 0, W₂ = (1, 2), b₂ = 0: without the skip nothing passes.
    const theta = Float64Array.of(0, 0, 0, 0, 0, 0, 1, 2, 0)
    expect([...outputsOf(plain, theta, [3, 5])]).toEqual([0])
    expect([...outputsOf(skipping, theta, [3, 5])]).toEqual([13])
  })

  test('a linear network is the product of its matrices', () => {
    const model = linearNetwork([2, 2, 1])
    expect([...outputsOf(model, Float64Array.of(1, 2, 3, 4, 5, 6), [1, 1, 0, 1])]).toEqual([57, 34])
  })

  test('every parameter knows its filters', () => {
    const models = [
      mlp({ widths: [3, 4, 2] }),
      cnn({ inputShape: [1, 8, 8], channels: [4, 6], outputs: 10, pool: 'average' }),
      resnet({ depth: 14, outputs: 10, width: 8, shortcut: 'B' }),
      scaledMlp({ inputs: 4, depth: 2, width: 8 }),
      convResnet({ inputShape: [2, 6], depth: 3, width: 8, patch: 4 }),
    ]
    for (const { parameters } of models)
      for (const { role, outputAxis, shape } of parameters) {
        expect(outputAxis).toBe(0)
        expect(shape.length > 1 ? 'weight' : role === 'weight' ? 'a vector is no weight' : role).toBe(role)
      }
  })

  test('ResNet-20 and ResNet-56 have the published sizes', () => {
    // He et al. 2016, table 6: 0.27 M and 0.85 M (shortcut A, batch normalisation).
    expect(parameterCount(resnet({ depth: 20, outputs: 10, normalization: 'batch' }))).toBe(269722)
    expect(parameterCount(resnet({ depth: 56, outputs: 10, normalization: 'batch' }))).toBe(853018)
  })

  test.each([
    ['mlp', () => mlp({ widths: [3] }), /widths must list at least input and output/],
    ['mlp', () => mlp({ widths: [3, 0, 1] }), /widths\[1\] must be an integer ≥ 1, got 0/],
    ['mlp', () => mlp({ widths: [3, 1], activation: 'rleu' as 'relu' }), /activation: must be one of .*got rleu/],
    ['resnet', () => resnet({ depth: 18, outputs: 10 }), /6n \+ 2/],
    ['resnet', () => resnet({ depth: 20, outputs: 10, groups: 5 }), /groups must divide the 16 channels/],
    ['cnn', () => cnn({ inputShape: [1, 4, 4], channels: [2, 2, 2], outputs: 2 }), /at least 8 × 8, got 4 × 4/],
    ['residualMlp', () => residualMlp({ inputs: 2, depth: 2, width: 3, cRes: 1 }), /cRes/],
    [
      'spec',
      () => modelFromSpec({ kind: 'mlp', widths: [1, 1], dropout: 1 } as ModelSpec),
      /mlp has no option dropout/,
    ],
    ['spec', () => modelFromSpec({ kind: 'gpt' } as unknown as ModelSpec), /kind must be one of mlp, .*got gpt/],
  ])('%s refuses what makes no sense', (_, build, message) => {
    expect(build).toThrow(message)
  })

  test('a specification gives what its builder gives', () => {
    const specs: ModelSpec[] = [
      { kind: 'mlp', widths: [3, 4, 2], activation: 'gelu', bias: false, skip: true, initialization: 'he-normal' },
      { kind: 'linear-network', widths: [3, 2, 3] },
      { kind: 'cnn', inputShape: [1, 8, 8], channels: [3], outputs: 2 },
      { kind: 'resnet', depth: 8, outputs: 3, width: 8 },
      { kind: 'scaled-mlp', inputs: 3, depth: 2, width: 5 },
      { kind: 'residual-mlp', inputs: 3, depth: 2, width: 5, cRes: 0.3 },
      { kind: 'conv-resnet', inputShape: [2, 5], depth: 2, width: 4, patch: 3 },
    ]
    expect(specs.map(({ kind }) => kind)).toEqual(modelKinds)
    const [first] = specs.map(modelFromSpec)
    expect(first.architecture).toEqual({ kind: 'mlp', widths: [3, 4, 2], activation: 'gelu', bias: false, skip: true })
    expect(first.initialize(1)).toEqual(
      mlp({ widths: [3, 4, 2], activation: 'gelu', bias: false, skip: true, initialization: 'he-normal' }).initialize(
        1,
      ),
    )
  })
})

describe('wide networks of Du et al.', () => {
  test('second moments of activations', () => {
    expect(activationSecondMoment('relu')).toBeCloseTo(0.5, 14)
    expect(activationSecondMoment('linear')).toBeCloseTo(1, 14)
    expect(activationSecondMoment('erf')).toBeCloseTo((2 / Math.PI) * Math.asin(2 / 3), 14)
    expect(activationSecondMoment('sin')).toBeCloseTo((1 - Math.exp(-2)) / 2, 14)
    for (const name of activationNames) expect(activationSecondMoment(name)).toBeGreaterThan(0)
  })

  const softplus = (z: number): number => Math.log1p(Math.exp(z))

  test('fully connected: f = aᵀ √(c/m) σ(W₂ √(c/m) σ(W₁ x))', () => {
    const model = scaledMlp({ inputs: 2, depth: 2, width: 3 })
    const theta = model.initialize(5)
    const scale = Math.sqrt(1 / activationSecondMoment('softplus') / 3)
    const x = [0.6, 0.8]
    const apply = (from: number, inputs: number[]): number[] =>
      [0, 1, 2].map((r) => inputs.reduce((s, v, j) => s + theta[from + r * inputs.length + j] * v, 0))
    const first = apply(0, x).map((z) => scale * softplus(z))
    const second = apply(6, first).map((z) => scale * softplus(z))
    const expected = second.reduce((s, v, i) => s + theta[15 + i] * v, 0)
    expect(outputsOf(model, theta, x)[0]).toBeCloseTo(expected, 13)
  })

  test('residual: the later layers add c_res/(H√m) σ(W x)', () => {
    const model = residualMlp({ inputs: 2, depth: 2, width: 3, cRes: 0.25 })
    const theta = model.initialize(5)
    const plain = Math.sqrt(1 / activationSecondMoment('softplus') / 3)
    const x = [0.6, 0.8]
    const apply = (from: number, inputs: number[]): number[] =>
      [0, 1, 2].map((r) => inputs.reduce((s, v, j) => s + theta[from + r * inputs.length + j] * v, 0))
    const first = apply(0, x).map((z) => plain * softplus(z))
    const second = apply(6, first).map((z, i) => first[i] + (0.25 / (2 * Math.sqrt(3))) * softplus(z))
    const expected = second.reduce((s, v, i) => s + theta[15 + i] * v, 0)
    expect(outputsOf(model, theta, x)[0]).toBeCloseTo(expected, 13)
  })

  test('convolutional: patches of the zero-padded row of pixels', () => {
    const model = convResnet({ inputShape: [1, 3], depth: 1, width: 1, patch: 3, activation: 'linear' })
    // W = (1, 10, 100) on patches (0,a,b), (a,b,c), (b,c,0); a = (1, 0, 2); c_σ = 1 for the linear activation.
    expect(outputsOf(model, Float64Array.of(1, 10, 100, 1, 0, 2), [1, 2, 3])[0]).toBeCloseTo(210 + 2 * 32, 10)
    expect(activationSecondMoment('linear')).toBeCloseTo(1, 14)
  })
})
