import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensor } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { decodeHdf5, encodeHdf5 } from './hdf5.ts'

const content = {
  x: tensor('float64', [2, 3], Float64Array.of(1, 2, Number.NaN, 4, 5, Number.POSITIVE_INFINITY)),
  'xdirection/0': tensor('float32', [2], Float32Array.of(1.5, 2)),
  'xdirection/1': tensor('float64', [1, 2], Float64Array.of(-0, 1e-300)),
  counts: tensor('int64', [1], BigInt64Array.of(3n)),
  dir_file: 'größe.h5',
}

const python = '/usr/bin/python3'
const hasH5py = spawnSync(python, ['-c', 'import h5py']).status === 0
const runPython = (code: string): string => {
  const { status, stdout, stderr } = spawnSync(python, ['-c', code], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout.trim()
}

describe('HDF5', () => {
  it('gives back what was written', async () => {
    const back = await decodeHdf5(await encodeHdf5(content), { file: 'a.h5' })
    expect(Object.fromEntries(back)).toEqual(content)
  })

  it('refuses what is not HDF5, empty or cut short, in one line and without printing', async () => {
    const whole = await encodeHdf5(content)
    for (const bytes of [new Uint8Array(0), new Uint8Array(1000).fill(7), whole.subarray(0, 1500)])
      await expect(decodeHdf5(bytes, { file: 'a.h5' })).rejects.toThrow(
        /^a\.h5, HDF5: cannot be read, .+ Write it with h5py/,
      )
  })

  it('refuses an array above the limit before reading it', async () => {
    const bytes = await encodeHdf5(content)
    await expect(decodeHdf5(bytes, { file: 'a.h5', maxBytes: 40 })).rejects.toThrow(
      'a.h5, x: an array may take 40 bytes, got shape [2,3] with 8 bytes an element',
    )
  })

  it('refuses paths with empty names', async () => {
    await expect(encodeHdf5({ 'a//b': content.x })).rejects.toThrow("got 'a//b'")
  })

  it.skipIf(!hasH5py)('is read by h5py with the same numbers', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'thalweg-h5-')), 'a.h5')
    writeFileSync(file, await encodeHdf5(content))
    const printed = runPython(
      `import h5py; f = h5py.File(${JSON.stringify(file)}); print(f['x'][:].tolist(), f['x'].dtype, f['xdirection/0'][:].tolist(), f['dir_file'][()].decode(), len(f['xdirection']))`,
    )
    expect(printed).toBe('[[1.0, 2.0, nan], [4.0, 5.0, inf]] float64 [1.5, 2.0] größe.h5 2')
  })

  it.skipIf(!hasH5py)('reads what h5py writes, refuses its unknown filters and follows no link outside', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'thalweg-h5-'))
    runPython(
      [
        'import h5py, numpy as np',
        `f = h5py.File(${JSON.stringify(join(folder, 'good.h5'))}, 'w')`,
        "f['dir_file'] = 'name'; f['s'] = 2.5",
        "f.create_dataset('z', data=np.arange(6.).reshape(2, 3), compression='gzip', shuffle=True)",
        "f['out'] = h5py.ExternalLink('/etc/passwd', 'x'); f['nowhere'] = h5py.SoftLink('/no')",
        `g = h5py.File(${JSON.stringify(join(folder, 'lzf.h5'))}, 'w')`,
        "g.create_dataset('l', data=[[1., 2.]], compression='lzf')",
        `h = h5py.File(${JSON.stringify(join(folder, 'bomb.h5'))}, 'w')`,
        "h.create_dataset('b', shape=(1 << 40,), dtype='f8', chunks=(1 << 20,), compression='gzip')",
      ].join('\n'),
    )
    const read = (name: string) => decodeHdf5(readFileSync(join(folder, name)), { file: name })
    expect(Object.fromEntries(await read('good.h5'))).toEqual({
      dir_file: 'name',
      s: tensor('float64', [], Float64Array.of(2.5)),
      z: tensor('float64', [2, 3], Float64Array.of(0, 1, 2, 3, 4, 5)),
    })
    await expect(read('lzf.h5')).rejects.toThrow("lzf.h5, l: packed by 'lzf', which is not read")
    await expect(read('bomb.h5')).rejects.toThrow('bomb.h5, b: an array may take')
  })
})
