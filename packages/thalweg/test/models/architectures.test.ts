import { nativeEngine } from '@thalweg/engine/node'
import { numbersOf } from '@thalweg/graph'
import { Loss, LossPoint } from '@thalweg/landscape'
import { afterAll, describe, expect, it } from 'vitest'
import { openModelWithData } from '../../src/models/open-model-with-data.ts'
import { directionOf, expectedOf, fixturePath, fixtures, worstError } from './fixtures.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

/** Everything that is measured on one exported model, relative to what PyTorch computed. */
async function errorsOf(
  name: string,
): Promise<{ loss: number; outputs: number; gradient: number; hvp: number; names: string[] }> {
  const file = fixturePath(`${name}.onnx`)
  const { model, dataset } = await openModelWithData(file, fixturePath(`${name}.npz`), { loss: fixtures[name].loss })
  const expected = expectedOf(name)
  const loss = new Loss({ engine, model, dataset, spec: { name: fixtures[name].loss, reduction: 'mean' } })
  const theta = model.initialize(0)
  const { value, gradient } = await loss.valueAndGradient(theta)
  const hvp = await new LossPoint(loss, theta).operator('hessian').apply(directionOf(model))
  const outputs = await loss.outputs(theta)
  const z = numbersOf(expected.get('z')!)
  await loss.dispose()
  const wanted = numbersOf(expected.get('loss')!)[0]
  return {
    loss: Math.abs(value - wanted) / Math.abs(wanted),
    outputs: Math.max(...z.map((v, i) => Math.abs(v - outputs[i]))) / Math.max(...z.map(Math.abs)),
    gradient: worstError(model, gradient, expected, 'gradient'),
    hvp: worstError(model, Float64Array.from(hvp), expected, 'hvp'),
    names: model.parameters.map((p) => p.name).sort(),
  }
}

const names = Object.keys(fixtures)

describe('exported PyTorch architectures', () => {
  it('there are enough of them, in every operator set of the exporter', () => {
    expect(names.filter((name) => !name.startsWith('mlp-')).length).toBeGreaterThanOrEqual(40)
    expect(new Set(names.map((name) => fixtures[name].opset))).toEqual(new Set([11, 12, 13, 14, 15, 16, 17]))
  })

  // measured worst: 6e-14, smooth or not (no sample is on a kink)
  it.each(names.filter((name) => !fixtures[name].float32))(
    '%s: loss, gradient and Hv are those of PyTorch',
    async (name) => {
      const errors = await errorsOf(name)
      expect(errors.names).toEqual(
        [...expectedOf(name).keys()]
          .filter((k) => k.startsWith('gradient.'))
          .map((k) => k.slice(9))
          .sort(),
      )
      for (const error of [errors.loss, errors.outputs, errors.gradient, errors.hvp]) expect(error).toBeLessThan(1e-12)
    },
  )

  // float32 constants of the exporter (1e-5, √d) remain: measured worst 1e-8 forward, 1.1e-7 in derivatives
  it.each(names.filter((name) => fixtures[name].float32))('%s: float32 weights are widened', async (name) => {
    const errors = await errorsOf(name)
    for (const error of [errors.loss, errors.outputs]) expect(error).toBeLessThan(1e-7)
    for (const error of [errors.gradient, errors.hvp]) expect(error).toBeLessThan(1e-6)
  })
})
