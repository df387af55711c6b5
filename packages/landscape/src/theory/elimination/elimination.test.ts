import { nativeEngine } from '@thalweg/engine/node'
import { tensorOf } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { makeDataset } from '../../data/index.ts'
import { denseOf, norm, symmetricEigenvalues } from '../../linalg/index.ts'
import { Loss } from '../../loss/index.ts'
import type { LossSpec } from '../../loss/index.ts'
import { cnn, mlp } from '../../model/index.ts'
import type { Model } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { certify } from './certificate.ts'
import { eliminate } from './eliminate.ts'
import { frozenInfimum } from './frozen-infimum.ts'
import { withExponentialNeurons, withLayerNeurons, withMonomialNeurons } from './added-neurons.ts'
import { functionOptimum, hingeInfimum } from './function-optimum.ts'
import { ModifiedLoss } from './modified-loss.ts'
import { AmplitudeChart } from './amplitude-chart.ts'
import { quasiNewton } from './quasi-newton.ts'
import { neuronsOfVariant } from './neuron-variant.ts'
import { scaledLossVariant } from './scaled-loss-variant.ts'
import { stiffGradientFlow } from './stiff-gradient-flow.ts'
import { tangentModel } from './tangent-model.ts'
import { polynomialLoss, rowsDataset, sineLoss, squared } from './toy-problems.ts'
import { vacuityOf } from './vacuity.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const normalRows = (seed: number, n: number, d: number): number[][] => {
  const stream = randomStream(seed, 'test rows')
  return Array.from({ length: n }, () => Array.from({ length: d }, () => stream.normal()))
}

function regressionLoss(model: Model, n: number, d: number, k: number, spec: LossSpec = squared): Loss {
  return new Loss({ engine, model, dataset: rowsDataset(normalRows(1, n, d), normalRows(2, n, k)), spec })
}

function labeledLoss(model: Model, x: number[][], labels: number[], classCount: number, spec: LossSpec): Loss {
  const dataset = makeDataset({
    name: 'labels',
    inputs: { x: tensorOf('float64', [x.length, ...model.inputs[0].shape], x.flat()) },
    targets: tensorOf('int64', [labels.length], labels),
    task: 'classification',
    classCount,
    origin: 'test',
  })
  return new Loss({ engine, model, dataset, spec })
}

describe('the modified loss', () => {
  const loss = regressionLoss(mlp({ widths: [3, 4, 2], activation: 'tanh' }), 9, 3, 2)
  const modified = new ModifiedLoss(loss, { lambda: 0.3 })

  test('value by hand, gradient and Hessian against differences', async () => {
    const z = randomStream(4, 'point').normals(modified.size)
    const f = await loss.outputs(modified.theta(z).slice())
    const [a, b, w] = [modified.part(z, 'a'), modified.part(z, 'b'), modified.part(z, 'w')]
    let sum = 0
    for (let i = 0; i < 9; i++)
      for (let k = 0; k < 2; k++) {
        const u = [0, 1, 2].reduce((s, j) => s + w[3 * k + j] * modified.features[3 * i + j], b[k])
        sum += (f[2 * i + k] + a[k] * Math.exp(u) - (loss.dataset.targets.data[2 * i + k] as number)) ** 2
      }
    const { value, gradient } = await modified.valueAndGradient(z)
    expect(value).toBeCloseTo(sum / 9 + 0.3 * norm(a) ** 2, 10)
    const v = randomStream(5, 'direction').normals(modified.size)
    const h = 1e-6
    const along = async (s: number) => modified.valueAndGradient(z.map((t, i) => t + s * v[i]))
    const [plus, minus] = [await along(h), await along(-h)]
    const slope = gradient.reduce((s, g, i) => s + g * v[i], 0)
    expect(Math.abs((plus.value - minus.value) / (2 * h) / slope - 1)).toBeLessThan(1e-6)
    const product = await modified.at(z).hessian.apply(v)
    const difference = plus.gradient.map((g, i) => (g - minus.gradient[i]) / (2 * h) - product[i])
    expect(norm(difference) / norm(product)).toBeLessThan(1e-6)
  })

  test('exponents of thousands do not overflow', async () => {
    const z = modified.start(loss.model.initialize(0), { seed: 1 })
    modified.part(z, 'b').fill(5000)
    modified.part(z, 'w').fill(300)
    expect(await modified.value(z)).toBeCloseTo(await loss.value(loss.model.initialize(0)), 12)
    const chart = new AmplitudeChart(modified, modified.part(z, 'w'))
    const xi = chart.from(z)
    xi[modified.neurons.a.start] = 0.7
    const { value, gradient } = await chart.valueAndGradient(xi)
    expect(Number.isFinite(value) && gradient.every(Number.isFinite)).toBe(true)
  })

  test('the chart is the same function', async () => {
    const z = randomStream(6, 'point').normals(modified.size)
    const chart = new AmplitudeChart(modified, modified.part(z, 'w'))
    const xi = chart.from(z)
    const { value, gradient } = await chart.valueAndGradient(xi)
    expect(Math.abs(value / (await modified.value(z)) - 1)).toBeLessThan(1e-12)
    expect(norm(chart.to(xi).map((v, i) => v - z[i]))).toBeLessThan(1e-12 * norm(z))
    const v = randomStream(7, 'direction').normals(modified.size)
    const at = async (s: number) => (await chart.valueAndGradient(xi.map((t, i) => t + s * v[i]))).value
    const slope = gradient.reduce((s, g, i) => s + g * v[i], 0)
    expect(Math.abs(((await at(1e-6)) - (await at(-1e-6))) / 2e-6 / slope - 1)).toBeLessThan(1e-6)
  })

  test('images are flattened; integers are refused with the reason', async () => {
    const model = cnn({ inputShape: [1, 4, 4], channels: [2], outputs: 3 })
    const neurons = withExponentialNeurons(model)
    expect(neurons.features).toBe(16)
    const tokens: Model = { ...mlp({ widths: [3, 2] }), inputs: [{ name: 'tokens', dtype: 'int64', shape: [3] }] }
    expect(() => withExponentialNeurons(tokens)).toThrow(/real inputs, got int64 for input tokens/)
  })
})

