import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError, numbersOf } from '@thalweg/graph'
import { applyStandardization } from '@thalweg/landscape'
import { describe, expect, it } from 'vitest'
import { decodeCifar } from './cifar.ts'
import { loadData } from './load-data.ts'
import { decodeNpz } from './npz.ts'

const source = { file: 'batch.bin' }
const folder = process.env.THALWEG_TEST_DATA

/** Records with the given label bytes; pixel p of record i is (p + i) mod 256. */
function batch(labels: number[][]): Uint8Array {
  const records = labels.map((label, i) => [...label, ...Array.from({ length: 3072 }, (_, p) => (p + i) & 255)])
  return Uint8Array.from(records.flat())
}

const decode = (...batches: Uint8Array[]): ReturnType<typeof decodeCifar> =>
  decodeCifar(batches.map((bytes) => ({ bytes, source })))

describe('cifar', () => {
  it('reads CIFAR-10 batches, scaled, joined in order', () => {
    const { images, labels, classCount, coarseLabels } = decode(batch([[3], [9]]), batch([[0]]))
    expect([images.dtype, images.shape, classCount, coarseLabels]).toEqual(['float32', [3, 3, 32, 32], 10, undefined])
    expect(Array.from(numbersOf(labels))).toEqual([3, 9, 0])
    expect(images.data[3072 + 5]).toBe(Math.fround(6 / 255))
    expect(images.data[2 * 3072 + 255]).toBe(1)
  })

  it('reads CIFAR-100 with fine and coarse labels', () => {
    const { images, labels, coarseLabels, classCount } = decode(
      batch([
        [19, 99],
        [0, 4],
      ]),
    )
    expect([classCount, images.shape]).toEqual([100, [2, 3, 32, 32]])
    expect(Array.from(numbersOf(labels))).toEqual([99, 4])
    expect(coarseLabels?.data).toEqual(BigInt64Array.of(19n, 0n))
    expect(images.data[3072]).toBe(Math.fround(1 / 255))
  })

  it('refuses cut files, labels out of range and mixtures', () => {
    const two = batch([[1], [2]])
    for (const length of [0, 1, 3072, 3075, 6145]) {
      expect(() => decode(two.subarray(0, length)), `${length}`).toThrow(FormatError)
    }
    expect(() => decode(batch([[1], [10]]))).toThrow('batch.bin, byte 3073: labels of CIFAR-10 are below 10, got 10')
    expect(() => decode(batch([[1, 100]]))).toThrow('below 20 and 100, got 1, 100')
    expect(() => decode(batch([[1]]), batch([[1, 1]]))).toThrow('all CIFAR-10 or all CIFAR-100')
    expect(() => decodeCifar([{ bytes: two, source: { file: 'b', maxBytes: 1000 } }])).toThrow('may take 1000 bytes')
  })

  it.skipIf(!folder)('agrees with the images prepared for PyTorch [needs THALWEG_TEST_DATA]', async () => {
    const raw = await loadData(join(folder as string, 'cifar10-1000.bin'))
    expect([raw.inputs.x.shape, raw.classCount, raw.classNames?.[9]]).toEqual([[1000, 3, 32, 32], 10, 'truck'])
    const dataset = applyStandardization(raw, {
      input: 'x',
      mean: Float64Array.of(0.485, 0.456, 0.406),
      scale: Float64Array.of(0.229, 0.224, 0.225),
    })
    const reference = decodeNpz(readFileSync(join(folder as string, 'cifar10-1000-normalized.npz')), {
      file: 'reference',
    })
    expect(dataset.targets).toEqual(reference.get('y'))
    const x = dataset.inputs.x.data as Float32Array
    const expected = reference.get('x')?.data as Float32Array
    let worst = 0
    for (let i = 0; i < x.length; i++) worst = Math.max(worst, Math.abs(x[i] - expected[i]))
    expect(x.length).toBe(expected.length)
    // One unit in the last place of numbers in 2 … 4 (measured: 2.4e-7), since PyTorch rounds after each step.
    expect(worst).toBeLessThan(5e-7)
  })

  if (!folder)
    console.log('cifar.test: THALWEG_TEST_DATA is not set, so the comparison with PyTorch images is skipped.')
})
