import type { OnnxGraph, OnnxInitializer, OnnxNode } from './model.ts'

/** Undoes what PyTorch's exporter does to models in evaluation mode: parameters and buffers with equal values (zero biases,
 * unit scales, layers that start at zero) are stored once, and the others become an Identity of that tensor under their
 * own name. They are tensors of their own again. One parameter that several modules share is written without such a
 * node, so that tied weights stay tied.
 * @returns the graph, each separated tensor behind the one that is read before it, and the names that were separated. */
export function separateMerged(graph: OnnxGraph, producer: string): { graph: OnnxGraph; separated: readonly string[] } {
  if (!producer.startsWith('pytorch')) return { graph, separated: [] }
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const merged = new Map<string, OnnxInitializer>()
  const nodes: OnnxNode[] = []
  for (const node of graph.nodes) {
    const [from, to] = [node.inputs[0], node.outputs[0]]
    const stored = graph.initializers.get(from) ?? merged.get(from)
    if (node.op === 'Identity' && node.domain === '' && stored && !outputs.has(to)) merged.set(to, stored)
    else nodes.push(node)
  }
  if (merged.size === 0) return { graph, separated: [] }
  const initializers = inOrderOfUse(graph.initializers, merged, nodes)
  return {
    graph: { ...graph, initializers, nodes },
    separated: [...initializers.keys()].filter((name) => merged.has(name)),
  }
}

/** `stored` in its order, with each of `merged` behind the tensor that nodes read last before it. */
function inOrderOfUse(
  stored: ReadonlyMap<string, OnnxInitializer>,
  merged: ReadonlyMap<string, OnnxInitializer>,
  nodes: readonly OnnxNode[],
): Map<string, OnnxInitializer> {
  const order = [...new Set(nodes.flatMap((node) => node.inputs))]
  const use = new Map(order.map((name, i) => [name, i]))
  const useOf = (name: string): number => use.get(name) ?? order.length
  const names = [...stored.keys()]
  for (const name of [...merged.keys()].toSorted((a, b) => useOf(a) - useOf(b))) {
    const before = names.filter((other) => useOf(other) < useOf(name))
    const last = before.reduce((a, b) => (useOf(b) > useOf(a) ? b : a), before[0] ?? '')
    names.splice(names.indexOf(last) + 1, 0, name)
  }
  return new Map(names.map((name) => [name, stored.get(name) ?? merged.get(name)!]))
}