describe('the certificate', () => {
  test('C-5: rejects the trap with negative curvature', async () => {
    const loss = polynomialLoss(engine, [-1, 0, 1], [-3, 0, 4])
    const modified = new ModifiedLoss(loss, { lambda: 0.1 })
    const z = Float64Array.of(0, 0, 0, Math.acosh(1.5))
    expect(norm((await modified.valueAndGradient(z)).gradient)).toBeLessThan(1e-14)
    const { matrix } = await denseOf(modified.at(z).hessian)
    expect(symmetricEigenvalues(matrix)[0]).toBeCloseTo(-0.376049780401, 11)
    const { accepted, witness } = await certify(modified, z)
    expect(accepted).toBe(false)
    expect(witness!.decrease).toBeGreaterThan(0)
    expect(Math.abs(witness!.decrease / witness!.predicted! - 1)).toBeLessThan(1e-6)
    expect(await modified.value(witness!.z)).toBeLessThan(await modified.value(z))
  })

  test('C-5: rejects the trap whose Hessian is positive semidefinite', async () => {
    const loss = polynomialLoss(engine, [-1, 0, 1], [-2, 0, 3])
    const modified = new ModifiedLoss(loss, { lambda: 0.1 })
    const z = Float64Array.of(0, 0, 0, 0)
    expect(norm((await modified.valueAndGradient(z)).gradient)).toBeLessThan(1e-15)
    const { matrix } = await denseOf(modified.at(z).hessian)
    expect(symmetricEigenvalues(matrix)[0]).toBeGreaterThan(-1e-14)
    const before = await modified.value(z)
    const { accepted, witness, gap } = await certify(modified, z)
    expect(accepted).toBe(false)
    expect(gap).toBeCloseTo(2, 12)
    expect(witness!.decrease).toBeGreaterThan(0)
    // δ⁴ / (9 (λ + 1))
    for (const delta of [0.1, 0.05]) {
      const moved = Float64Array.of(0, 0, 0, delta)
      const rejected = await certify(modified, moved)
      expect(rejected.witness!.moved).toBe(0)
      expect(before - (await modified.value(rejected.witness!.z))).toBeCloseTo(delta ** 4 / (9 * 1.1), 6)
    }
  })

  test('shrinking a is a strict decrease wherever a ≠ 0, by λa²(1 − e⁻²)', async () => {
    const loss = polynomialLoss(engine, [-1, 0, 1], [-2, 0, 3])
    const modified = new ModifiedLoss(loss, { lambda: 0.1 })
    const { witness } = await certify(modified, Float64Array.of(0, 0.4, 0.2, -0.3))
    expect(witness!.kind).toBe('shrink-a')
    expect(witness!.decrease).toBeCloseTo(0.1 * 0.16 * (1 - Math.exp(-2)), 12)
  })

  test('equal inputs count together: a group mean is optimal although no residual vanishes', async () => {
    const loss = polynomialLoss(engine, [0, 0, 1], [0], [-1, 1, 0])
    const modified = new ModifiedLoss(loss, { lambda: 0.1 })
    const { accepted, gap, groups, loss: value } = await certify(modified, Float64Array.of(0, 0, 0, 0.3))
    expect(accepted).toBe(true)
    expect(groups).toBe(2)
    expect(value).toBeCloseTo(2 / 3, 14)
    expect(gap).toBeCloseTo(0, 14)
  })
})

