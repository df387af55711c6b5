import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { gaussianMixture } from '../data/index.ts'
import { diagonalOperator } from '../linalg/index.ts'
import { Loss, LossPoint } from '../loss/index.ts'
import { mlp } from '../model/index.ts'
import { nearestPositions } from './near-eigenvalues.ts'
import { spectrum } from './spectrum.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

describe('the Hessian of a small network', () => {
  const pointIn = (dtype: 'float64' | 'float32'): LossPoint => {
    const loss = new Loss({
      engine,
      model: mlp({ widths: [6, 12, 10, 4], activation: 'tanh' }),
      dataset: gaussianMixture({ samples: 60, classes: 4, dimension: 6 }),
      spec: { name: 'cross-entropy', reduction: 'mean' },
      ...{ weightDecay: 0, dtype },
    })
    return new LossPoint(loss, loss.model.initialize(1))
  }
  const hessian = pointIn('float64').operator('hessian')
  const ends = { top: 1, bottom: 1 }

  test('dense: the closest of all eigenvalues, with their vectors', async () => {
    const { all, near, products } = await spectrum(hessian, { ...ends, near: { target: 0.01, count: 4 } })
    expect(near).toMatchObject({ target: 0.01, method: 'dense', status: 'exact', floor: null, products: 4 })
    expect(near!.equal).toBe(0)
    expect(products).toBe(hessian.size + 6)
    expect(near!.pairs.map(({ value }) => value)).toEqual(
      nearestPositions(all!, { target: 0.01, count: 4 }).map((i) => all![i]),
    )
    for (const { vector, value, residualNorm } of near!.pairs) {
      const image = await hessian.apply(vector)
      expect(Math.hypot(...image.map((x, i) => x - value * vector[i]))).toBeCloseTo(residualNorm, 14)
      expect(residualNorm).toBeLessThan(1e-14)
    }
    const most = await spectrum(hessian, { ...ends, near: { target: 0, count: 10_000 } })
    expect(most.near!.pairs).toHaveLength(hessian.size)
  })

  test('matrix-free equals dense, for both dtypes and for a search in float32', async () => {
    const { all } = await spectrum(hessian, ends)
    const rounded = pointIn('float32').operator('hessian')
    const gap = (all![all!.length - 8] + all![all!.length - 9]) / 2
    for (const [operator, search, error] of [
      [hessian, undefined, 1e-12],
      [hessian, rounded, 1e-9],
      [rounded, undefined, 1e-5],
    ] as const)
      for (const target of [gap, 0, all![0] - 1]) {
        const near = { target, count: 4 }
        const found = await spectrum(operator, { ...ends, near, search, exact: false, maxProducts: 900 })
        expect(['exact', 'converged']).toContain(found.near!.status)
        expect(found.searchProducts > 0).toBe(search !== undefined)
        const expected = nearestPositions(all!, near).map((i) => all![i])
        found.near!.pairs.forEach(({ value, converged }, i) => {
          expect(converged).toBe(true)
          expect(Math.abs(Math.abs(value - target) - Math.abs(expected[i] - target))).toBeLessThan(error)
        })
      }
  })
})

describe('with what else a spectrum holds', () => {
  const values = Float64Array.from({ length: 900 }, (_, i) =>
    i < 6 ? 0.4 + 0.01 * i : i % 2 ? 1 + i / 300 : -1 - i / 300,
  )

  test('both searches may use the products allowed, and all are counted', async () => {
    let products = 0
    const counted = {
      size: 900,
      apply: async (v: Float64Array) => {
        products++
        return v.map((x, i) => x * values[i])
      },
    }
    const options = { exact: false, top: 2, bottom: 2, near: { target: 0.41, count: 3 }, maxProducts: 500 }
    const stages: string[] = []
    const result = await spectrum(counted, {
      ...options,
      traceProducts: 20,
      onProgress: (stage) => void (stages.at(-1) !== stage && stages.push(stage)),
    })
    expect(stages).toEqual(['eigenvalues', 'near'])
    expect(result.products).toBe(products)
    expect(result.near!.pairs.map(({ value }) => Math.round(value * 1e6) / 1e6).toSorted((a, b) => a - b)).toEqual([
      0.4, 0.41, 0.42,
    ])
    const alone = await spectrum(counted, { ...options, top: 0, bottom: 0 })
    expect(alone).toMatchObject({ top: [], bottom: [], products: alone.near!.products })
    const few = await spectrum(counted, { ...options, maxProducts: 60 })
    expect(few.near).toMatchObject({ status: 'max-products' })
    expect(few.near!.products).toBeLessThanOrEqual(60)
    expect(few.products).toBeLessThanOrEqual(120)
  })

  test('what is negative near the target counts', async () => {
    const near = { target: -1.5, count: 2 }
    const result = await spectrum(diagonalOperator(values), { exact: false, top: 0, bottom: 0, near, tolerance: 0.01 })
    expect(result.morseIndex).toMatchObject({ value: 2, exact: false })
  })

  test('time that ran out before it began leaves it out', async () => {
    const signal = { aborted: false }
    const options = { exact: false, top: 1, bottom: 1, near: { target: 0 }, signal }
    const stopped = await spectrum(diagonalOperator(values), {
      ...options,
      onProgress: () => void (signal.aborted = true),
    })
    expect(stopped).toMatchObject({ status: 'aborted', near: null })
  })
})

test('a target at or below a floor that is there often enough is not searched for', async () => {
  const operator = diagonalOperator(Float64Array.from({ length: 400 }, (_, i) => (i < 30 ? 30 - i : 0) + 0.5))
  const floor = { value: 0.5, rank: 30 }
  const options = { exact: false, top: 1, bottom: 1, floor }
  for (const target of [0.5, 0, -7]) {
    const { near } = await spectrum(operator, { ...options, near: { target } })
    expect(near).toMatchObject({ pairs: [], floor: { value: 0.5, count: 370 }, products: 0, status: 'exact' })
  }
  const above = await spectrum(operator, { ...options, near: { target: 3.4, count: 2 } })
  expect(above.near!.floor).toBeNull()
  expect(above.near!.pairs.map(({ value }) => Math.round(value * 1e9) / 1e9)).toEqual([3.5, 2.5])
  const many = await spectrum(operator, { ...options, floor: { value: 0.5, rank: 398 }, near: { target: 0, count: 3 } })
  expect(many.near).toMatchObject({ floor: null })
  expect(many.near!.pairs).toHaveLength(3)
})

test('dense: how many eigenvalues equal the target up to rounding', async () => {
  const operator = diagonalOperator(Float64Array.of(3, 1e-17, 0, -1e-17, 0.5, 0.5, 1e-9))
  for (const [target, equal] of [
    [0, 3],
    [0.5, 2],
    [1, 0],
  ] as const)
    expect((await spectrum(operator, { near: { target } })).near).toMatchObject({ equal })
})

test('senseless requests are refused by name', async () => {
  const operator = diagonalOperator(Float64Array.of(1, 2))
  await expect(spectrum(operator, { near: { target: Number.NaN } })).rejects.toThrow(
    /near.target must be a finite number/,
  )
  for (const count of [0, 2.5])
    await expect(spectrum(operator, { near: { target: 0, count } })).rejects.toThrow(
      /near.count must be a number of pairs/,
    )
})
