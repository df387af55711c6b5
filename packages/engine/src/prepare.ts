import { DomainError, ShapeError, constant, graphOf, sameShape, simplify, substitute } from '@thalweg/graph'
import type { Expr, Graph, InputExpr, Tensor, TensorType } from '@thalweg/graph'
import type { LoopProgram, Values } from './engine.ts'
import { lower, lowerAll } from './lowering/lower.ts'

/** Refuses a value that is not what an input expects. */
export function checkValue(where: string, name: string, type: TensorType, value: Tensor | undefined): Tensor {
  if (!value) throw new DomainError(`${where}: input ${name} has no value. Pass ${type.dtype}[${type.shape}].`)
  if (value.dtype !== type.dtype || !sameShape(value.shape, type.shape))
    throw new ShapeError(
      `${where}: input ${name} must be ${type.dtype}[${type.shape}], got ${value.dtype}[${value.shape}].`,
    )
  return value
}

function bakedConstants(inputs: readonly InputExpr[], constants: Values): Map<Expr, Expr> {
  const baked = new Map<Expr, Expr>()
  for (const [name, value] of Object.entries(constants)) {
    const node = inputs.find((i) => i.attributes.name === name)
    if (!node)
      throw new DomainError(
        `compile: no input is named ${name}. Inputs: ${inputs.map((i) => i.attributes.name).join(', ')}.`,
      )
    baked.set(node, constant(checkValue('compile', name, node, value)))
  }
  return baked
}

/** A graph ready to emit: constants baked in, simplified, lowered, simplified again. */
export function prepareGraph(graph: Graph, constants: Values = {}): Graph {
  const baked = bakedConstants(graph.inputs, constants)
  const names = Object.keys(graph.outputs)
  const outputs = substitute(Object.values(graph.outputs), baked)
  const inputs = graph.inputs.filter((i) => !baked.has(i))
  const specialised = { inputs, outputs: Object.fromEntries(names.map((n, i) => [n, outputs[i]])) }
  return simplify(lower(simplify(specialised)))
}

/** The same for the body of a loop. */
export function prepareLoop(program: LoopProgram, constants: Values = {}): LoopProgram {
  const baked = bakedConstants(program.inputs, constants)
  const recordNames = Object.keys(program.records)
  const roots = substitute([...program.next, ...Object.values(program.records)], baked)
  const simple = simplifyAll(lowerAll(simplifyAll(roots)))
  return {
    ...program,
    next: simple.slice(0, program.next.length),
    records: Object.fromEntries(recordNames.map((n, i) => [n, simple[program.next.length + i]])),
    inputs: program.inputs.filter((i) => !baked.has(i)),
  }
}

function simplifyAll(roots: readonly Expr[]): Expr[] {
  const graph = simplify(graphOf(Object.fromEntries(roots.map((r, i) => [String(i), r]))))
  return roots.map((_, i) => graph.outputs[String(i)])
}
