import { add, div, grad, graphOf, input, jvp, mul, reduceSum, sizeOf, substitute } from '@thalweg/graph'
import type { DType, Expr, FloatDType, Graph, InputExpr, Shape } from '@thalweg/graph'
import { parameterCount, parameterViews } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import { normalizerOf } from './loss-function.ts'
import type { LossSpec } from './loss-function.ts'
import { flat, lossGraph } from './loss-graph.ts'

/** What a derivative graph computes. */
export const derivativeNames = ['outputs', 'loss', 'gradient', 'loss+gradient', 'hvp', 'jvp'] as const
export type DerivativeName = (typeof derivativeNames)[number]

export interface DerivativeOptions {
  readonly model: Model
  readonly spec: LossSpec
  /** ½·V·‖θ‖² is added. Default 0. */
  readonly weightDecay?: number
  /** Samples per evaluation: shapes are static. */
  readonly batch: number
  readonly dtype: FloatDType
  /** Type of the targets, first axis any. */
  readonly targets: { readonly dtype: DType; readonly shape: Shape }
  /** Whether every sample has a weight. */
  readonly weighted?: boolean
  /** One vector `theta` [p], or one input per parameter under its own name. */
  readonly parameters: 'flat' | 'named'
}

/** What a name of the graph stands for. */
export interface DerivativeValue {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly means: string
}

export interface DerivativeGraph {
  readonly graph: Graph
  readonly inputs: readonly DerivativeValue[]
  readonly outputs: readonly DerivativeValue[]
}

/** A graph that maps parameters and one batch to the loss or a derivative of it, with plain names:
 *
 *     L(θ) = (1/N) Σᵢ wᵢ ℓ(f(xᵢ; θ), yᵢ) + ½ V ‖θ‖² ,   N by the reduction, Σ wᵢ in place of n where there are weights
 *
 * Inputs: `theta` [p] (or each parameter's name), the model's inputs, `targets`, `weights`, and for products `direction`
 * (or `direction.NAME`). Outputs: `outputs`, `loss`, `gradient` = ∇L, `hvp` = ∇²L v, `jvp` = J v, the move of the outputs.
 * Values that the result does not depend on are no inputs. A model input whose name is taken becomes `input_NAME`. */
export function derivativeGraph(what: DerivativeName, options: DerivativeOptions): DerivativeGraph {
  const { model, spec, batch, dtype, targets, weighted = false } = options
  const g = lossGraph({ model, spec, batch, dtype, targets, weighted })
  const spread = options.parameters === 'named'
  const names = new Names(model, spread)
  const replacements = new Map<Expr, Expr>()
  const described = new Map<InputExpr, string>()
  const place = (name: string, of: { dtype: DType; shape: Shape }, means: string): InputExpr => {
    const node = input(name, of.dtype, of.shape)
    described.set(node, means)
    return node
  }
  const theta = spread
    ? g.parameters.map((p, i) => place(model.parameters[i].name, p, `parameter ${model.parameters[i].name}`))
    : [
        place(
          'theta',
          { dtype, shape: [parameterCount(model)] },
          'all parameters as one vector, in the order of the layout',
        ),
      ]
  if (spread) g.parameters.forEach((p, i) => replacements.set(p, theta[i]))
  else replacements.set(g.theta, theta[0])
  g.inputs.forEach((x, i) => {
    replacements.set(
      x,
      place(names.ofInput(model.inputs[i].name), x, `model input ${model.inputs[i].name}, first axis = samples`),
    )
  })
  replacements.set(g.targets, place('targets', g.targets, g.targets.dtype === 'int64' ? 'class indices' : 'targets'))
  if (g.weights) replacements.set(g.weights, place('weights', g.weights, 'weight of each sample'))
  const direction = (): readonly Expr[] => {
    if (!spread)
      return parameterViews(
        model,
        place('direction', { dtype, shape: [parameterCount(model)] }, 'the vector v, laid out as theta'),
      )
    return g.parameters.map((p, i) =>
      place(`direction.${model.parameters[i].name}`, p, `the part of v for ${model.parameters[i].name}`),
    )
  }
  const loss = lossOf(options, g)
  const perParameter = (name: string, parts: readonly Expr[]): Record<string, Expr> =>
    spread
      ? Object.fromEntries(parts.map((e, i) => [`${name}.${model.parameters[i].name}`, e]))
      : { [name]: flat(parts) }
  const wanted = wantedOutputs(what, { loss, outputs: g.outputs, parameters: g.parameters, direction, perParameter })
  const roots = substitute(Object.values(wanted), replacements)
  const outputs = Object.fromEntries(Object.keys(wanted).map((name, i) => [name, roots[i]]))
  const graph = graphOf(outputs)
  const inputs = [...described.keys()].filter((node) => graph.inputs.includes(node))
  return {
    graph: { inputs, outputs },
    inputs: inputs.map((node) => valueOf(node.attributes.name, node, described.get(node)!)),
    outputs: Object.entries(outputs).map(([name, e]) => valueOf(name, e, meanings[name.split('.', 1)[0]])),
  }
}

