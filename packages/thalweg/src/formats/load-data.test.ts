import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DomainError, FormatError, ThalwegError, numbersOf, tensorOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { makeBuiltin, standardize } from '@thalweg/landscape'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture } from './fixtures/reading.ts'
import { loadData } from './load-data.ts'
import { encodeNpy } from './npy.ts'
import { encodeNpz } from './npz.ts'

const x = tensorOf('float32', [3, 2], [1, 2, 3, 4, 5, 6])
const labels = tensorOf('int64', [3], [0, 2, 1])
const values = tensorOf('float64', [3], [0.5, 1, 2])

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-data-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function put(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, content)
  return path
}

const npz = (name: string, arrays: Record<string, Tensor>): Promise<string> => put(name, encodeNpz(arrays))
const idx = (shape: number[], data: number[]): Uint8Array =>
  Uint8Array.of(0, 0, 8, shape.length, ...shape.flatMap((d) => [0, 0, 0, d]), ...data)

describe('loadData: built in', () => {
  it('digits, flat and as images', async () => {
    const digits = await loadData('digits')
    const pixels = digits.inputs.x.data as Float64Array
    expect([digits.inputs.x.shape, digits.classCount, digits.task]).toEqual([[1797, 64], 10, 'classification'])
    expect([pixels.reduce((a, b) => Math.min(a, b)), pixels.reduce((a, b) => Math.max(a, b))]).toEqual([0, 1])
    expect(Array.from(pixels.slice(0, 6))).toEqual([0, 0, 5 / 16, 13 / 16, 9 / 16, 1 / 16])
    expect(Array.from(numbersOf(digits.targets).slice(0, 11))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    const images = await loadData('digits:image=true')
    expect(images.inputs.x.shape).toEqual([1797, 1, 8, 8])
    expect(images.inputs.x.data).toEqual(pixels)
  })

  it('iris with its species', async () => {
    const iris = await loadData('iris', { input: ['flower=x'] })
    expect(iris.inputs.flower.shape).toEqual([150, 4])
    expect(iris.classNames).toEqual(['setosa', 'versicolor', 'virginica'])
    expect(Array.from(numbersOf(iris.inputs.flower).slice(0, 4))).toEqual([5.1, 3.5, 1.4, 0.2])
  })

  it('generators with parameters, in the name or beside it', async () => {
    const expected = makeBuiltin('two-spirals', { samples: 20, noise: 0.1, seed: 3 })
    expect((await loadData('two-spirals:samples=20,noise=0.1,seed=3')).digest).toBe(expected.digest)
    const parameters = { samples: 20, noise: 0.1, seed: 3 }
    expect((await loadData('two-spirals', { parameters })).digest).toBe(expected.digest)
    for (const [name, message] of [
      ['two-spirals:samples', 'must have the form key=value'],
      ['two-spirals:sample=3', "no parameter 'sample'. There are: samples, noise"],
      ['two-spirals:samples=many', "samples must be a number, got 'many'"],
      ['two-spirals:samples=', 'samples must be a number'],
      ['mnist', 'neither a file nor a built-in data set. Built in are: digits, iris'],
    ])
      await expect(loadData(name), name).rejects.toThrow(message)
    await expect(loadData('iris', { task: 'regression' })).rejects.toThrow('is a classification')
    await expect(loadData('iris', { target: 'z' })).rejects.toThrow("its target is 'y'")
    await expect(loadData('iris', { input: ['a=b'] })).rejects.toThrow("its input is 'x'")
  })
})

describe('loadData: arrays', () => {
  it('takes x and y: integers are classes, floats are values', async () => {
    const classes = await loadData(await npz('classes.npz', { x, y: labels }))
    expect([classes.name, classes.task, classes.classCount]).toEqual(['classes', 'classification', 3])
    expect(classes.inputs.x).toEqual(x)
    const regression = await loadData(await npz('values.npz', { x, y: values }))
    expect([regression.task, regression.targets.shape]).toEqual(['regression', [3, 1]])
    const column = tensorOf('int64', [3, 1], [0, 2, 1])
    expect((await loadData(await npz('column.npz', { x, y: column }))).targets).toEqual(labels)
    const flags = tensorOf('bool', [3], [1, 0, 1])
    expect((await loadData(await npz('flags.npz', { x, y: flags }))).classCount).toBe(2)
  })

  it('obeys task and classCount', async () => {
    const integers = await npz('integers.npz', { x, y: labels })
    const regression = await loadData(integers, { task: 'regression' })
    expect([regression.task, regression.targets.dtype]).toEqual(['regression', 'float64'])
    expect((await loadData(integers, { classCount: 7 })).classCount).toBe(7)
    const whole = await npz('whole.npz', { x, y: tensorOf('float64', [3], [0, 2, 1]) })
    expect((await loadData(whole, { task: 'classification' })).targets).toEqual(labels)
    const soft = await npz('soft.npz', { x, y: tensorOf('float64', [3, 2], [1, 0, 0.5, 0.5, 0, 1]) })
    expect((await loadData(soft, { task: 'classification' })).classCount).toBe(2)
    const broken = await npz('broken.npz', { x, y: values })
    await expect(loadData(broken, { task: 'classification' })).rejects.toThrow('got 0.5 at sample 0')
    const signs = await npz('signs.npz', { x, y: tensorOf('int64', [3], [-1, 1, 1]) })
    await expect(loadData(signs)).rejects.toThrow('use regression with float targets (as for ±1)')
    expect((await loadData(signs, { task: 'regression' })).targets.data).toEqual(Float64Array.of(-1, 1, 1))
    const oneHot = await npz('one-hot.npz', { x, y: tensorOf('int64', [3, 2], [1, 0, 0, 1, 1, 0]) })
    await expect(loadData(oneHot)).rejects.toThrow('Save one-hot targets as floats')
  })

  it('chooses other arrays by name, and lists them when it cannot', async () => {
    const path = await npz('named.npz', { images: x, mask: x, labels })
    const dataset = await loadData(path, { input: ['a=images', 'b=mask'], target: 'labels' })
    expect(Object.keys(dataset.inputs)).toEqual(['a', 'b'])
    const list = 'images (float32 [3,2]), mask (float32 [3,2]), labels (int64 [3])'
    await expect(loadData(path)).rejects.toThrow(`no array 'x'. It holds ${list}`)
    await expect(loadData(path, { input: ['x=images'] })).rejects.toThrow("no array 'y'")
    for (const input of [['images'], ['=images'], ['x='], ['x=images', 'x=mask']])
      await expect(loadData(path, { input, target: 'labels' }), `${input}`).rejects.toThrow(DomainError)
  })

  it('pairs .npy files and standardizes', async () => {
    const pair = `${await put('x.npy', encodeNpy(x))},${await put('y.npy', encodeNpy(labels))}`
    const raw = await loadData(pair)
    expect(raw.origin).toBe(pair)
    expect((await loadData(pair, { standardize: true })).digest).toBe(standardize(raw).train.digest)
    await expect(loadData(join(folder, 'x.npy'))).rejects.toThrow('.npy data is a pair x.npy,y.npy, got 1')
    const three = `${pair},${join(folder, 'y.npy')}`
    await expect(loadData(three)).rejects.toThrow('got 3')
  })

  it('names the place of NaN, and of samples that do not agree', async () => {
    const nan = await npz('nan.npz', { x: tensorOf('float64', [3, 2], [1, 2, 3, 4, 5, Number.NaN]), y: labels })
    await expect(loadData(nan)).rejects.toThrow("input 'x' must be finite, got NaN at sample 2, feature 1")
    const ragged = await npz('ragged.npz', { x, y: tensorOf('int64', [2], [0, 1]) })
    await expect(loadData(ragged)).rejects.toThrow('inputs have 3 samples and targets 2')
  })
})

describe('loadData: tables', () => {
  it('takes the last column, or the named one, as target', async () => {
    const csv = await put('t.csv', 'a,b,c\n1,2.5,0\n3,4.5,1\n')
    const dataset = await loadData(csv)
    expect([dataset.inputs.x.shape, dataset.task, dataset.classCount]).toEqual([[2, 2], 'classification', 2])
    const other = await loadData(csv, { target: 'b' })
    expect([other.task, Array.from(numbersOf(other.inputs.x))]).toEqual(['regression', [1, 0, 3, 1]])
    const chosen = await loadData(csv, { target: 'c', input: ['u=b', 'v=a,b'] })
    expect([chosen.inputs.u.shape, chosen.inputs.v.shape]).toEqual([
      [2, 1],
      [2, 2],
    ])
    await expect(loadData(csv, { target: 'z' })).rejects.toThrow("no column 'z'. The columns are: a, b, c.")
    expect((await loadData(csv, { task: 'regression' })).targets.shape).toEqual([2, 1])
  })

  it('sorts text labels into classes', async () => {
    const csv = await put('k.csv.gz', gzipSync('1,wolf\n2,ape\n3,wolf\n4,cat\n'))
    const dataset = await loadData(csv)
    expect(dataset.name).toBe('k')
    expect(dataset.classNames).toEqual(['ape', 'cat', 'wolf'])
    expect(Array.from(numbersOf(dataset.targets))).toEqual([2, 0, 2, 1])
    await expect(loadData(csv, { task: 'regression' })).rejects.toThrow("regression needs numbers, got 'wolf'")
    await expect(loadData(csv, { target: '1' })).rejects.toThrow("column '2': features must be numbers, got 'wolf'")
  })

  it('reads Parquet', async () => {
    const path = await put('t.parquet', fixture('snappy.parquet'))
    const dataset = await loadData(path, { input: ['x=float,double'], target: 'text' })
    expect([dataset.inputs.x.shape, dataset.classCount, dataset.classNames?.[0]]).toEqual([[300, 2], 11, 'class -1'])
  })

  it('refuses what is not a data set', async () => {
    for (const [content, message] of [
      ['1\n2\n', 'needs a feature beside the target'],
      ['a,b\n1,\n', "row 2, column 2 ('b'): a value is missing"],
      ['a,b\n1,-3\n2,4\n', 'got -3 at sample 0'],
      ['a,b\n1,123456789\n2,4\n', 'integer targets are class indices'],
    ] as const)
      await expect(loadData(await put('bad.csv', content)), content).rejects.toThrow(message)
  })
})

describe('loadData: images', () => {
  const images = idx([2, 2, 2], [0, 51, 102, 153, 204, 255, 0, 0])
  const digits = idx([2], [3, 9])

  it('pairs IDX files in either order, by name, packed or not, in a folder', async () => {
    const first = await put('idx/train-images-idx3-ubyte', images)
    const second = await put('idx/train-labels-idx1-ubyte', digits)
    const expected = await loadData(`${first},${second}`)
    expect([expected.inputs.x.shape, expected.inputs.x.data[1]]).toEqual([[2, 1, 2, 2], Math.fround(0.2)])
    expect(Array.from(numbersOf(expected.targets))).toEqual([3, 9])
    expect((await loadData([second, first])).digest).toBe(expected.digest)
    expect((await loadData(first)).digest).toBe(expected.digest)
    expect((await loadData(join(folder, 'idx'))).digest).toBe(expected.digest)
    const packed = await put('packed/t10k-images-idx3-ubyte.gz', gzipSync(images))
    await put('packed/t10k-labels-idx1-ubyte.gz', gzipSync(digits))
    expect((await loadData(packed)).digest).toBe(expected.digest)
    const alone = await put('alone/train-images-idx3-ubyte', images)
    await expect(loadData(alone)).rejects.toThrow('IDX data is a pair images,labels, got 1')
  })

  it('lists the choices of a folder', async () => {
    await put('many/train-images-idx3-ubyte', images)
    await put('many/t10k-images-idx3-ubyte', images)
    await put('many/t10k-labels-idx1-ubyte', digits)
    await expect(loadData(join(folder, 'many'))).rejects.toThrow(
      'holds several data sets: t10k-images-idx3-ubyte, train-images-idx3-ubyte.',
    )
    await mkdir(join(folder, 'empty'))
    await expect(loadData(join(folder, 'empty'))).rejects.toThrow('no data in this folder')
  })

  it('reads CIFAR batches and chooses coarse labels', async () => {
    const record = new Uint8Array(3074)
    record.set([7, 42])
    const path = await put('c100.bin', record)
    expect(await loadData(path)).toMatchObject({ classCount: 100, name: 'c100' })
    const coarse = await loadData(path, { target: 'coarse' })
    expect([coarse.classCount, coarse.targets.data[0]]).toEqual([20, 7n])
  })
})

describe('loadData: files that are not right', () => {
  it('names the file and the reason', async () => {
    const cases: [string | string[], string][] = [
      [join(folder, 'missing.npz'), 'missing.npz: cannot be read, ENOENT'],
      ['./digits', './digits: cannot be read, ENOENT'],
      [[], 'needs a file'],
      [await put('model.pkl', Uint8Array.of(0x80, 4, 1, 2)), 'the format is not known by name or content'],
      [await put('cut.csv.gz', gzipSync('1,2\n3,4\n').subarray(0, 20)), 'gzip: cannot be unpacked'],
      [await put('fake.npz', 'not a zip'), 'a zip archive must end with its directory'],
      [await put('empty.bin', ''), 'a CIFAR batch has records'],
      [[await put('a.csv', '1,2\n'), await put('b.csv', '1,2\n')], 'several files make one data set only as'],
    ]
    for (const [source, message] of cases) {
      await expect(loadData(source), message).rejects.toThrow(ThalwegError)
      await expect(loadData(source), message).rejects.toThrow(message)
    }
    if (process.platform === 'linux')
      await expect(loadData('/dev/zero')).rejects.toThrow('/dev/zero: must be a regular file')
  })

  it('bounds files and what gzip unpacks', async () => {
    const bomb = await put('bomb.csv.gz', gzipSync('1,2\n'.repeat(600_000)))
    await expect(loadData(bomb, { maxBytes: 2 ** 20 })).rejects.toThrow(FormatError)
    const large = await put('large.csv', '1,2\n'.repeat(2000))
    await expect(loadData(large, { maxBytes: 1000 })).rejects.toThrow('a file may have 4000 bytes, got 8000')
  })

  it('knows formats by content where the name says nothing', async () => {
    const path = await put('data-without-extension', encodeNpz({ x, y: labels }))
    expect((await loadData(path)).classCount).toBe(3)
    expect((await loadData(await put('with,comma.npz', encodeNpz({ x, y: labels })))).classCount).toBe(3)
  })
})
