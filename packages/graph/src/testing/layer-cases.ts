import { averagePool, convTranspose, gemm, globalAveragePool, matmul } from '../build/contraction.ts'
import type { ConvOptions } from '../build/contraction.ts'
import {
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  localResponseNormalization,
  standardize,
} from '../build/normalization.ts'
import type { Shape } from '../core/tensor.ts'
import { poolSettings } from './contraction-cases.ts'
import { operatorCase } from './operator-case.ts'
import type { OperatorCase } from './operator-case.ts'
import type { LayerName } from './composite-names.ts'

function matmulCases(): OperatorCase[] {
  const shapes: readonly [string, Shape, Shape][] = [
    ['two vectors', [3], [3]],
    ['a vector times a matrix', [3], [3, 2]],
    ['a matrix times a vector', [2, 3], [3]],
    ['a vector times a stack', [3], [2, 3, 2]],
    ['a stack times a vector', [2, 2, 3], [3]],
    ['a stack times a matrix', [2, 2, 3], [3, 2]],
    ['a deep stack times a matrix', [2, 1, 2, 3], [3, 2]],
    ['two stacks', [2, 2, 3], [2, 3, 2]],
  ]
  return shapes.map(([name, a, b]) => operatorCase(name, (n) => matmul(n.float(a), n.float(b))))
}

interface TransposeSetting {
  readonly name: string
  readonly x: Shape
  readonly w: Shape
  readonly options: ConvOptions & { readonly outputPadding?: Shape }
}

const transposeSettings: readonly TransposeSetting[] = [
  { name: '1-D', x: [2, 2, 3], w: [2, 3, 2], options: {} },
  { name: '2-D, stride', x: [1, 2, 2, 3], w: [2, 1, 3, 2], options: { strides: [2, 3] } },
  {
    name: '2-D, output padding',
    x: [1, 2, 2, 2],
    w: [2, 2, 3, 3],
    options: { strides: [2, 3], padsBegin: [1, 1], outputPadding: [1, 2] },
  },
  {
    name: '1-D, output padding beyond the stride',
    x: [1, 1, 3],
    w: [1, 1, 2],
    options: { dilations: [2], outputPadding: [1] },
  },
  {
    name: '2-D, groups, dilation, uneven padding',
    x: [1, 4, 2, 2],
    w: [4, 1, 2, 2],
    options: { groups: 2, dilations: [2, 1], padsBegin: [1, 0], padsEnd: [0, 1] },
  },
]

function averagePoolCases(): OperatorCase[] {
  return [false, true].flatMap((countPadding) =>
    poolSettings.map(({ name, x, kernel, options }) =>
      operatorCase(`${name}, padding ${countPadding ? '' : 'not '}counted`, (n) =>
        averagePool(n.float(x), kernel, options, countPadding),
      ),
    ),
  )
}

export const layerCases: { readonly [K in LayerName]: readonly OperatorCase[] } = {
  matmul: matmulCases(),
  gemm: [
    operatorCase('plain', (n) => gemm(n.float([2, 3]), n.float([3, 2]))),
    operatorCase('everything', (n) =>
      gemm(n.float([3, 2]), n.float([4, 3]), n.float([4]), { transA: true, transB: true, alpha: 0.5, beta: -2 }),
    ),
  ],
  convTranspose: transposeSettings.map(({ name, x, w, options }) =>
    operatorCase(name, (n) => convTranspose(n.float(x), n.float(w), options)),
  ),
  averagePool: averagePoolCases(),
  globalAveragePool: [
    operatorCase('2-D', (n) => globalAveragePool(n.float([2, 2, 2, 3]))),
    operatorCase('1-D', (n) => globalAveragePool(n.float([1, 2, 3]))),
  ],
  batchNormalization: [
    operatorCase('images', (n) =>
      batchNormalization(n.float([2, 2, 2, 1]), n.float([2]), n.float([2]), n.float([2]), n.float([2], 0.5, 2)),
    ),
    operatorCase('vectors', (n) =>
      batchNormalization(n.float([2, 3]), n.float([3]), n.float([3]), n.float([3]), n.float([3], 0.5, 2), 1e-3),
    ),
  ],
  standardize: [operatorCase('two axes', (n) => standardize(n.float([2, 2, 3]), [0, 2], 1e-3))],
  layerNormalization: [
    operatorCase('the last axis', (n) => layerNormalization(n.float([2, 4]), n.float([4]), n.float([4]))),
    operatorCase('the last two, no shift', (n) =>
      layerNormalization(n.float([2, 2, 3]), n.float([2, 3]), undefined, 1),
    ),
    operatorCase('bare', (n) => layerNormalization(n.float([2, 4]))),
  ],
  instanceNormalization: [
    operatorCase('images', (n) => instanceNormalization(n.float([2, 2, 2, 2]), n.float([2]), n.float([2]))),
  ],
  groupNormalization: [
    operatorCase('two groups', (n) => groupNormalization(n.float([1, 4, 2]), 2, n.float([4]), n.float([4]))),
    operatorCase('one group, bare', (n) => groupNormalization(n.float([2, 2, 2, 1]), 1)),
  ],
  localResponseNormalization: [
    operatorCase('three channels', (n) => localResponseNormalization(n.float([1, 4, 2, 1]), 3, 0.3, 0.75, 1.5)),
    operatorCase('even size', (n) => localResponseNormalization(n.float([2, 3, 2]), 2, 0.2)),
  ],
}
