import { FormatError } from '../core/errors.ts'
import { nodeLabel, type OnnxAttribute, type OnnxGraph, type OnnxNode } from './model.ts'

const nothing: ReadonlySet<string> = new Set()

/** A graph whose names are unique and defined and whose nodes are in topological order, subgraphs included.
 *
 * The standard demands sorted nodes; unsorted files exist and are sorted here, stably, rather than refused.
 * @throws {FormatError} for a name defined twice or never, a cycle (its nodes are named), or a graph without outputs. */
export function checkGraph(graph: OnnxGraph, outer: ReadonlySet<string> = nothing): OnnxGraph {
  if (graph.outputs.length === 0)
    throw new FormatError(`onnx: graph '${graph.name}' has no output. The file is damaged or truncated.`)
  const producers = producersOf(graph, outer)
  const given = new Set([...outer, ...graph.initializers.keys(), ...graph.inputs.map((value) => value.name)])
  const order = topologicalOrder(graph, producers, given)
  for (const { name } of graph.outputs)
    if (!producers.has(name) && !given.has(name))
      throw new FormatError(
        `onnx: nothing computes the output '${name}' of graph '${graph.name}'. The file is damaged or truncated.`,
      )
  const visible = new Set([...given, ...producers.keys()])
  return { ...graph, nodes: order.map((i) => checkSubgraphs(graph.nodes[i], visible)) }
}

function producersOf(graph: OnnxGraph, outer: ReadonlySet<string>): Map<string, number> {
  const seen = new Set<string>(outer)
  const define = (name: string, what: string): void => {
    if (seen.has(name)) throw new FormatError(`${what}: the name '${name}' is defined twice. The file is damaged.`)
    seen.add(name)
  }
  for (const { name } of graph.inputs) define(name, 'onnx')
  const inputs = new Set(graph.inputs.map((value) => value.name))
  // An initializer may share its name with an input: it is then the input's default.
  for (const name of graph.initializers.keys()) if (!inputs.has(name)) define(name, 'onnx')
  const producers = new Map<string, number>()
  graph.nodes.forEach((node, i) => {
    for (const name of node.outputs) {
      if (name === '') continue
      define(name, nodeLabel(node))
      producers.set(name, i)
    }
  })
  return producers
}

function topologicalOrder(
  graph: OnnxGraph,
  producers: ReadonlyMap<string, number>,
  given: ReadonlySet<string>,
): number[] {
  const needs = graph.nodes.map((node) => dependencies(node, producers, given))
  const users: number[][] = graph.nodes.map(() => [])
  const waiting = needs.map((set, i) => {
    for (const need of set) users[need].push(i)
    return set.size
  })
  const order: number[] = []
  const ready: number[] = []
  // Depth first from the lowest index keeps sorted files exactly as they are.
  for (let start = 0; start < waiting.length; start++) {
    if (waiting[start] !== 0) continue
    ready.push(start)
    while (ready.length > 0) {
      const i = ready.pop() as number
      order.push(i)
      waiting[i] = -1
      for (const user of users[i]) if (--waiting[user] === 0 && user < start) ready.push(user)
    }
  }
  if (order.length < graph.nodes.length) throw cycleError(graph, needs, waiting)
  return order
}

function dependencies(node: OnnxNode, producers: ReadonlyMap<string, number>, given: ReadonlySet<string>): Set<number> {
  const out = new Set<number>()
  for (const name of namesUsed(node)) {
    if (name === '') continue
    const producer = producers.get(name)
    if (producer !== undefined) out.add(producer)
    else if (!given.has(name))
      throw new FormatError(
        `${nodeLabel(node)}: nothing computes its input '${name}'. The file is damaged or truncated.`,
      )
  }
  return out
}

function cycleError(graph: OnnxGraph, needs: readonly ReadonlySet<number>[], waiting: readonly number[]): FormatError {
  const path: number[] = []
  let at = waiting.findIndex((count) => count > 0)
  while (!path.includes(at)) {
    path.push(at)
    at = [...needs[at]].find((need) => waiting[need] > 0) as number
  }
  const cycle = path.slice(path.indexOf(at)).slice(0, 5)
  return new FormatError(
    `onnx: the graph has a cycle: ${cycle.map((i) => nodeLabel(graph.nodes[i])).join(' needs ')}. The file is damaged.`,
  )
}

/** Names that a node reads, those that its subgraphs take from outside included. */
export function namesUsed(node: OnnxNode): Set<string> {
  const names = new Set(node.inputs)
  for (const attribute of node.attributes.values())
    if (attribute.kind === 'graph') for (const name of freeNames(attribute.value)) names.add(name)
  return names
}

function freeNames(graph: OnnxGraph): Set<string> {
  const own = new Set([...graph.initializers.keys(), ...graph.inputs.map((value) => value.name)])
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name)
  const free = new Set<string>()
  for (const node of graph.nodes) for (const name of namesUsed(node)) if (!own.has(name)) free.add(name)
  for (const { name } of graph.outputs) if (!own.has(name)) free.add(name)
  return free
}

function checkSubgraphs(node: OnnxNode, visible: ReadonlySet<string>): OnnxNode {
  if (![...node.attributes.values()].some((attribute) => attribute.kind === 'graph')) return node
  // A branch may define what its siblings define, but not what is visible around it, its node's own outputs excepted.
  const around = new Set([...visible].filter((name) => !node.outputs.includes(name)))
  const attributes = new Map<string, OnnxAttribute>()
  for (const [name, attribute] of node.attributes)
    attributes.set(
      name,
      attribute.kind === 'graph' ? { kind: 'graph', value: checkGraph(attribute.value, around) } : attribute,
    )
  return { ...node, attributes }
}

/** The nodes that the graph's outputs need, in their order. */
export function liveNodes(graph: OnnxGraph): OnnxNode[] {
  const needed = new Set(graph.outputs.map((value) => value.name))
  const live: OnnxNode[] = []
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]
    if (!node.outputs.some((name) => needed.has(name))) continue
    live.push(node)
    for (const name of namesUsed(node)) needed.add(name)
  }
  return live.reverse()
}
