import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeModel, FormatError, tensorOf } from '@thalweg/graph'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { externalReader, readOnnxFile } from './onnx-file.ts'

let root: string
let folder: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'thalweg-onnx-'))
  folder = join(root, 'model')
  mkdirSync(join(folder, 'parts'), { recursive: true })
  writeFileSync(join(root, 'secret.bin'), Uint8Array.of(1, 2, 3, 4))
  writeFileSync(join(folder, 'parts', 'w.bin'), Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7))
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

const model = encodeModel({
  inputs: [],
  outputs: [{ name: 'y', dtype: 'float32', shape: [1] }],
  initializers: new Map([['c', tensorOf('float32', [1], [2])]]),
  nodes: [{ op: 'Neg', inputs: ['c'], outputs: ['y'] }],
})

describe('readOnnxFile', () => {
  it('reads a file', () => {
    writeFileSync(join(folder, 'm.onnx'), model)
    expect(readOnnxFile(join(folder, 'm.onnx')).nodes).toHaveLength(1)
  })

  it('refuses what is missing, no file, too large or truncated, naming it', () => {
    writeFileSync(join(folder, 'short.onnx'), model.subarray(0, 20))
    writeFileSync(join(folder, 'm.onnx'), model)
    expect(() => readOnnxFile(join(folder, 'none.onnx'))).toThrow(/none.onnx: there is no such file/)
    expect(() => readOnnxFile(folder)).toThrow(/regular file/)
    expect(() => readOnnxFile(join(folder, 'short.onnx'))).toThrow(/short.onnx.*truncated/)
    expect(() => readOnnxFile(join(folder, 'm.onnx'), { maxBytes: 10 })).toThrow(/at most 10 bytes/)
  })
})

describe('externalReader', () => {
  it('reads the bytes asked for', () => {
    expect([...externalReader(folder)('parts/w.bin', 2, 3)]).toEqual([2, 3, 4])
  })

  it.each(['../secret.bin', 'parts/../../secret.bin', '/etc/hostname', '.', 'parts', 'none.bin'])(
    'refuses %s',
    (location) => {
      expect(() => externalReader(folder)(location, 0, 1)).toThrow(FormatError)
    },
  )

  it('refuses links that lead outside, and follows those that stay inside', () => {
    symlinkSync(join(root, 'secret.bin'), join(folder, 'link.bin'))
    symlinkSync(root, join(folder, 'up'))
    symlinkSync(join(folder, 'parts', 'w.bin'), join(folder, 'inner.bin'))
    const read = externalReader(folder)
    expect(() => read('link.bin', 0, 1)).toThrow(/must lie in the model's folder/)
    expect(() => read('up/secret.bin', 0, 1)).toThrow(/must lie in the model's folder/)
    expect([...read('inner.bin', 7, 1)]).toEqual([7])
  })

  it('refuses bytes beyond the end', () => {
    expect(() => externalReader(folder)('parts/w.bin', 6, 3)).toThrow(/bytes 6…9.*the file has 8/)
  })
})
