/** What other programs read from our surface files: h5py and VTK, where Debian's packages of them are installed. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeHdf5 } from '../src/formats/hdf5.ts'
import { decodeParquet } from '../src/formats/parquet.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

const python = '/usr/bin/python3'
const has = (module: string): boolean => spawnSync(python, ['-c', `import ${module}`]).status === 0

/** What a Python program prints as JSON; NaN and Infinity as Python writes them are not expected here. */
function pythonJson(code: string): unknown {
  const { status, stdout, stderr } = spawnSync(python, ['-c', code], { cwd: folder(), encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout)
}

interface Document {
  readonly values: number[][]
  readonly accuracies: number[][]
  readonly axes: readonly { readonly nodes: number[] }[]
  readonly curvature: { readonly largest: number[][]; readonly smallest: number[][] }
}

function surface(...args: string[]): Document {
  const { status, stdout, stderr } = thalweg('surface', 'model', ...args, '--json')
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout) as Document
}

let plane: Document

beforeAll(() => {
  writeFileSync(
    join(folder(), 'moons.yaml'),
    [
      'name: moons',
      "data: { name: 'two-moons:samples=60,noise=0.15' }",
      'model: { kind: mlp, widths: [2, 8, 2], activation: tanh }',
      'loss: { name: cross-entropy }',
      'training: { optimizer: { name: adam }, learningRate: 0.03, steps: 100, dtype: float64 }',
      '',
    ].join('\n'),
  )
  thalweg('run', 'moons.yaml', '--out', 'model', '--quiet')
  plane = surface(
    '--x',
    '-1:1:11',
    '--y',
    '-0.5:0.25:7',
    '--dtype',
    'float64',
    '--curvature-grid',
    '3',
    '--out',
    'plane',
  )
})

const transposed = (rows: readonly (readonly number[])[]): number[][] =>
  rows[0].map((_, i) => rows.map((row) => row[i]))

describe('HDF5 with the keys of the reference tool', () => {
  test.skipIf(!has('h5py'))('h5py finds the same numbers, the first axis outermost, accuracies in percent', () => {
    const read = pythonJson(
      [
        'import h5py, json',
        "f = h5py.File('plane/results/surface.h5', 'r')",
        "keys = ['xcoordinates', 'ycoordinates', 'train_loss', 'train_acc', 'hessian/max_eig', 'hessian/min_eig']",
        "print(json.dumps([*(f[k][:].tolist() for k in keys), f['dir_file'][()].decode()]))",
      ].join('\n'),
    )
    expect(read).toEqual([
      plane.axes[0].nodes,
      plane.axes[1].nodes,
      transposed(plane.values),
      transposed(plane.accuracies).map((row) => row.map((share) => 100 * share)),
      transposed(plane.curvature.largest),
      transposed(plane.curvature.smallest),
      'directions.h5',
    ])
  })

  test('the directions that were written give the same surface again', () => {
    const again = surface(
      ...['--directions', 'file', '--direction-file', 'plane/results/directions.h5', '--dtype', 'float64'],
      ...['--x', '-1:1:11', '--y', '-0.5:0.25:7', '--out', 'again'],
    )
    expect(again.values).toEqual(plane.values)
  })

  test.skipIf(!has('h5py'))(
    "directions that the reference tool's writer makes are read, tensor by tensor",
    async () => {
      pythonJson(
        [
          'import h5py, json, numpy as np',
          "f = h5py.File('ones.h5', 'w'); g = f.create_group('xdirection')",
          'for i, s in enumerate([(8, 2), (8,), (2, 8), (2,)]): g.create_dataset(str(i), data=np.full(s, i + 1.0, dtype=np.float32))',
          'f.close(); print(json.dumps(0))',
        ].join('\n'),
      )
      surface(
        '--directions',
        'file',
        '--dimensions',
        '1',
        '--direction-file',
        'ones.h5',
        '--points',
        '3',
        '--out',
        'ones',
      )
      const written = await decodeHdf5(readFileSync(join(folder(), 'ones/results/directions.h5')), { file: 'ones' })
      const constants = [...written.values()].map((value) =>
        typeof value === 'string' ? value : Number(value.data[0]),
      )
      expect(constants).toEqual([1, 2, 3, 4])
    },
  )

  test.skipIf(!has('h5py'))('a file of another model, or of states, is refused in one line', () => {
    pythonJson(
      [
        'import h5py, json, numpy as np',
        "f = h5py.File('states.h5', 'w'); g = f.create_group('xdirection')",
        'for i in range(6): g.create_dataset(str(i), data=np.zeros((8, 2)))',
        "h = h5py.File('shapes.h5', 'w'); g = h.create_group('xdirection')",
        'for i in range(4): g.create_dataset(str(i), data=np.zeros((3, 2)))',
        "h5py.File('empty.h5', 'w'); print(json.dumps(0))",
      ].join('\n'),
    )
    for (const [file, message] of [
      ['states.h5', 'must hold 4 arrays, one per parameter tensor of the model, got 6'],
      ['shapes.h5', 'xdirection/0: must have the shape [8,2] of layers.0.weight, got [3,2]'],
      ['empty.h5', 'no directions'],
      ['moons.yaml', 'moons.yaml'],
    ]) {
      const reply = thalweg('surface', 'model', '--directions', 'file', '--dimensions', '1', '--direction-file', file)
      expect(reply.status).toBe(2)
      expect(reply.stderr.trim().split('\n')).toHaveLength(1)
      expect(reply.stderr).toContain(message)
    }
  })
})

test('the Parquet table has a row per node, the first axis fastest', async () => {
  const file = 'plane/results/surface.parquet'
  const { columns } = await decodeParquet(readFileSync(join(folder(), file)), { file })
  const read = (name: string): number[] => {
    const values = columns.find((column) => column.name === name)!.read()
    return values.kind === 'number' ? Array.from(values.values) : []
  }
  expect(columns.map(({ name }) => name)).toEqual(['x', 'y', 'loss', 'accuracy'])
  expect(read('loss')).toEqual(plane.values.flat())
  expect(read('x')).toEqual(plane.values.flatMap(() => plane.axes[0].nodes))
  expect(read('y')).toEqual(plane.axes[1].nodes.flatMap((y) => plane.axes[0].nodes.map(() => y)))
})

test.skipIf(!has('vtk'))('VTK reads the surface for ParaView with the same numbers', () => {
  const read = pythonJson(
    [
      'import vtk, json',
      'from vtk.util.numpy_support import vtk_to_numpy as numbers',
      "r = vtk.vtkXMLPolyDataReader(); r.SetFileName('plane/results/surface.vtp'); r.Update(); d = r.GetOutput()",
      "loss = numbers(d.GetPointData().GetArray('loss')).tolist()",
      'points = numbers(d.GetPoints().GetData())',
      'print(json.dumps([d.GetNumberOfPoints(), d.GetNumberOfCells(), loss, points[:, 2].tolist(), points[:11, 0].tolist()]))',
    ].join('\n'),
  )
  expect(read).toEqual([77, 60, plane.values.flat(), plane.values.flat(), plane.axes[0].nodes])
})
