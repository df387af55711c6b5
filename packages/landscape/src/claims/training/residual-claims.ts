import { add, matmul, tanh, transpose } from '@thalweg/graph'
import { hessianSpectrum } from '../../critical/finders/hessian-spectrum.ts'
import { objectiveOf } from '../../critical/finders/objective.ts'
import { polish } from '../../critical/finders/polish.ts'
import { teacherStudent } from '../../data/teacher-student.ts'
import type { Dataset } from '../../data/dataset.ts'
import { linearNetwork, mlp } from '../../model/mlp.ts'
import { parameterCount } from '../../model/model.ts'
import type { Model, Parameter } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'
import { lbfgs } from '../../train/lbfgs-stepper.ts'
import { train } from '../../train/train.ts'
import type { LossSpec } from '../../loss/loss-function.ts'
import type { Loss } from '../../loss/loss.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { partCounter, withLosses } from '../with-losses.ts'
import { trainingTopic as topic } from './source.ts'

const inputs = 3
const units = 1
const starts = 40
const mse: LossSpec = { name: 'mse', reduction: 'mean' }

/** f(x) = W (x + V tanh(U x)), [3] → [2]: a residual unit with a linear readout. Contains the linear model at V = 0. */
function residualUnit(): Model {
  const parameter = (name: string, rows: number, cols: number): Parameter => ({
    ...{ name, shape: [rows, cols], role: 'weight', outputAxis: 0 },
  })
  const parameters = [
    parameter('inner', units, inputs),
    parameter('outer', inputs, units),
    parameter('readout', 2, inputs),
  ]
  return {
    name: 'residual unit',
    inputs: [{ name: 'x', dtype: 'float', shape: [inputs] }],
    parameters,
    outputShape: [2],
    architecture: { kind: 'unknown' },
    notes: [],
    forward([inner, outer, readout], [x]) {
      const branch = matmul(tanh(matmul(x, transpose(inner, [1, 0]))), transpose(outer, [1, 0]))
      return matmul(add(x, branch), transpose(readout, [1, 0]))
    },
    initialize: (seed) => randomStream(seed, 'residual unit').normals(parameterCount({ parameters })),
  }
}

interface EndPoint {
  readonly loss: number
  readonly minimum: boolean
}

/** Critical points that L-BFGS and a polish reach from random starts of several sizes. */
async function criticalEnds(loss: Loss, seed: number, part: () => void): Promise<EndPoint[]> {
  const ends: EndPoint[] = []
  for (let i = 0; i < starts; i++) {
    const scale = [0.1, 0.5, 1.5][i % 3]
    const theta = loss.model.initialize(1000 * seed + i).map((t) => scale * t)
    // a short descent, so that saddles are among what the polish finds
    const descent = await train({ loss, optimizer: lbfgs(), steps: i % 4 === 0 ? 3 : 800, theta })
    const end = await polish(objectiveOf(loss), descent.theta)
    if (end.status === 'converged') {
      const { values, norm } = await hessianSpectrum(objectiveOf(loss).at(end.theta).hessian)
      ends.push({ loss: end.value, minimum: values[0] >= -1e-8 * norm })
    }
    part()
  }
  return ends
}

async function linearOptimum(context: ClaimContext, dataset: Dataset): Promise<number> {
  return withLosses(context, async (make) => {
    const loss = make(linearNetwork([inputs, 2]), dataset, mse)
    const { theta } = await train({ loss, optimizer: lbfgs(), steps: 100 })
    return (await polish(objectiveOf(loss), theta)).value
  })
}

async function runResidual(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, 2 * starts + 1)
  const dataset = teacherStudent({
    ...{ samples: 40, inputs, hidden: 6, outputs: 2, noise: 0.2, seed: context.seed },
  })
  const bound = await linearOptimum(context, dataset)
  part()
  const residual = await withLosses(context, (make) =>
    criticalEnds(make(residualUnit(), dataset, mse), context.seed, part),
  )
  const plainModel = mlp({ widths: [inputs, 1, 2], activation: 'tanh', bias: false })
  const plain = await withLosses(context, (make) => criticalEnds(make(plainModel, dataset, mse), context.seed, part))
  const minima = residual.filter(({ minimum }) => minimum)
  const saddles = residual.filter(({ minimum }) => !minimum)
  const above = ({ loss }: EndPoint): boolean => loss > bound * (1 + 1e-9)
  const measurements = [
    near('minima of the residual net above the best linear model', minima.filter(above).length, 0, 0),
    atLeast('minima found', minima.length, 10),
    atMost('worst minimum over the best linear model', Math.max(...minima.map(({ loss }) => loss)) / bound, 1 + 1e-9),
    { name: 'best linear model', measured: bound },
    {
      name: 'saddles of the residual net, and those above the linear model',
      measured: `${saddles.length}, ${saddles.filter(above).length}`,
    },
    {
      name: 'minima of a plain net 3-1-2, and those above the linear model',
      measured: `${plain.filter((e) => e.minimum).length}, ${plain.filter((e) => e.minimum && above(e)).length}`,
    },
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All ${minima.length} minima found lie at or below the best linear model (${bound.toPrecision(4)}; the worst of them at ${Math.max(...minima.map(({ loss }) => loss)).toPrecision(4)}), ${saddles.filter(above).length} of ${saddles.length} saddles above it.`,
    measurements,
    figure: {
      title: 'Critical points of a residual unit W(x + V tanh(Ux))',
      xLabel: 'number, by loss',
      yLabel: 'loss',
      series: [
        { name: 'minima', mark: 'points', ...ordered(minima) },
        { name: 'saddles', mark: 'points', ...ordered(saddles) },
        { name: 'minima of a plain net 3-1-2', mark: 'points', ...ordered(plain.filter(({ minimum }) => minimum)) },
      ],
      levels: [{ label: 'best linear model', value: bound }],
    },
  }
}

function ordered(points: readonly EndPoint[]): { x: number[]; y: number[] } {
  const y = points.map(({ loss }) => loss).sort((a, b) => a - b)
  return { x: y.map((_, i) => i + 1), y }
}

export const residualClaims: readonly Claim[] = [
  {
    id: 'residual-minima',
    topic,
    statement: 'No local minimum of a residual network is worse than the best linear model of its inputs.',
    source: {
      text: 'Shamir 2018; Kawaguchi & Bengio 2018',
      place: 'main theorems',
      reference: 'arXiv:1804.06739; arXiv:1810.09038',
    },
    experiment: `f = W(x + V tanh(Ux)) with 3 inputs, 1 unit and 2 outputs on 40 noisy samples of a teacher, mean squared error: critical points from ${starts} starts (L-BFGS, polished), exact Hessians, beside the least-squares fit.`,
    expected: 'holds',
    remark:
      'Says nothing about saddles, which may lie above, and compares with the linear model only, not with the best residual network.',
    estimateSeconds: 2.5,
    run: runResidual,
  },
]