test('cross-entropy that is nearly zero is not certified: no function attains the infimum', async () => {
  const loss = labeledLoss(mlp({ widths: [1, 2] }), [[-1], [1]], [0, 1], 2, {
    name: 'cross-entropy',
    reduction: 'mean',
  })
  const modified = new ModifiedLoss(loss)
  const z = modified.start(Float64Array.of(-30, 30, 0, 0))
  const { accepted, groupGradientMax } = await certify(modified, z)
  expect(groupGradientMax).toBeLessThan(1e-20)
  expect(accepted).toBe(false)
  const run = await eliminate(loss, Float64Array.of(-1, 1, 0, 0), { evenIfVacuous: true, method: 'quasi-newton' })
  expect(run.outcome).toBe('vacuous')
})

describe('the optimum over all functions', () => {
  test('of the polynomial hinge against a search', () => {
    for (const [plus, minus, power] of [
      [1, 1, 2],
      [3, 1, 2],
      [2, 5, 3],
      [4, 1, 4],
    ]) {
      let least = Number.POSITIVE_INFINITY
      for (let q = -1; q <= 1; q += 1e-5)
        least = Math.min(least, plus * Math.max(0, 1 - q) ** power + minus * Math.max(0, 1 + q) ** power)
      expect(hingeInfimum(plus, minus, power)).toBeCloseTo(least, 7)
    }
  })

  test('of duplicates: group variance, group entropy', () => {
    const x = [[0], [0], [1]]
    const squares = new Loss({
      engine,
      model: mlp({ widths: [1, 2, 1] }),
      dataset: rowsDataset(x, [[1], [3], [5]]),
      spec: squared,
    })
    expect(functionOptimum(squares)).toMatchObject({ value: 2 / 3, attained: true })
    const ce: LossSpec = { name: 'cross-entropy', reduction: 'mean' }
    const mixed = labeledLoss(mlp({ widths: [1, 2, 2] }), x, [0, 1, 1], 2, ce)
    expect(functionOptimum(mixed).value).toBeCloseTo((2 * Math.log(2)) / 3, 14)
    expect(functionOptimum(mixed).attained).toBe(false)
    const full = labeledLoss(mlp({ widths: [1, 2, 2] }), [[0], [0]], [0, 1], 2, ce)
    expect(functionOptimum(full).attained).toBe(true)
    const hinge = labeledLoss(mlp({ widths: [1, 2, 1] }), x, [0, 1, 1], 2, {
      name: 'hinge',
      reduction: 'sum',
      power: 3,
    })
    expect(functionOptimum(hinge).value).toBeCloseTo(hingeInfimum(1, 1, 3), 14)
  })
})

