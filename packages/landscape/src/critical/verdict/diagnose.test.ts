import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { linearNetwork, mlp } from '../../model/index.ts'
import { saddleFreeNewton } from '../finders/dense-newton.ts'
import { diagnose } from './diagnose.ts'
import type { Diagnosis, EvidenceKind } from './diagnosis.ts'
import { objectiveOf } from '../finders/objective.ts'
import { phrase } from './phrases.ts'
import { polish } from '../finders/polish.ts'
import { testFunctions } from '../finders/test-functions.ts'
import {
  crossEntropy,
  halfSum,
  labeled,
  lossOf,
  meanSquares,
  namedObjective,
  normalRows,
  regression,
  worked,
  xorRows,
} from '../testing/small-losses.ts'
import { sentence } from './wording.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

function evidenceOf(d: Diagnosis, kind: EvidenceKind) {
  return d.evidence.find((e) => e.kind === kind)
}

/** Every message renders in both languages without gaps, and the whole survives JSON. */
function expectWellFormed(d: Diagnosis): void {
  for (const m of [d.summary, ...d.advice, ...d.evidence.map((e) => e.claim), ...d.warnings]) {
    expect(sentence(m, 'en')).not.toMatch(/[{}—]/)
    expect(sentence(m, 'zh')).not.toMatch(/[{}—]/)
  }
  for (const { method } of d.evidence)
    if (!['test', 'known', 'closed form'].includes(method)) expect(phrase(method, 'zh')).toMatch(/[\u4e00-\u9fff]/)
  expect(JSON.parse(JSON.stringify(d))).toEqual(d)
}

const half = Math.sqrt(0.5)

/** The canonical critical point of S = {1} on the worked example with three matrices and Z = 0: H ⪰ 0, a saddle. */
function nonStrictOfRankOne(): Float64Array {
  // u₁ of Σ = [[5, 3], [3, 2]]; W₁ = [u₁ᵀR; 0] with R = Y, W₂ = diag(1, 0), W₃ = [u₁, 0].
  const length = Math.hypot((1 + Math.sqrt(5)) / 2, 1)
  const [a, b] = [(1 + Math.sqrt(5)) / 2 / length, 1 / length]
  return Float64Array.of(2 * a + b, a + b, 0, 0, 1, 0, 0, 0, a, 0, b, 0)
}

