/** The Hessians of the curvature benchmarks, small enough for whole spectra, and who takes part besides ours. */
import { nativeEngine } from '@thalweg/engine/node'
import { tensorOf } from '@thalweg/graph'
import { Loss, LossPoint, makeDataset, mlp, spectrum } from '@thalweg/landscape'
import type { LinearOperator } from '@thalweg/landscape'
import { fileURLToPath } from 'node:url'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Contestant, Facts } from '../tools/side-by-side.ts'
import { sineTensor } from './sine-tensor.ts'

const threads = 2

export interface CurvatureProblem {
  readonly words: string
  readonly widths: readonly number[]
  readonly n: number
  readonly labels: readonly number[]
  readonly theta: Float64Array
}

/** A classifier with tanh units on sines, at its initial weights of the seed times `scale`. */
export function curvatureProblem(
  widths: readonly number[],
  n: number,
  { seed = 1, scale = 1 }: { seed?: number; scale?: number } = {},
): CurvatureProblem {
  const theta = mlp({ widths, activation: 'tanh' })
    .initialize(seed)
    .map((weight) => scale * weight)
  const labels = Array.from({ length: n }, (_, i) => i % widths[widths.length - 1])
  const words = `Hessian of ${widths.join('-')} (tanh, cross-entropy), ${theta.length} parameters, ${n} samples, float64`
  return { words, widths, n, labels, theta }
}

/** The problem that spectrum, trace and density share. */
export const largeProblem = curvatureProblem([64, 16, 10], 1000)

export interface Answer {
  readonly numbers: readonly number[]
  readonly facts?: Facts
}

/** Ours: `compute` from a point without anything computed before. */
export function ourContestant(
  name: string,
  { widths, n, labels, theta }: CurvatureProblem,
  compute: (hessian: LinearOperator) => Promise<Answer>,
  chunkSize?: number,
): Contestant {
  const engine = nativeEngine({ threads })
  const dataset = makeDataset({
    name: 'sines',
    inputs: { x: sineTensor('float64', [n, widths[0]], 1) },
    targets: tensorOf('int64', [n], [...labels]),
    task: 'classification',
    classCount: widths[widths.length - 1],
    origin: 'bench',
  })
  const spec = { name: 'cross-entropy', reduction: 'mean' } as const
  const loss = new Loss({ engine, model: mlp({ widths, activation: 'tanh' }), dataset, spec, chunkSize })
  let last: Answer = { numbers: [] }
  return {
    name,
    step: async () => {
      last = await compute(new LossPoint(loss, theta).operator('hessian'))
    },
    result: () => last.numbers,
    facts: () => last.facts ?? {},
    dispose: () => engine.dispose(),
  }
}

/** Ours: the `count` largest eigenvalues to a residual norm of `tolerance` · ‖H‖, matrix-free. */
export function topEigenvalues(count: number, tolerance: number): (hessian: LinearOperator) => Promise<Answer> {
  return async (hessian) => {
    const { top, products } = await spectrum(hessian, { top: count, bottom: 0, exact: false, tolerance })
    const values = top.map(({ value }) => value)
    return { numbers: values, facts: { products, residuals: top.map(({ residualNorm }) => residualNorm) } }
  }
}

/** The truth that estimates are held against. */
export const truthName = 'thalweg, all eigenvalues'

export function allEigenvalues(
  problem: CurvatureProblem,
  numbers: (ascending: Float64Array) => readonly number[],
): Contestant {
  return ourContestant(truthName, problem, async (hessian) => {
    const { all, products } = await spectrum(hessian, { exact: true, top: 0, bottom: 0 })
    return { numbers: numbers(all!), facts: { products } }
  })
}

export interface PythonJob {
  readonly what: 'spectrum' | 'trace' | 'density'
  readonly [option: string]: unknown
}

const scripts = {
  PyTorch: 'curvature-pytorch.py',
  PyHessian: 'curvature-pyhessian.py',
  curvlinops: 'curvature-curvlinops.py',
} as const

/** The same work in Python: plain PyTorch, and packages whose folders `THALWEG_PYHESSIAN` and `THALWEG_CURVLINOPS` name.
 *
 * @param name  begins with the package's; the rest says which of its methods. */
export function pythonCurvature(
  name: `${keyof typeof scripts}${string}`,
  { widths, n, labels, theta }: CurvatureProblem,
  job: PythonJob,
): Contestant {
  const [packageName] = name.split(',') as [keyof typeof scripts]
  const script = fileURLToPath(new URL(scripts[packageName], import.meta.url))
  const input = { widths, n, labels, theta: Array.from(theta), threads, maxProducts: 20_000, ...job }
  if (packageName === 'PyTorch') return pythonContestant(name, script, { input })
  const variable = `THALWEG_${packageName.toUpperCase()}`
  const folder = process.env[variable]
  if (folder === undefined)
    return { name, skipped: `${variable} does not name the folder that holds ${packageName.toLowerCase()}/` }
  // the first of what curvlinops asks for that Debian does not have
  const module = packageName === 'curvlinops' ? 'backpack' : 'torch'
  return pythonContestant(name, script, { module, input: { ...input, folder } })
}
