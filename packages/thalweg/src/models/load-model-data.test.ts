import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { numbersOf, tensorOf } from '@thalweg/graph'
import type { OnnxValue, Tensor } from '@thalweg/graph'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeNpz } from '../formats/npz.ts'
import { loadModelData, targetsFor } from './load-model-data.ts'

const folder = mkdtempSync(join(tmpdir(), 'thalweg-data-'))
afterAll(() => rmSync(folder, { recursive: true }))

function npz(arrays: Record<string, Tensor>): string {
  const file = join(folder, 'data.npz')
  writeFileSync(file, encodeNpz(arrays))
  return file
}

const value = (name: string, shape: OnnxValue['shape'], dtype: 'float32' | 'int64' = 'float32'): OnnxValue => ({
  name,
  dtype,
  elementType: dtype,
  shape,
})
const floats = (shape: number[]): Tensor =>
  tensorOf(
    'float64',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  )
const labels = tensorOf('int64', [2], [1, 0])

describe('targetsFor', () => {
  const columns = tensorOf('float64', [2, 1], [1, 0])
  it.each([
    ['indices', labels, 'cross-entropy', 'classification', 'int64', [2]],
    ['indices in a column', tensorOf('int64', [2, 1], [1, 0]), 'cross-entropy', 'classification', 'int64', [2]],
    ['indices saved as floats', tensorOf('float64', [2], [1, 0]), 'cross-entropy', 'classification', 'int64', [2]],
    ['one-hot integers', tensorOf('int64', [2, 2], [0, 1, 1, 0]), 'cross-entropy', 'classification', 'float64', [2, 2]],
    [
      'soft labels',
      tensorOf('float64', [2, 2], [0.3, 0.7, 1, 0]),
      'negative-log-likelihood',
      'classification',
      'float64',
      [2, 2],
    ],
    ['0/1 integers', labels, 'binary-cross-entropy', 'classification', 'int64', [2]],
    ['±1 integers', tensorOf('int64', [2], [-1, 1]), 'hinge', 'regression', 'float64', [2]],
    [
      'several labels',
      tensorOf('int64', [2, 3], [0, 1, 1, 1, 0, 0]),
      'binary-cross-entropy',
      'regression',
      'float64',
      [2, 3],
    ],
    ['integers for least squares', labels, 'mse', 'regression', 'float64', [2]],
    ['values', columns, 'mse', 'regression', 'float64', [2, 1]],
  ] as const)('%s', (_, target, loss, task, dtype, shape) => {
    const got = targetsFor(target, loss, undefined, 'f')
    expect([got.task, got.targets.dtype, got.targets.shape]).toEqual([task, dtype, shape])
  })

  it('refuses rows that are no distributions, and fractions as indices', () => {
    expect(() => targetsFor(tensorOf('float64', [2, 2], [0.5, 0.5, 1, 1]), 'cross-entropy', undefined, 'f')).toThrow(
      /row 1 adds up to 2/,
    )
    expect(() => targetsFor(tensorOf('float64', [2], [0.5, 1]), 'cross-entropy', undefined, 'f')).toThrow(
      /must be integers, got 0.5 at sample 0/,
    )
  })
})

describe('loadModelData', () => {
  it('takes several inputs, integers among them, and sample weights', async () => {
    const file = npz({
      numbers: floats([2, 3]),
      category: tensorOf('float64', [2], [3, 1]),
      y: labels,
      w: tensorOf('float64', [2], [1, 0.5]),
    })
    const model = { inputs: [value('numbers', ['N', 3]), value('category', ['N'], 'int64')] }
    const data = await loadModelData(model, file, { sampleWeights: 'w' }, 'cross-entropy')
    expect(data.inputs['category'].dtype).toBe('int64')
    expect(data.sampleWeights).toEqual(Float64Array.of(1, 0.5))
  })

  it('refuses fractions where the model takes indices', async () => {
    const file = npz({ x: tensorOf('float64', [2], [3, 1.5]), y: labels })
    await expect(
      loadModelData({ inputs: [value('tokens', ['N'], 'int64')] }, file, {}, 'cross-entropy'),
    ).rejects.toThrow(/input tokens: takes whole numbers.*1\.5 at element 1/)
  })

  it.each([
    ['flat rows for images', [2, 12], ['N', 1, 3, 4]],
    ['images without the channel axis', [2, 3, 4], ['N', 1, 3, 4]],
    ['images for flat rows', [2, 3, 4], ['N', 12]],
    ['a sequence of open length', [2, 7, 4], ['N', 'T', 4]],
  ])('accepts %s', async (_, given, wanted) => {
    const file = npz({ x: floats(given), y: labels })
    expect(
      (await loadModelData({ inputs: [value('image', wanted)] }, file, {}, 'cross-entropy')).inputs['image'].shape,
    ).toEqual(given)
  })

  it('refuses channels last for channels first, which has the same size', async () => {
    const file = npz({ x: floats([2, 3, 4, 2]), y: labels })
    await expect(
      loadModelData({ inputs: [value('image', ['N', 2, 3, 4])] }, file, {}, 'cross-entropy'),
    ).rejects.toThrow(
      /takes \[2 × 3 × 4\] per sample, got \[3 × 4 × 2\] from image\. The axes seem to be in another order.*transpose/,
    )
  })

  it('reads the integers of a table as numbers for a loss of numbers', async () => {
    const file = join(folder, 'table.csv')
    writeFileSync(file, 'a,b,t\n0.5,1,3\n1.5,2,4\n')
    const data = await loadModelData({ inputs: [value('x', ['N', 2])] }, file, {}, 'mse')
    expect(data.task).toBe('regression')
    expect(Array.from(numbersOf(data.targets))).toEqual([3, 4])
    await expect(
      loadModelData({ inputs: [value('x', ['N', 2])] }, file, { sampleWeights: 'b' }, 'mse'),
    ).rejects.toThrow(/an array of an \.npz/)
  })
})