describe('linear networks', () => {
  test.each([
    [[2, 2, 2, 2], 3],
    [[2, 1, 1, 2], 3],
    [[2, 1, 1, 1, 2], 4],
    [[2, 2, 2, 2, 2], 4],
  ])('zero Hessian at the origin of %j is no minimum: a descent of order %i', async (widths, order) => {
    const loss = lossOf(engine, linearNetwork(widths), worked, halfSum)
    const d = await diagnose(loss, new Float64Array(loss.size))
    expectWellFormed(d)
    expect(d.verdict).toBe('non-strict-saddle')
    expect(d.inertia).toMatchObject({ negative: 0, zero: loss.size, positive: 0, exact: true })
    expect(evidenceOf(d, 'degenerate-descent')!.claim.values.order).toBe(order)
    expect(d.escape!.lossAfter).toBeLessThan(d.escape!.lossBefore - 0.5)
  })

  test.each([
    [[2, 2, 2, 2], 3],
    [[2, 3, 3, 3, 2], 4],
  ])('matrix-free, the way down from the origin of %j is found and measured', async (widths, order) => {
    const loss = lossOf(engine, linearNetwork(widths), worked, halfSum)
    const d = await diagnose(loss, new Float64Array(loss.size), { denseLimit: 0 })
    expectWellFormed(d)
    expect(d.verdict).toBe('non-strict-saddle')
    expect(d.summary.id).toBe('summary.non-strict-saddle-uncounted')
    expect(d.inertia).toMatchObject({ negative: 0, positive: 0, exact: false })
    expect(evidenceOf(d, 'degenerate-descent')!.claim.values.order).toBe(order)
    expect(await loss.value(Float64Array.from(d.escape!.theta))).toBeLessThan(d.loss - 0.5)
  })

  test('matrix-free, a non-strict saddle with positive curvature beside its kernel is measured', async () => {
    const loss = lossOf(engine, linearNetwork([2, 2, 2, 2]), worked, halfSum)
    const theta = nonStrictOfRankOne()
    const dense = await diagnose(loss, theta)
    expect(dense.verdict).toBe('non-strict-saddle')
    expect(dense.inertia).toMatchObject({ negative: 0, zero: 9, positive: 3 })
    const d = await diagnose(loss, theta, { denseLimit: 0 })
    expectWellFormed(d)
    expect(d.verdict).toBe('non-strict-saddle')
    expect(evidenceOf(d, 'degenerate-descent')!.claim.values.order).toBe(3)
  })

  test('matrix-free, a degenerate minimum is undecided: what no count has seen is not called a minimum', async () => {
    const loss = lossOf(engine, linearNetwork([2, 1, 2]), worked, halfSum)
    const objective = objectiveOf(loss)
    const { theta } = await polish(objective, (await saddleFreeNewton(objective, loss.model.initialize(1))).theta)
    const d = await diagnose(loss, theta, { denseLimit: 0 })
    expectWellFormed(d)
    expect(d.verdict).toBe('undecided')
    expect(d.summary.id).toBe('summary.undecided-uncounted')
    expect(d.advice[0].id).toBe('advice.dense-count')
  })

  test('matrix-free, a strict saddle is found and measured, and its index is a lower bound', async () => {
    const loss = lossOf(engine, mlp({ widths: [2, 40, 2], activation: 'tanh' }), worked, halfSum)
    // all weights zero and the output bias fitted: the hidden units could turn on
    const theta = new Float64Array(loss.size)
    theta.set([1.5, 1], loss.size - 2)
    const options = { denseLimit: 0, maxProducts: 120, bottom: 2, top: 2 }
    const d = await diagnose(loss, theta, options)
    expectWellFormed(d)
    expect(d.verdict).toBe('strict-saddle')
    expect(d.eigenvalues.method).toBe('lanczos')
    expect(d.inertia.exact).toBe(false)
    expect(d.escape!.lossAfter).toBeLessThan(d.escape!.lossBefore)
  })

  test('the origin with two matrices is a strict saddle with the eigenvalue of the closed form', async () => {
    const loss = lossOf(engine, linearNetwork([2, 2, 2]), worked, halfSum)
    const d = await diagnose(loss, new Float64Array(loss.size))
    expectWellFormed(d)
    expect(d.verdict).toBe('strict-saddle')
    expect(d.inertia).toMatchObject({ negative: 4, zero: 0, positive: 4 })
    expect(d.eigenvalues.bottom[0].value).toBeCloseTo(-2.61803398875, 10)
    const { value, bound } = evidenceOf(d, 'two-sided-decrease')!
    expect(value!).toBeGreaterThan(1e6 * bound!)
    expect(await loss.value(Float64Array.from(d.escape!.theta))).toBe(d.escape!.lossAfter)
  })

  test('a degenerate minimum on a symmetry orbit is no saddle', async () => {
    const loss = lossOf(engine, linearNetwork([2, 1, 2]), worked, halfSum)
    const objective = objectiveOf(loss)
    const { theta } = await polish(objective, (await saddleFreeNewton(objective, loss.model.initialize(1))).theta)
    const d = await diagnose(loss, theta)
    expectWellFormed(d)
    expect(d.verdict).toBe('local-minimum')
    expect(d.loss).toBeCloseTo(0.0729490168751577, 14)
    expect(d.inertia).toMatchObject({ negative: 0, zero: 1, positive: 3 })
    expect(d.symmetry).toEqual({ dimension: 1, kinds: [{ kind: 'general-linear', dimension: 1 }] })
    const optimum = { value: 0.0729490168751577, error: 1e-15, source: 'closed form' }
    expect((await diagnose(loss, theta, { optimum })).verdict).toBe('global-minimum')
    const better = { value: 0.01, source: 'another run' }
    expect((await diagnose(loss, theta, { better })).summary.id).toBe('summary.local-minimum-suboptimal')
  })

  test('interpolation is a global minimum by its output gradients alone', async () => {
    const loss = lossOf(engine, linearNetwork([2, 2, 2]), worked, halfSum)
    const { theta } = await polish(objectiveOf(loss), Float64Array.of(2.01, 1, 1.02, 1, 1, 0.01, 0, 1.01))
    const d = await diagnose(loss, theta)
    expect(d.verdict).toBe('global-minimum')
    expect(evidenceOf(d, 'function-space-optimum')).toBeDefined()
    expect(d.inertia.zero).toBe(4)
  })
})

