import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { decodeModel, numbersOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { parameterRanges } from '@thalweg/landscape'
import type { DerivativeName, Model } from '@thalweg/landscape'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeNpz, encodeNpz } from '../../src/formats/npz.ts'
import { openModelFile } from '../../src/models/open-model-file.ts'
import { exportModel } from '../../src/subject/export-model.ts'
import type { ExportArgument, ExportedFiles } from '../../src/subject/export-model.ts'
import { directionOf, expectedOf, fixturePath, fixtures, worstError } from './fixtures.ts'

/** The runtime itself, not our engine: what these files do for others is the question. */
const { InferenceSession, Tensor: OrtTensor } = createRequire(import.meta.url)('onnxruntime-node') as Runtime

interface Runtime {
  readonly InferenceSession: {
    create(
      file: string,
      options: object,
    ): Promise<{
      readonly inputNames: readonly string[]
      run(feeds: object): Promise<Record<string, { readonly data: Float64Array }>>
      release(): Promise<void>
    }>
  }
  readonly Tensor: new (dtype: string, data: Tensor['data'], shape: readonly number[]) => object
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thalweg-export-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

type Options = Partial<Omit<ExportArgument, 'subject'>> & { readonly weightDecay?: number; readonly reduction?: 'sum' }

async function exported(
  name: string,
  what: DerivativeName,
  options: Options = {},
): Promise<ExportedFiles & { out: string }> {
  const out = join(folder, `${name}-${what}.onnx`)
  const { weightDecay, reduction, ...rest } = options
  const subject = {
    model: fixturePath(`${name}.onnx`),
    data: [fixturePath(`${name}.npz`)],
    loss: fixtures[name].loss,
    weightDecay,
    reduction,
    seed: 0,
  }
  return {
    ...(await exportModel({ subject, what, out, batch: 5, dtype: 'float64', parameters: 'flat', ...rest })),
    out,
  }
}

type Values = Readonly<Record<string, Tensor>>

/** Runs a file in ONNX Runtime with its own optimizations: nothing of ours is involved. */
async function run(file: string, values: Values): Promise<Record<string, Float64Array>> {
  const session = await InferenceSession.create(file, { graphOptimizationLevel: 'all', logSeverityLevel: 4 })
  const feeds = session.inputNames.map((name) => {
    const { dtype, data, shape } = values[name]
    return [name, new OrtTensor(dtype, data, shape)] as const
  })
  const results = await session.run(Object.fromEntries(feeds))
  await session.release()
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Float64Array.from(data)]))
}

function valuesFor(name: string, out: string, model: Model): Values {
  const expected = expectedOf(name)
  const parameters = decodeNpz(readFileSync(out.replace('.onnx', '.npz')), { file: out })
  const v = directionOf(model)
  const parts = parameterRanges(model).map(({ parameter, start, end }) => [
    `direction.${parameter.name}`,
    { dtype: 'float64', shape: parameter.shape, data: v.subarray(start, end) },
  ])
  return {
    ...Object.fromEntries(parameters),
    ...Object.fromEntries(fixtures[name].inputs.map((key) => [key, expected.get(key)!])),
    targets: expected.get('y')!,
    direction: { dtype: 'float64', shape: [v.length], data: v },
    ...Object.fromEntries(parts),
  }
}

const modelOf = (name: string): Model => openModelFile(fixturePath(`${name}.onnx`), { loss: fixtures[name].loss }).model

/** One of each kind: convolution, normalization, attention with ties, recurrence, embedding, pooling. */
const chosen = [
  'mlp-gelu',
  'resnet',
  'cnn-group-norm',
  'cnn-upsample',
  'unet',
  'language-model',
  'text-classifier',
  'transformer-encoder',
  'lstm-two-layers',
  'gru-bidirectional',
  'two-inputs',
  'cnn-max-pool',
]

