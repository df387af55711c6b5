/** The Hessian that the curvature benchmarks of stochastic estimators share: small enough for its whole spectrum. */
import { nativeEngine } from '@thalweg/engine/node'
import type { Engine } from '@thalweg/engine'
import { tensorOf } from '@thalweg/graph'
import { Loss, LossPoint, makeDataset, mlp } from '@thalweg/landscape'
import type { LinearOperator } from '@thalweg/landscape'
import { fileURLToPath } from 'node:url'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Contestant } from '../tools/side-by-side.ts'
import { sineTensor } from './sine-tensor.ts'

const widths = [64, 16, 10]
const n = 1000
const model = mlp({ widths, activation: 'tanh' })
const theta = model.initialize(1)

export const problemWords = `Hessian of ${widths.join('-')} (tanh, cross-entropy), 1210 parameters, ${n} samples, float64`

export interface CurvatureProblem {
  readonly engine: Engine
  /** A point without anything computed before. */
  hessian(): LinearOperator
}

export function curvatureProblem(): CurvatureProblem {
  const engine = nativeEngine({ threads: 2 })
  const labels = Array.from({ length: n }, (_, i) => i % 10)
  const dataset = makeDataset({
    name: 'sines',
    inputs: { x: sineTensor('float64', [n, widths[0]], 1) },
    targets: tensorOf('int64', [n], labels),
    task: 'classification',
    classCount: 10,
    origin: 'bench',
  })
  const loss = new Loss({ engine, model, dataset, spec: { name: 'cross-entropy', reduction: 'mean' } })
  return { engine, hessian: () => new LossPoint(loss, theta).operator('hessian') }
}

const script = fileURLToPath(new URL('curvature-estimates.py', import.meta.url))

/** The same work in PyTorch, and by PyHessian where `THALWEG_PYHESSIAN` names the folder that holds its package. */
export function pythonContestants(words: string, options: Readonly<Record<string, unknown>>): readonly Contestant[] {
  const input = { widths, n, theta: Array.from(theta), threads: 2, ...options }
  const folder = process.env['THALWEG_PYHESSIAN']
  const other: Contestant =
    folder === undefined
      ? { name: 'PyHessian', skipped: 'THALWEG_PYHESSIAN does not name the folder that holds pyhessian/' }
      : pythonContestant('PyHessian', script, { input: { ...input, folder } })
  return [pythonContestant(words, script, { input }), other]
}