test('a network near its data: a zero-loss minimum nearby is proved, and the gap is the loss', async () => {
  const x = normalRows(21, 6, 3)
  const model = mlp({ widths: [3, 300, 1], activation: 'tanh' })
  const theta = model.initialize(1)
  const f = await lossOf(
    engine,
    model,
    regression(
      x,
      x.map(() => [0]),
    ),
    meanSquares,
  ).outputs(theta)
  const loss = lossOf(
    engine,
    model,
    regression(
      x,
      Array.from(f, (v, i) => [v + 1e-4 * Math.sin(i + 1)]),
    ),
    meanSquares,
  )
  const d = await diagnose(loss, theta, { polish: false, denseLimit: 10 })
  expectWellFormed(d)
  expect(d.verdict).toBe('not-critical')
  expect(evidenceOf(d, 'interpolation')!.claim.id).toBe('evidence.interpolation-proved')
  expect(d.gap).toBe(d.loss)
  expect(d.advice.map(({ id }) => id)).toContain('advice.interpolation')
})

test('theories from above add evidence about critical points', async () => {
  const loss = lossOf(engine, linearNetwork([2, 2, 2]), worked, halfSum)
  const evidence = [
    {
      kind: 'tangent-model',
      claim: { id: 'evidence.tangent-model', values: { value: 1, gap: 0 } },
      value: 0,
      bound: 0,
      method: 'test',
    },
  ] as const
  const d = await diagnose(loss, new Float64Array(loss.size), { theory: async () => evidence })
  expectWellFormed(d)
  expect(d.evidence.at(-1)).toBe(evidence[0])
})

test('a dead network is a minimum with advice to revive its units', async () => {
  const model = mlp({ widths: [2, 3, 1], activation: 'relu' })
  const x = xorRows.map(([row]) => row)
  const loss = lossOf(engine, model, regression(x, [[1], [2], [0], [3]]), meanSquares)
  const theta = Float64Array.of(-1, -1, -1, -1, -1, -1, -0.5, -0.5, -0.5, 0.3, -0.2, 0.1, 1.5)
  const d = await diagnose(loss, theta)
  expectWellFormed(d)
  expect(d.verdict).toBe('local-minimum')
  expect(d.loss).toBeCloseTo(1.25, 14)
  expect(d.advice.map(({ id }) => id)).toContain('advice.dead-units')
})

describe('analytic functions', () => {
  const cases = Object.values(testFunctions).flatMap((f) => f.known.map((known, i) => [f.name, i, known] as const))
  test.each(cases)('%s, known point %i', async (name, _, known) => {
    const objective = namedObjective(engine, name)
    const optimum = { value: known.value, error: 1e-5, source: 'known' }
    const global = known.kind === 'global-minimum'
    const d = await diagnose(objective, Float64Array.from(known.theta), {
      criticalDistance: 10 * known.accuracy + 1e-9,
      ...(global && { optimum }),
    })
    expectWellFormed(d)
    expect(d.verdict).toBe(known.kind === 'maximum' ? 'strict-saddle' : known.kind)
    expect(d.loss).toBeCloseTo(known.value, 5)
    await objective.dispose()
  })

  test('gradient-flat: |∇L| = 0.2 in the kernel of the Hessian is not critical', async () => {
    const d = await diagnose(namedObjective(engine, 'gradient-flat'), Float64Array.of(0, 0))
    expect(d.verdict).toBe('not-critical')
    expect(d.summary.id).toBe('summary.gradient-flat')
    expect(d.flatness).toBe(1)
    expect(d.gradientNorm).toBeCloseTo(0.2, 15)
  })

  test('a degenerate minimum that nothing explains stays undecided', async () => {
    const d = await diagnose(namedObjective(engine, 'valley'), Float64Array.of(half, half))
    expect(d.verdict).toBe('undecided')
    expect(d.advice.length).toBeGreaterThan(0)
  })

  test('a positive definite Hessian is a local minimum', async () => {
    const d = await diagnose(namedObjective(engine, 'rastrigin'), Float64Array.of(0.99495864), {
      criticalDistance: 1e-4,
    })
    expect(d.verdict).toBe('local-minimum')
    expect(d.summary.id).toBe('summary.local-minimum-definite')
  })
})