describe('what is known beforehand', () => {
  const xor = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]

  test('cross-entropy on consistent labels is vacuous; smoothing makes it attainable', async () => {
    const ce = labeledLoss(mlp({ widths: [2, 8, 2] }), xor, [0, 1, 1, 0], 2, {
      name: 'cross-entropy',
      reduction: 'mean',
    })
    expect(await vacuityOf(ce)).toMatchObject({ vacuous: true, reason: 'infimum-not-attained' })
    const smooth = labeledLoss(mlp({ widths: [2, 8, 2] }), xor, [0, 1, 1, 0], 2, {
      name: 'cross-entropy',
      reduction: 'mean',
      labelSmoothing: 0.1,
    })
    expect(await vacuityOf(smooth)).toMatchObject({ vacuous: false, reason: null })
    expect((await eliminate(ce, ce.model.initialize(0))).outcome).toBe('vacuous')
  })

  test('linear nets that cannot interpolate, l1 and weight decay', async () => {
    const targets = [[0], [1], [1], [0]]
    const make = (activation: 'linear' | 'tanh', spec: LossSpec, weightDecay = 0): Loss =>
      new Loss({
        engine,
        model: mlp({ widths: [2, 3, 1], activation }),
        dataset: rowsDataset(xor, targets),
        spec,
        weightDecay,
      })
    expect(await vacuityOf(make('linear', squared))).toMatchObject({ vacuous: true, reason: 'cannot-interpolate' })
    expect(await vacuityOf(make('tanh', squared))).toMatchObject({ vacuous: false, reason: null })
    expect(await vacuityOf(make('tanh', squared, 0.1))).toMatchObject({ vacuous: true, reason: 'weight-decay' })
    expect(await vacuityOf(make('tanh', { name: 'l1', reduction: 'mean' }))).toMatchObject({
      applies: false,
      reason: 'not-differentiable',
    })
    const narrow = new Loss({
      engine,
      model: mlp({ widths: [2, 1, 1], activation: 'tanh' }),
      dataset: rowsDataset(normalRows(1, 9, 2), normalRows(2, 9, 1)),
      spec: squared,
    })
    expect(await vacuityOf(narrow)).toMatchObject({ vacuous: false, reason: 'fewer-parameters' })
  })

  test('linear nets: exact interpolation is not taken for a gap, a bottleneck is one', async () => {
    const reasonOf = async (widths: number[], n: number): Promise<string | null> =>
      (await vacuityOf(regressionLoss(mlp({ widths, activation: 'linear' }), n, 4, 2))).reason
    expect(await reasonOf([4, 2], 3)).toBeNull()
    expect(await reasonOf([4, 3, 2], 3)).toBeNull()
    expect(await reasonOf([4, 1, 2], 3)).toBe('cannot-interpolate')
    expect(await reasonOf([4, 3, 2], 9)).toBe('cannot-interpolate')
  })

  test('a linear network that tells nothing but its graph is recognized', async () => {
    const known = mlp({ widths: [2, 3, 1], activation: 'linear' })
    const xorLoss = new Loss({
      engine,
      model: { ...known, architecture: { kind: 'unknown' } },
      dataset: rowsDataset(xor, [[0], [1], [1], [0]]),
      spec: squared,
    })
    expect(await vacuityOf(xorLoss)).toMatchObject({ vacuous: true, reason: 'cannot-interpolate' })
  })
})

