import { nativeEngine } from '@thalweg/engine/node'
import { hardTanh, matmul, transpose } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { afterAll, expect, test } from 'vitest'
import { Loss } from '../../loss/index.ts'
import { linearNetwork } from '../../model/index.ts'
import type { Model } from '../../model/index.ts'
import { rowsDataset, squared } from '../elimination/toy-problems.ts'
import { recognizeLinearNetwork } from './recognize-linear-network.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

/** x W₁ᵀ W₂ᵀ without a description, W₁ as `weights` leaves it. */
function anonymous(weights: (w: Expr) => Expr): Loss {
  const model: Model = {
    ...linearNetwork([2, 3, 1]),
    architecture: { kind: 'unknown' },
    forward: ([first, second], [x]) => matmul(matmul(x, transpose(weights(first), [1, 0])), transpose(second, [1, 0])),
  }
  const dataset = rowsDataset(
    [
      [1, 2],
      [0, -1],
    ],
    [[1], [2]],
  )
  return new Loss({ engine, model, dataset, spec: squared })
}

test('a network of matrices is recognized, one with clipped weights is not, although random weights do not meet the clip', async () => {
  expect(await recognizeLinearNetwork(anonymous((w) => w))).toMatchObject({ widths: [2, 3, 1], biases: [false, false] })
  expect(await recognizeLinearNetwork(anonymous((w) => hardTanh(w, -50, 50)))).toBeUndefined()
})