const meanings: Readonly<Record<string, string>> = {
  outputs: 'what the loss reads of the model, first axis = samples',
  loss: 'L(θ)',
  gradient: '∇L(θ)',
  hvp: '∇²L(θ) v',
  jvp: 'the derivative of the outputs along v',
}

function valueOf(name: string, { dtype, shape }: Expr, means: string): DerivativeValue {
  return { name, dtype, shape, means }
}

/** Names of model inputs beside those that the graph uses itself. */
class Names {
  readonly #taken: ReadonlySet<string>

  constructor(model: Model, spread: boolean) {
    const parameters = spread
      ? model.parameters.flatMap(({ name }) => [name, `direction.${name}`, `gradient.${name}`, `hvp.${name}`])
      : []
    this.#taken = new Set(['theta', 'targets', 'weights', 'direction', ...Object.keys(meanings), ...parameters])
  }

  ofInput(name: string): string {
    return this.#taken.has(name) ? `input_${name}` : name
  }
}

function lossOf({ model, spec, batch, weightDecay = 0 }: DerivativeOptions, g: ReturnType<typeof lossGraph>): Expr {
  const perSample = normalizerOf(spec, 1, sizeOf(model.outputShape))
  const divides = normalizerOf(spec, 2, 1) !== 1
  const count = !divides ? 1 : g.weights ? mul(reduceSum(g.weights), perSample) : batch * perSample
  const fit = div(g.sum, count)
  if (weightDecay === 0) return fit
  const squares = g.parameters.map((p) => reduceSum(mul(p, p)))
  return add(
    fit,
    mul(
      0.5 * weightDecay,
      squares.reduce((a, b) => add(a, b)),
    ),
  )
}

interface Parts {
  readonly loss: Expr
  readonly outputs: Expr
  readonly parameters: readonly Expr[]
  readonly direction: () => readonly Expr[]
  readonly perParameter: (name: string, parts: readonly Expr[]) => Record<string, Expr>
}

function wantedOutputs(what: DerivativeName, parts: Parts): Record<string, Expr> {
  const { loss, outputs, parameters, direction, perParameter } = parts
  const along = (roots: readonly Expr[]): Expr[] => {
    const v = direction()
    return jvp(
      roots,
      parameters.map((p, i) => [p, v[i]] as const),
    )
  }
  switch (what) {
    case 'outputs':
      return { outputs }
    case 'loss':
      return { loss }
    case 'gradient':
      return perParameter('gradient', grad(loss, parameters))
    case 'loss+gradient':
      return { loss, ...perParameter('gradient', grad(loss, parameters)) }
    case 'hvp':
      return perParameter('hvp', along(grad(loss, parameters)))
    case 'jvp':
      return { jvp: along([outputs])[0] }
  }
}