describe('the failure mode', () => {
  test('C-4: the infimum at frozen θ does not depend on λ', async () => {
    const loss = sineLoss(engine)
    const { x: theta } = await quasiNewton((at) => loss.valueAndGradient(at), Float64Array.of(5.58), {
      maxSteps: 50,
      gradientTolerance: 1e-13,
    })
    expect(theta[0]).toBeCloseTo(5.5857, 4)
    for (const lambda of [0.01, 1, 100]) {
      const modified = new ModifiedLoss(loss, { lambda })
      const infimum = await frozenInfimum(modified, theta)
      expect(infimum).toMatchObject({ kind: 'search', limits: 0 })
      expect(infimum!.value).toBeCloseTo(0.3349370773, 10)
      // At b = 15 the best a comes this close to it, whatever λ.
      const z = Float64Array.of(theta[0], 0, 15, infimum!.w[0][0])
      const { value, gradient } = await modified.valueAndGradient(z)
      const curvature = (await modified.at(z).hessian.apply(Float64Array.of(0, 1, 0, 0)))[1]
      expect(value - gradient[1] ** 2 / (2 * curvature)).toBeCloseTo(infimum!.value, 9)
      expect(value - gradient[1] ** 2 / (2 * curvature)).toBeGreaterThan(infimum!.value - 1e-14)
    }
  })

  test('P1: steps of fixed length pretend to converge, and are found out', async () => {
    const loss = sineLoss(engine)
    const start = { a: Float64Array.of(0), b: Float64Array.of(0), w: Float64Array.of(0) }
    const result = await eliminate(loss, Float64Array.of(5.4), {
      method: 'gradient-descent',
      learningRate: 0.01,
      maxSteps: 30_000,
      start,
    })
    expect(result.divergence.fakeConvergence).toBe(true)
    expect(result.history.at(-1)!.gradientNorm).toBeGreaterThan(0.1)
    expect(result.outcome).toBe('failure-mode')
    expect(result.neuron.b[0]).toBeCloseTo(1.565, 2)
    const honest = await eliminate(loss, Float64Array.of(5.4), {
      method: 'gradient-descent',
      learningRate: 0.01,
      maxSteps: 2000,
      start,
    })
    expect(honest.divergence.fakeConvergence).toBe(false)
  })

  test('sin(θx) from 5.4: the flow diverges by type A, from 2.9 by type B, from 1.4 it converges', async () => {
    const loss = sineLoss(engine)
    const start = { a: Float64Array.of(0), b: Float64Array.of(0), w: Float64Array.of(0) }
    const a = await eliminate(loss, Float64Array.of(5.4), { start })
    expect(a.outcome).toBe('failure-mode')
    expect(a.divergence.type).toBe('A')
    expect(a.divergence.amplitudeLaw).toBeCloseTo(0.25, 1)
    expect(a.divergence.gradientTimesTime).toBeCloseTo(0.5, 1)
    const b = await eliminate(loss, Float64Array.of(2.9), { start })
    expect(b.divergence.type).toBe('B')
    expect(b.divergence.gradientTimesTime).toBeCloseTo(1 / 1.1, 1)
    const good = await eliminate(loss, Float64Array.of(1.4), { start })
    expect(good).toMatchObject({ outcome: 'certified', divergence: { type: null } })
    expect(good.lossAfter).toBeLessThan(1e-18)
    expect(good.theta[0]).toBeCloseTo(1, 9)
  })

  test('quasi-newton in the amplitude chart reports the same failure', async () => {
    const loss = sineLoss(engine)
    const result = await eliminate(loss, Float64Array.of(5.4), { method: 'quasi-newton', seed: 1 })
    expect(result.outcome).toBe('failure-mode')
    expect(result.divergence.type).toBe('A')
    const infimum = await frozenInfimum(new ModifiedLoss(loss), result.theta)
    expect(result.modifiedLoss).toBeCloseTo(infimum!.value, 5)
  })
})

test('C-7: an interpolating net trained with the neurons is certified, whatever the method', async () => {
  const loss = regressionLoss(mlp({ widths: [2, 10, 1], activation: 'tanh', initialization: 'glorot-normal' }), 5, 2, 1)
  for (const method of ['flow', 'quasi-newton'] as const) {
    const result = await eliminate(loss, loss.model.initialize(3), { method })
    expect(result.outcome).toBe('certified')
    expect(result.certificate!.groupGradientMax).toBeLessThan(1e-8)
    expect(norm(result.neuron.alpha)).toBeLessThan(1e-5)
    expect(result.lossAfter).toBeLessThan(1e-12)
  }
})

test('C-6: at a stationary point the loss is the least-squares value of the tangent features', async () => {
  const x = normalRows(1, 12, 2)
  const y = x.map(([u, v], i) => [Math.sin(u) + 0.5 * u * v + 0.1 * Math.cos(9 * i)])
  const loss = new Loss({
    engine,
    model: mlp({ widths: [2, 2, 1], activation: 'tanh' }),
    dataset: rowsDataset(x, y),
    spec: squared,
  })
  for (const seed of [3, 5]) {
    const start = loss.model.initialize(seed)
    expect((await tangentModel(loss, start))!.gap).toBeGreaterThan(1e-3)
    const found = await quasiNewton((theta) => loss.valueAndGradient(theta), start, {
      maxSteps: 500,
      gradientTolerance: 1e-10,
    })
    expect(norm(found.gradient)).toBeLessThan(1e-10)
    for (const denseEntriesMax of [1e6, 0]) {
      const at = await tangentModel(loss, found.x, { denseEntriesMax })
      expect(at!.method).toBe(denseEntriesMax ? 'svd' : 'lsqr')
      expect(at!.spanDefect).toBeLessThan(1e-9)
      expect(Math.abs(at!.gap)).toBeLessThan(1e-12)
      expect(Math.abs(at!.centeredGap)).toBeLessThan(1e-12)
    }
  }
})