describe('exported derivatives run in ONNX Runtime and agree with PyTorch', () => {
  it.each(chosen)('%s: the Hessian-vector product', async (name) => {
    const { out, inputs } = await exported(name, 'hvp')
    const model = modelOf(name)
    const { hvp } = await run(out, valuesFor(name, out, model))
    expect(worstError(model, hvp, expectedOf(name), 'hvp')).toBeLessThan(1e-12)
    expect(inputs.map((i) => i.name)).toEqual(['theta', ...fixtures[name].inputs, 'targets', 'direction'])
  })

  it.each(['mlp-gelu', 'two-inputs', 'language-model'])(
    '%s: loss and gradient, one input per parameter',
    async (name) => {
      const { out } = await exported(name, 'loss+gradient', { parameters: 'named' })
      const model = modelOf(name)
      const results = await run(out, valuesFor(name, out, model))
      const expected = expectedOf(name)
      expect(results['loss'][0]).toBeCloseTo(numbersOf(expected.get('loss')!)[0], 13)
      const gradient = Float64Array.from(model.parameters.flatMap((p) => [...results[`gradient.${p.name}`]]))
      expect(worstError(model, gradient, expected, 'gradient')).toBeLessThan(1e-12)
    },
  )

  it('the sum is the mean times the samples, and weight decay adds V θ', async () => {
    const model = modelOf('mlp-tanh')
    const mean = await exported('mlp-tanh', 'gradient')
    const values = valuesFor('mlp-tanh', mean.out, model)
    const { gradient } = await run(mean.out, values)
    const summed = await exported('mlp-tanh', 'gradient', { reduction: 'sum', weightDecay: 0.25 })
    const sum = (await run(summed.out, values))['gradient']
    const theta = model.initialize(0)
    for (let i = 0; i < theta.length; i++) expect(sum[i]).toBeCloseTo(5 * gradient[i] + 0.25 * theta[i], 12)
  })

  it('sample weights enter as Σ w ℓ / Σ w', async () => {
    const name = 'mlp-tanh'
    const expected = expectedOf(name)
    const w = Float64Array.of(1, 0, 2, 0.5, 3)
    const data = join(folder, 'weighted.npz')
    const weights: Tensor = { dtype: 'float64', shape: [5], data: w }
    writeFileSync(data, encodeNpz({ x: expected.get('x')!, y: expected.get('y')!, w: weights }))
    const out = join(folder, 'weighted-loss.onnx')
    const model = fixturePath(`${name}.onnx`)
    const subject = { model, data: [data], sampleWeights: 'w', loss: fixtures[name].loss, seed: 0 }
    await exportModel({ subject, what: 'loss', out, batch: 5, dtype: 'float64', parameters: 'flat' })
    const { loss } = await run(out, { ...valuesFor(name, out, modelOf(name)), weights })
    const z = numbersOf(expected.get('z')!)
    const losses = numbersOf(expected.get('y')!).map((label, i) => {
      const row = z.subarray(3 * i, 3 * i + 3)
      return Math.log(row.reduce((s, v) => s + Math.exp(v), 0)) - row[label]
    })
    expect(loss[0]).toBeCloseTo(losses.reduce((s, l, i) => s + w[i] * l, 0) / 6.5, 13)
  })

  it('the gradient of the loss file is what the difference quotient of the loss file says', async () => {
    const name = 'siamese'
    const model = modelOf(name)
    const { out } = await exported(name, 'loss')
    const values = valuesFor(name, out, model)
    const { theta, direction } = values
    const at = async (t: number): Promise<number> => {
      const moved = Float64Array.from(theta.data as Float64Array, (x, i) => x + t * Number(direction.data[i]))
      return (await run(out, { ...values, theta: { dtype: 'float64', shape: theta.shape, data: moved } }))['loss'][0]
    }
    const step = 1e-5
    const slope = ((await at(step)) - (await at(-step))) / (2 * step)
    const file = await exported(name, 'gradient')
    const { gradient } = await run(file.out, values)
    expect(slope).toBeCloseTo(
      gradient.reduce((s, g, i) => s + g * Number(direction.data[i]), 0),
      6,
    )
  })

  it('never writes over what it reads', async () => {
    const name = 'mlp-tanh'
    const [model, data] = ['own.onnx', 'own.npz'].map((file) => join(folder, file))
    for (const path of [model, data]) writeFileSync(path, readFileSync(fixturePath(`${name}${extname(path)}`)))
    const subject = { model, data: [data], loss: fixtures[name].loss, seed: 0 }
    const rest = { subject, what: 'loss', batch: 5, dtype: 'float64', parameters: 'flat' } as const
    const elsewhere = { ...rest, subject: { ...subject, model: fixturePath(`${name}.onnx`) } }
    await expect(exportModel({ ...rest, out: model })).rejects.toThrow(/own\.onnx would be overwritten/)
    await expect(exportModel({ ...elsewhere, out: model })).rejects.toThrow(/own\.npz would be overwritten/)
    for (const path of [model, data])
      expect(readFileSync(path).equals(readFileSync(fixturePath(`${name}${extname(path)}`)))).toBe(true)
  })

  it('the derivative of the outputs, without data, for any batch', async () => {
    const name = 'mlp-silu'
    const model = modelOf(name)
    const out = join(folder, 'jvp.onnx')
    const subject = { model: fixturePath(`${name}.onnx`), seed: 0 }
    await exportModel({ subject, what: 'jvp', out, batch: 5, dtype: 'float64', parameters: 'flat' })
    const forward = join(folder, 'outputs.onnx')
    await exportModel({ subject, what: 'outputs', out: forward, batch: 5, dtype: 'float64', parameters: 'flat' })
    const values = valuesFor(name, out, model)
    const moved = (t: number): Values => ({
      ...values,
      theta: {
        ...values['theta'],
        data: Float64Array.from(model.initialize(0), (x, i) => x + t * directionOf(model)[i]),
      },
    })
    const { jvp } = await run(out, values)
    const [plus, minus] = [await run(forward, moved(1e-5)), await run(forward, moved(-1e-5))]
    jvp.forEach((v, i) => expect(v).toBeCloseTo((plus['outputs'][i] - minus['outputs'][i]) / 2e-5, 7))
    const expected = numbersOf(expectedOf(name).get('z')!)
    ;(await run(forward, values))['outputs'].forEach((v, i) => expect(v).toBeCloseTo(expected[i], 13))
  })

  it('the file says what it is: loss, layout, names', async () => {
    const { out } = await exported('two-inputs', 'hvp', { weightDecay: 0.5 })
    const { metadata, inputs, outputs } = decodeModel(readFileSync(out))
    expect(metadata.get('thalweg.what')).toBe('hvp')
    expect(JSON.parse(metadata.get('thalweg.loss')!)).toEqual({
      name: 'binary-cross-entropy',
      reduction: 'mean',
      weightDecay: 0.5,
    })
    expect(JSON.parse(metadata.get('thalweg.layout')!)[1]).toEqual({
      name: 'body.0.weight',
      shape: [4, 5],
      start: 8,
      end: 28,
    })
    const described = JSON.parse(metadata.get('thalweg.inputs')!) as { name: string; means: string }[]
    expect(described.map((i) => i.name)).toEqual(inputs.map((i) => i.name))
    expect(outputs.map((o) => o.name)).toEqual(['hvp'])
    expect(described.every((i) => i.means.length > 0)).toBe(true)
  })

  it('the same export gives the same bytes', async () => {
    const first = readFileSync((await exported('mlp-mish', 'hvp')).out)
    expect(readFileSync((await exported('mlp-mish', 'hvp')).out).equals(first)).toBe(true)
  })
})