describe('networks', () => {
  const x = normalRows(3, 30, 2)
  const smooth = regression(
    x,
    x.map(([a, b], i) => [Math.sin(a) - 0.4 * Math.cos(a + b) + 0.1 * Math.sin(5 * i)]),
  )

  test('tanh regression: not critical with reasons, then a minimum proved by a full count', async () => {
    const loss = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'tanh' }), smooth, meanSquares)
    const start = loss.model.initialize(2)
    const before = await diagnose(loss, start, { optimizer: { learningRate: 0.01, batchSize: 5 } })
    expectWellFormed(before)
    expectWellFormed(await diagnose(loss, start, { polish: false }))
    expect(before.verdict).toBe('not-critical')
    for (const kind of [
      'gradient',
      'gradient-flat',
      'polish',
      'gradient-noise',
      'edge-of-stability',
      'attainable-decrease',
    ] as const)
      expect(evidenceOf(before, kind), kind).toBeDefined()
    const objective = objectiveOf(loss)
    const descended = await saddleFreeNewton(objective, start, { maxIterations: 400 })
    const d = await diagnose(loss, descended.theta)
    expectWellFormed(d)
    expect(d.verdict).toBe('local-minimum')
    expect(d.symmetry!.dimension).toBe(0)
    expect(d.inertia).toMatchObject({ negative: 0, zero: 0, positive: loss.size })
  })

  test('a critical point rounded to float32 is judged as the critical point beside it', async () => {
    const loss = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'tanh' }), smooth, meanSquares)
    const objective = objectiveOf(loss)
    const { theta } = await saddleFreeNewton(objective, loss.model.initialize(2), { maxIterations: 400 })
    const d = await diagnose(loss, theta.map(Math.fround))
    expect(d.verdict).toBe('local-minimum')
    expect(d.criticalDistance!).toBeGreaterThan(1e-9)
    expect(d.criticalDistance!).toBeLessThan(1e-5)
    expect(d.warnings.map((w) => w.id)).toContain('warning.float32')
  })

  test('duplicated units: a line of critical points, strict saddles beyond the two networks that were doubled', async () => {
    const narrow = lossOf(engine, mlp({ widths: [2, 1, 1], activation: 'tanh' }), smooth, meanSquares)
    const wide = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'tanh' }), smooth, meanSquares)
    const objective = objectiveOf(narrow)
    const { theta: t } = await polish(
      objective,
      (await saddleFreeNewton(objective, narrow.model.initialize(1), { maxIterations: 400 })).theta,
    )
    const [w1, w2, b, v, c] = t
    for (const mu of [0.25, 0.5, 2]) {
      const theta = Float64Array.of(w1, w2, w1, w2, b, b, mu * v, (1 - mu) * v, c)
      const d = await diagnose(wide, theta)
      expectWellFormed(d)
      expect(d.verdict).toBe('strict-saddle')
      expect(d.inertia.zero).toBe(1)
      expect(d.symmetry!.kinds).toEqual([{ kind: 'duplicated-units', dimension: 1 }])
    }
  })

  test('ReLU: dead units, positive scaling and units that are always on explain the kernel', async () => {
    // One unit is on for every sample, one is off for every sample: least squares on a line, in seven parameters.
    const line = [0.1, 0.4, 0.5, 0.9].map((a) => [a])
    const data = regression(line, [[1], [0.5], [2], [1.5]])
    const loss = lossOf(engine, mlp({ widths: [1, 2, 1], activation: 'relu' }), data, meanSquares)
    const { theta } = await polish(objectiveOf(loss), Float64Array.of(1, 1, 0.5, -3, 0.7, 0.7, 0.6))
    const d = await diagnose(loss, theta)
    expectWellFormed(d)
    expect(d.verdict).toBe('local-minimum')
    expect(d.inertia).toMatchObject({ negative: 0, zero: 5, positive: 2 })
    expect(d.symmetry!.kinds).toEqual([
      { kind: 'positive-scaling', dimension: 2 },
      { kind: 'dead-unit', dimension: 2 },
      { kind: 'translation', dimension: 1 },
    ])
    expect(d.kinks).toMatchObject({ onKink: 0, deadUnits: 1 })
    expect(d.kinks!.distance!).toBeGreaterThan(0.1)
  })

  test('ReLU at the origin lies on a kink and is judged by one-sided slopes', async () => {
    const loss = lossOf(engine, mlp({ widths: [2, 4, 1], activation: 'relu' }), smooth, meanSquares)
    const d = await diagnose(loss, new Float64Array(loss.size))
    expectWellFormed(d)
    expect(d.kinks!.onKink).toBe(4 * 30)
    expect(d.verdict).toBe('not-critical')
    expect(evidenceOf(d, 'one-sided-descent')).toBeDefined()
  })

  test('softmax: the shift of the scores explains the kernel of logistic regression, convexity proves the minimum', async () => {
    const labels = x.map(([a], i) => (a + 2 * Math.sin(7 * i) > 0 ? 1 : 0))
    const loss = lossOf(engine, mlp({ widths: [2, 2] }), labeled(x, labels, 2), crossEntropy)
    const { theta } = await polish(objectiveOf(loss), loss.model.initialize(1))
    const d = await diagnose(loss, theta)
    expectWellFormed(d)
    expect(d.verdict).toBe('global-minimum')
    expect(evidenceOf(d, 'convex-model')).toBeDefined()
    expect(d.symmetry!.kinds).toEqual([{ kind: 'softmax-shift', dimension: 3 }])
    expect(d.inertia).toMatchObject({ negative: 0, zero: 3, positive: 3 })
  })

  test('XOR by cross-entropy: a separating network is near an infimum that is not attained', async () => {
    const data = labeled(
      xorRows.map(([row]) => row),
      xorRows.map(([, y]) => y),
      2,
    )
    const loss = lossOf(engine, mlp({ widths: [2, 2, 2], activation: 'tanh' }), data, crossEntropy)
    const s = 5
    const theta = Float64Array.of(s, s, s, s, -s / 2, -1.5 * s, -s, s, s, -s, s, -s)
    const d = await diagnose(loss, theta)
    expectWellFormed(d)
    expect(d.verdict).toBe('near-infimum')
    expect(d.gap).toBe(d.loss)
  })

  test('separable logistic regression has no minimum: a saturated gradient is no proof of one', async () => {
    const labels = x.map(([a, b]) => (a + b > 0 ? 1 : 0))
    const loss = lossOf(engine, mlp({ widths: [2, 2], bias: false }), labeled(x, labels, 2), crossEntropy)
    const d = await diagnose(loss, Float64Array.of(-1e5, -1e5, 1e5, 1e5))
    expect(d.gradientNorm).toBeLessThan(1e-100)
    expect(d.verdict).toBe('near-infimum')
  })

  test('partly separable logistic regression has no minimum, though the gradient vanishes to rounding', async () => {
    // Class 2 lies apart from the other two, which overlap: its scores go to infinity and the rest converges.
    const labels = x.map(([a, b], i) => (a + b > 1.5 ? 2 : i % 2))
    const loss = lossOf(engine, mlp({ widths: [2, 3] }), labeled(x, labels, 3), crossEntropy)
    const objective = objectiveOf(loss)
    const { theta } = await polish(objective, new Float64Array(loss.size), { distanceMax: 1e6 })
    for (const denseLimit of [3000, 1]) {
      const d = await diagnose(loss, theta, { denseLimit, polish: false })
      expect(d.loss).toBeGreaterThan(0.1)
      expect(d.verdict).not.toBe('global-minimum')
    }
    const overlapping = x.map((_, i) => i % 3)
    const attained = lossOf(engine, mlp({ widths: [2, 3] }), labeled(x, overlapping, 3), crossEntropy)
    const best = await polish(objectiveOf(attained), new Float64Array(attained.size))
    for (const denseLimit of [3000, 1])
      expect((await diagnose(attained, best.theta, { denseLimit, polish: false })).verdict).toBe('global-minimum')
  })

  test('XOR by squares: the best constant is a critical point, and not a minimum', async () => {
    const data = regression(
      xorRows.map(([row]) => row),
      xorRows.map(([, y]) => [y]),
    )
    const loss = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'tanh' }), data, meanSquares)
    const theta = new Float64Array(loss.size)
    theta[loss.size - 1] = 0.5
    const d = await diagnose(loss, theta)
    expectWellFormed(d)
    expect(d.verdict).toBe('non-strict-saddle')
    expect(d.loss).toBe(0.25)
  })

  test('weight decay voids certificates and is named where the gradient points at it', async () => {
    const loss = lossOf(engine, mlp({ widths: [2, 1], activation: 'tanh' }), smooth, meanSquares)
    const decayed = lossOf(engine, mlp({ widths: [2, 1], activation: 'tanh' }), smooth, meanSquares, 0.1)
    const { theta } = await polish(objectiveOf(decayed), decayed.model.initialize(1))
    const there = await diagnose(decayed, theta)
    expect(there.verdict).toBe('global-minimum')
    expect(there.warnings.map((w) => w.id)).toContain('warning.regularizer')
    const d = await diagnose(loss, theta)
    expect(d.verdict).toBe('not-critical')
    const warning = d.warnings.find((w) => w.id === 'warning.weight-decay')!
    expect(warning.values.weightDecay).toBeCloseTo(0.1, 6)
    expect(d.gap!).toBeCloseTo(d.loss - d.polished!.loss, 12)
  })

  test('labels that contradict each other: the group means are optimal among all functions', async () => {
    const data = regression([[0], [0], [1], [1]], [[1], [3], [0], [4]])
    const loss = lossOf(engine, mlp({ widths: [1, 2, 1], activation: 'tanh' }), data, meanSquares)
    const { theta } = await polish(objectiveOf(loss), Float64Array.of(0.1, 0.4, 0, 0, 0.1, 0.1, 2))
    const d = await diagnose(loss, theta)
    expectWellFormed(d)
    expect(d.verdict).toBe('global-minimum')
    expect(d.loss).toBeCloseTo(2.5, 14)
    expect(Math.abs(d.gap!)).toBeLessThan(1e-14)
  })

  test('matrix-free: a strict saddle is proved, a minimum never', async () => {
    const deep = lossOf(engine, linearNetwork([2, 2, 2]), worked, halfSum)
    const saddle = await diagnose(deep, new Float64Array(deep.size), { denseLimit: 4, top: 2, bottom: 2 })
    expect(saddle.verdict).toBe('strict-saddle')
    expect(saddle.inertia.exact).toBe(false)
    expect(saddle.eigenvalues.method).toBe('lanczos')
    const loss = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'tanh' }), smooth, meanSquares)
    const { theta } = await saddleFreeNewton(objectiveOf(loss), loss.model.initialize(2), { maxIterations: 400 })
    const d = await diagnose(loss, theta, { denseLimit: 4, polish: true, top: 2, bottom: 2 })
    expectWellFormed(d)
    expect(d.verdict).toBe('undecided')
    expect(d.advice[0].id).toBe('advice.dense-count')
  })

  test('the same seed gives the same diagnosis', async () => {
    const loss = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'tanh' }), smooth, meanSquares)
    const theta = loss.model.initialize(9)
    expect(await diagnose(loss, theta)).toEqual(await diagnose(loss, theta))
  })

  test('refuses what is not finite', async () => {
    const loss = lossOf(engine, linearNetwork([2, 2, 2]), worked, halfSum)
    await expect(diagnose(loss, new Float64Array(8).fill(Number.NaN))).rejects.toThrow(
      /θ must be finite, got NaN at entry 0/,
    )
    await expect(diagnose(loss, new Float64Array(8), { top: 0 })).rejects.toThrow(
      /top must be an integer of at least 1/,
    )
    await expect(diagnose(loss, new Float64Array(7))).rejects.toThrow(/θ must have 8 entries, got 7/)
    await expect(diagnose(loss, new Float64Array(8).fill(1e200))).rejects.toThrow(/loss and gradient must be finite/)
  })
})

test('a stopped matrix-free diagnosis leaves the gradient-flat measure out instead of guessing it', async () => {
  const loss = lossOf(
    engine,
    mlp({ widths: [2, 3, 2], activation: 'tanh' }),
    labeled(normalRows(1, 8, 2), [0, 1, 0, 1, 0, 1, 0, 1], 2),
    crossEntropy,
  )
  const at = loss.model.initialize(1)
  const options = { denseLimit: 1, top: 1, bottom: 1, maxProducts: 20 }
  const whole = await diagnose(loss, at, options)
  expect(whole.flatness).toBeGreaterThanOrEqual(0)
  let clock = 0
  const stopped = await diagnose(loss, at, { ...options, timeLimitMs: 10, now: () => clock++ * 4 })
  expect(stopped).toMatchObject({ verdict: 'not-critical', flatness: null, inertia: { exact: false } })
  expect(stopped.evidence.map(({ kind }) => kind)).not.toContain('gradient-flat')
})