describe('variants', () => {
  const spec: LossSpec = { name: 'hinge', reduction: 'sum', power: 3 }
  const x = normalRows(4, 5, 2)
  const labels = [0, 1, 1, 0, 1]
  const loss = labeledLoss(mlp({ widths: [2, 6, 1], activation: 'tanh' }), x, labels, 2, spec)

  test('monomial: p a ∂a − (w∂w + b∂b) L̃ = 2pλa²', async () => {
    const modified = new ModifiedLoss(loss, { lambda: 0.3, neurons: withMonomialNeurons(loss.model, 5) })
    const z = randomStream(1, 'monomial').normals(modified.size)
    const { gradient } = await modified.valueAndGradient(z)
    const inner = (name: 'a' | 'b' | 'w'): number =>
      modified.part(z, name).reduce((s, v, i) => s + v * modified.part(gradient, name)[i], 0)
    const right = 2 * 5 * 0.3 * modified.part(z, 'a')[0] ** 2
    expect(5 * inner('a') - inner('b') - inner('w')).toBeCloseTo(right, 8)
  })

  test.each(['liang', 'monomial', 'per-layer'] as const)(
    '%s: training reaches zero loss on separable data',
    async (variant) => {
      const result = await eliminate(loss, loss.model.initialize(1), {
        neurons: neuronsOfVariant(variant, loss),
        timeEnd: 1e4,
        tolerance: 1e-6,
      })
      // The penalty a⁴ lets the neurons of the layers fade more slowly.
      expect(result.lossAfter).toBeLessThan(variant === 'per-layer' ? 1e-4 : 1e-6)
      expect(result.certificate!.groupGradientMax).toBeLessThan(variant === 'per-layer' ? 1e-2 : 1e-4)
    },
  )

  test('per-layer: output by hand', async () => {
    const neurons = withLayerNeurons(mlp({ widths: [2, 3, 1], activation: 'tanh' }))
    expect(neurons.penalties).toEqual([{ ...neurons.a, coefficient: 1, power: 4 }])
    expect(neurons.w.end - neurons.w.start).toBe(2 + 4)
  })

  test('refused without the hinge', async () => {
    expect(() => neuronsOfVariant('liang', sineLoss(engine))).toThrow(/hinge --power 3/)
  })

  test('scaled loss: 2L on the slice a = 0, derivatives right, b → ∞ where L stays positive', async () => {
    const base = polynomialLoss(engine, [-1, 0, 1], [-2, 0, 3])
    const variant = scaledLossVariant(base, 0.1)
    expect(await variant.value(Float64Array.of(0, 0, 3))).toBeCloseTo(2 * (await base.value(Float64Array.of(0))), 12)
    const smooth = scaledLossVariant(sineLoss(engine), 0.1)
    const z = Float64Array.of(1.3, 0.4, 0.2)
    const v = Float64Array.of(0.3, -0.7, 0.5)
    const product = await smooth.at(z).hessian.apply(v)
    const along = async (s: number) => (await smooth.valueAndGradient(z.map((t, i) => t + s * v[i]))).gradient
    const [plus, minus] = [await along(1e-6), await along(-1e-6)]
    expect(norm(plus.map((g, i) => (g - minus[i]) / 2e-6 - product[i])) / norm(product)).toBeLessThan(1e-7)
    const { state } = await stiffGradientFlow(variant, Float64Array.of(0, 0.1, 0), { timeEnd: 1e4 })
    expect(state.z[2]).toBeGreaterThan(2)
    expect(state.value).toBeCloseTo(await base.value(Float64Array.of(0)), 2)
  })
})

test('the integrator has order 3', async () => {
  const loss = sineLoss(engine)
  const modified = new ModifiedLoss(loss, { lambda: 0.1 })
  const start = Float64Array.of(5.4, 0.3, 0.1, 0.2)
  const end = async (tolerance: number): Promise<{ z: Float64Array; steps: number }> => {
    const { state, steps } = await stiffGradientFlow(modified, start, {
      timeEnd: 1,
      relativeTolerance: tolerance,
      absoluteTolerance: tolerance,
    })
    return { z: state.z, steps }
  }
  const exact = await end(1e-10)
  const [coarse, fine] = [await end(1e-4), await end(1e-7)]
  const error = (z: Float64Array): number => norm(z.map((v, i) => v - exact.z[i]))
  const order = Math.log(error(coarse.z) / error(fine.z)) / Math.log(fine.steps / coarse.steps)
  expect(order).toBeGreaterThan(2.6)
  expect(order).toBeLessThan(3.6)
})
