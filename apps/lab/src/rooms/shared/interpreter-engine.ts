import { constant, evaluate, graphOf, numbersOf, simplify, substitute, tensorOf } from '@thalweg/graph'
import type { Expr, Graph, Tensor } from '@thalweg/graph'
import type { Engine, Executable, LoopExecutable, LoopProgram, Values } from '@thalweg/engine'

/** An engine that runs graphs with the reference interpreter: float64 everywhere, nothing to download, no compilation. For
 * functions of a few variables, where starting ONNX Runtime would cost more than all the arithmetic. */
export function interpreterEngine(): Engine {
  return {
    name: 'reference interpreter',
    fingerprint: 'reference interpreter; float64',
    supports: () => true,
    compile: async (graph, options) => executableOf(specialized(graph, options?.constants)),
    compileLoop: async (program) => loopOf(program),
    dispose: async () => undefined,
  }
}

function specialized(graph: Graph, constants: Values = {}): Graph {
  const fixed = graph.inputs.filter((node) => constants[node.attributes.name])
  const names = Object.keys(graph.outputs)
  const bound = new Map<Expr, Expr>(fixed.map((node) => [node, constant(constants[node.attributes.name])]))
  const outputs = substitute(Object.values(graph.outputs), bound)
  return simplify(graphOf(Object.fromEntries(names.map((name, i) => [name, outputs[i]]))))
}

function executableOf(graph: Graph): Executable {
  const names = Object.keys(graph.outputs)
  const outputs = Object.values(graph.outputs)
  return {
    graph,
    run: async (values) => {
      const results = evaluate(outputs, values)
      return Object.fromEntries(names.map((name, i) => [name, results[i]]))
    },
    dispose: async () => undefined,
  }
}

function loopOf(program: LoopProgram): LoopExecutable {
  const recordNames = Object.keys(program.records)
  const outputs = [...program.next, ...Object.values(program.records)]
  const graph = simplify(graphOf(Object.fromEntries(outputs.map((node, i) => [`output_${i}`, node]))))
  const roots = outputs.map((_, i) => graph.outputs[`output_${i}`])
  const stepName = program.step.attributes.name
  return {
    program,
    run: async (values, steps) => {
      const carried: Record<string, Tensor> = Object.fromEntries(
        program.carried.map((node) => [node.attributes.name, values[node.attributes.name]]),
      )
      const rows: Tensor[][] = recordNames.map(() => [])
      for (let step = 0; step < steps; step++) {
        const results = evaluate(roots, { ...values, ...carried, [stepName]: tensorOf('int64', [], [step]) })
        program.carried.forEach((node, i) => (carried[node.attributes.name] = results[i]))
        rows.forEach((list, i) => list.push(results[program.carried.length + i]))
      }
      const stacked = recordNames.map((name, i) => [name, stack(program.records[name], rows[i])] as const)
      return { carried, records: Object.fromEntries(stacked) }
    },
    dispose: async () => undefined,
  }
}

function stack(of: Expr, rows: readonly Tensor[]): Tensor {
  return tensorOf(
    of.dtype,
    [rows.length, ...of.shape],
    rows.flatMap((row) => [...numbersOf(row)]),
  )
}
