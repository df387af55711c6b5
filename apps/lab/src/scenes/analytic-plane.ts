import { DomainError, constant, evaluate, grad, input, jvp, numbersOf, tensor, vmap } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { testFunctions } from '@thalweg/landscape'
import type { KnownCriticalPoint, TestFunction } from '@thalweg/landscape'
import type { Grid } from './contour-lines.ts'
import type { MarkerKind, PlaneData } from './plane-data.ts'
import { convexityRatio, eigenvalues2 } from './plane-function.ts'
import type { Jet, PlaneFunction } from './plane-function.ts'

/** Functions of two variables that are worth a look, most telling first. */
export const analyticNames: readonly string[] = [
  'himmelblau',
  'rosenbrock',
  'simple-saddle',
  'monkey-saddle',
  'peano',
  'valley',
  'gradient-flat',
  'beale',
  'styblinski-tang',
  'rastrigin',
  'ackley',
  'levy',
  'griewank',
  'sine',
]

const count = 101

function functionNamed(name: string): TestFunction {
  const found = testFunctions[name]
  if (!found || (found.size !== 'any' && found.size !== 2))
    throw new DomainError(`analyticPlane: there is no function of two variables named ${name}.`)
  return found
}

/** A test function on its usual domain: values, gradient norms and convexity from its own derivatives. */
export function analyticPlane(name: string): PlaneData {
  const f = functionNamed(name)
  const [low, high] = f.domain
  const nodes = Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1))
  const { values, gradients, hessians } = jetsOnGrid(f, nodes)
  const grid = (of: (k: number) => number): Grid => ({
    xs: nodes,
    ys: nodes,
    values: Float64Array.from(values, (_, k) => of(k)),
  })
  const hessianAt = (k: number): [number, number, number] => [hessians[4 * k], hessians[4 * k + 1], hessians[4 * k + 3]]
  return {
    id: `function:${name}`,
    name,
    x: { label: 'x', explained: null, eigenvalue: null },
    y: { label: 'y', explained: null, eigenvalue: null },
    fields: [
      { kind: 'loss', grid: grid((k) => values[k]) },
      { kind: 'gradient-norm', grid: grid((k) => Math.hypot(gradients[2 * k], gradients[2 * k + 1])) },
      { kind: 'convexity', grid: grid((k) => convexityRatio(hessianAt(k))) },
      { kind: 'largest-eigenvalue', grid: grid((k) => eigenvalues2(hessianAt(k)).values[0]) },
      { kind: 'smallest-eigenvalue', grid: grid((k) => eigenvalues2(hessianAt(k)).values[1]) },
    ],
    trajectories: [],
    markers: f.known.filter(({ theta }) => theta.length === 2).map(markerOf),
    normalization: 'none',
    cosine: 0,
    warnings: [],
    analytic: name,
  }
}

const kinds: Readonly<Record<KnownCriticalPoint['kind'], MarkerKind>> = {
  'global-minimum': 'minimum',
  'local-minimum': 'minimum',
  'strict-saddle': 'saddle',
  'non-strict-saddle': 'saddle',
  maximum: 'maximum',
}

function markerOf({ theta, value, kind }: KnownCriticalPoint): PlaneData['markers'][number] {
  const [x, y] = theta
  return { kind: kinds[kind], verdict: kind, name: '', x, y, offPlaneDistance: 0, loss: value, planeLoss: value }
}

interface Derivatives {
  readonly theta: Expr & { readonly op: 'Input' }
  /** Value [], gradient [2], and the rows of the Hessian [2] each. */
  readonly outputs: readonly Expr[]
}

function derivativesOf(f: TestFunction): Derivatives {
  const theta = input('theta', 'float64', [2])
  const value = f.build(theta)
  const [gradient] = grad(value, [theta])
  const unit = (axis: number): Expr => {
    const direction = tensor('float64', [2], Float64Array.of(axis === 0 ? 1 : 0, axis))
    return jvp([gradient], [[theta, constant(direction)]])[0]
  }
  return { theta, outputs: [value, gradient, unit(0), unit(1)] }
}

function jetsOnGrid(
  f: TestFunction,
  nodes: readonly number[],
): { values: Float64Array; gradients: Float64Array; hessians: Float64Array } {
  const { theta, outputs } = derivativesOf(f)
  const size = nodes.length ** 2
  const points = new Float64Array(2 * size)
  for (let k = 0; k < size; k++) points.set([nodes[k % nodes.length], nodes[Math.floor(k / nodes.length)]], 2 * k)
  const stack = input('theta', 'float64', [size, 2])
  const [values, gradients, xRows, yRows] = evaluate(vmap(outputs, [[theta, stack]]), {
    theta: tensor('float64', [size, 2], points),
  }).map(numbersOf)
  const hessians = new Float64Array(4 * size)
  for (let k = 0; k < size; k++) {
    hessians.set([xRows[2 * k], xRows[2 * k + 1]], 4 * k)
    hessians.set([yRows[2 * k], yRows[2 * k + 1]], 4 * k + 2)
  }
  return { values: Float64Array.from(values), gradients: Float64Array.from(gradients), hessians }
}

/** The function itself with its exact derivatives, for optimizers. Undefined outside the domain and where a derivative is
 *  not finite. */
export function analyticFunction(name: string): PlaneFunction {
  const f = functionNamed(name)
  const { outputs } = derivativesOf(f)
  const [low, high] = f.domain
  return {
    domain: { x: f.domain, y: f.domain },
    at: (x, y): Jet | undefined => {
      if (!(x >= low && x <= high && y >= low && y <= high)) return undefined
      const theta = tensor('float64', [2], Float64Array.of(x, y))
      const [value, gradient, xRow, yRow] = evaluate(outputs, { theta }).map(numbersOf)
      const jet: Jet = {
        value: value[0],
        gradient: [gradient[0], gradient[1]],
        hessian: [xRow[0], xRow[1], yRow[1]],
      }
      return [jet.value, ...jet.gradient, ...jet.hessian].every(Number.isFinite) ? jet : undefined
    },
  }
}
