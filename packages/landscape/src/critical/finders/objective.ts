import { DomainError, ShapeError, grad, graphOf, input, jvp, numbersOf, tensor, vmap } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import type { Engine, Executable } from '@thalweg/engine'
import type { LinearOperator } from '../../linalg/linear-operator.ts'
import { valuesAt } from '../../loss/loss-batch.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss, ValueAndGradient } from '../../loss/loss.ts'
import { randomStream } from '../../random/random-stream.ts'

/** The derivatives of an objective at one θ. */
export interface ObjectivePoint {
  readonly theta: Float64Array
  /** ∇²L(θ), with batched products. */
  readonly hessian: LinearOperator
  /** D³L(θ)[v, v, ·], [p]. */
  thirdDerivative(v: Float64Array): Promise<Float64Array>
}

/** A function of p numbers whose critical points are sought: a loss, or an analytic test function. float64. */
export interface Objective {
  readonly name: string
  /** p. */
  readonly size: number
  value(theta: Float64Array): Promise<number>
  /** The values at the rows of `thetas` [count × p]. */
  values(thetas: Float64Array, count: number): Promise<Float64Array>
  valueAndGradient(theta: Float64Array): Promise<ValueAndGradient>
  at(theta: Float64Array): ObjectivePoint
  /** How large the terms are that the gradient at θ is a mean of: rounding of their sum is ε times this. Left out where
   * the gradient is no sum over data. */
  gradientTermScale?(theta: Float64Array): Promise<number>
}

/** Probes for tr F: the scale is needed to a factor, not to digits. */
const fisherProbes = 4

/** A loss as an objective.
 * @throws {DomainError} if the loss does not compute in float64: no verdict rests on less. */
export function objectiveOf(loss: Loss): Objective {
  if (loss.dtype !== 'float64')
    throw new DomainError(
      `objectiveOf: critical points need float64, got a loss in ${loss.dtype}. Make it with dtype float64.`,
    )
  return {
    name: `${loss.spec.name} of ${loss.model.name} on ${loss.dataset.name}`,
    size: loss.size,
    value: (theta) => loss.value(theta),
    values: async (thetas, count) => (await valuesAt(loss, thetas, count)).values,
    valueAndGradient: (theta) => loss.valueAndGradient(theta),
    at: (theta) => {
      const point = new LossPoint(loss, theta)
      return {
        theta: point.theta,
        hessian: point.operator('hessian'),
        thirdDerivative: (v) => point.thirdDerivative(v),
      }
    },
    gradientTermScale: (theta) =>
      termScaleOf(loss.size, (rows, count) => new LossPoint(loss, theta).product('empirical-fisher', rows, count)),
  }
}

/** √(tr F), the root mean square norm of the per-sample gradients, with tr F = E vᵀFv over random signs v.
 * @param product  products with the empirical Fisher matrix. */
export async function termScaleOf(
  size: number,
  product: (rows: Float64Array, count: number) => Promise<Float64Array>,
): Promise<number> {
  const signs = randomStream(0, 'gradient term scale').rademacher(fisherProbes * size)
  const products = await product(signs, fisherProbes)
  let sum = 0
  for (let i = 0; i < signs.length; i++) sum += signs[i] * products[i]
  return Math.sqrt(Math.max(0, sum) / fisherProbes)
}

export interface ExpressionObjectiveOptions {
  readonly engine: Engine
  readonly name: string
  readonly size: number
  /** The scalar value for θ [p], float64. */
  readonly build: (theta: Expr) => Expr
}

/** An objective with compiled graphs of its own, to be disposed. */
export interface ExpressionObjective extends Objective {
  dispose(): Promise<void>
}

type Kind = 'value' | 'gradient' | 'hessian' | 'third'

/** A function given as an expression of θ, differentiated and run as losses are. */
export function expressionObjective(options: ExpressionObjectiveOptions): ExpressionObjective {
  const { engine, name, size, build } = options
  const theta = input('theta', 'float64', [size])
  const direction = input('direction', 'float64', [size])
  const value = build(theta)
  if (value.shape.length !== 0)
    throw new ShapeError(`expressionObjective: ${name} must be a scalar, got [${value.shape}].`)
  const [gradient] = grad(value, [theta])
  const [hessian] = jvp([gradient], [[theta, direction]])
  const [third] = jvp([hessian], [[theta, direction]])
  const roots: Readonly<Record<Kind, Readonly<Record<string, Expr>>>> = {
    value: { value },
    gradient: { value, gradient },
    hessian: { product: hessian },
    third: { product: third },
  }
  const compiled = new Map<string, Promise<Executable>>()
  const run = async (
    kind: Kind,
    count: number,
    rows: Readonly<Record<string, Float64Array>>,
    moving: 'theta' | 'direction',
  ) => {
    const key = `${kind}/${count}`
    const node = moving === 'theta' ? theta : direction
    if (!compiled.has(key)) compiled.set(key, engine.compile(batchedGraph(roots[kind], node, count)))
    const executable = await compiled.get(key)!
    const values = Object.fromEntries(
      Object.entries(rows).map(([key2, data]) => [
        key2,
        tensor('float64', key2 === moving && count > 1 ? [count, size] : [size], data),
      ]),
    )
    const used = executable.graph.inputs.map((i) => i.attributes.name)
    const result = await executable.run(Object.fromEntries(used.map((k) => [k, values[k]])))
    return (output: string) => numbersOf(result[output])
  }
  return {
    name,
    size,
    value: async (at) => (await run('value', 1, { theta: at }, 'theta'))('value')[0],
    values: async (thetas, count) => (await run('value', count, { theta: thetas }, 'theta'))('value'),
    valueAndGradient: async (at) => {
      const result = await run('gradient', 1, { theta: at }, 'theta')
      return { value: result('value')[0], gradient: result('gradient').slice() }
    },
    at: (given) => {
      const at = given.slice()
      const product = async (kind: Kind, rows: Float64Array, count: number): Promise<Float64Array> =>
        (await run(kind, count, { theta: at, direction: rows }, 'direction'))('product').slice()
      return {
        theta: at,
        hessian: {
          size,
          apply: (v) => product('hessian', v, 1),
          applyBatch: (vectors, count) => product('hessian', vectors, count),
        },
        thirdDerivative: (v) => product('third', v, 1),
      }
    },
    dispose: async () => {
      const all = [...compiled.values()]
      compiled.clear()
      for (const executable of all) await (await executable).dispose()
    },
  }
}

function batchedGraph(outputs: Readonly<Record<string, Expr>>, node: Expr & { op: 'Input' }, count: number) {
  if (count === 1) return graphOf(outputs)
  const names = Object.keys(outputs)
  const stack = input(node.attributes.name, node.dtype, [count, ...node.shape])
  const batched = vmap(Object.values(outputs), [[node, stack]])
  return graphOf(Object.fromEntries(names.map((name, i) => [name, batched[i]])))
}
