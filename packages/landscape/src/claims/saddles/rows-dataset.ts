import { tensor } from '@thalweg/graph'
import { makeDataset } from '../../data/dataset.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { Matrix } from '../../linalg/matrix.ts'

/** Regression data whose rows are samples. */
export function rowsDataset(name: string, x: Matrix, y: Matrix): Dataset {
  return makeDataset({
    name,
    inputs: { x: tensor('float64', [x.rows, x.cols], x.data) },
    targets: tensor('float64', [y.rows, y.cols], y.data),
    task: 'regression',
    origin: name,
  })
}
