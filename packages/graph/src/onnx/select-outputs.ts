import { ShapeError } from '../core/errors.ts'
import { liveNodes, namesUsed } from './check-graph.ts'
import type { OnnxModel, OnnxNode, OnnxValue } from './model.ts'

/** The model cut down to some of its values: outputs, or tensors inside, which a file names but does not list. Nodes and
 * inputs that these do not need are left out; all initializers stay.
 * @throws {ShapeError} for a name that no node computes, with the closest ones there are. */
export function selectOutputs(model: OnnxModel, names: readonly string[]): OnnxModel {
  const outputs = names.map((name) => valueNamed(model, name))
  const nodes = liveNodes({ ...model, outputs })
  const used = new Set(names)
  for (const node of nodes) for (const name of namesUsed(node)) used.add(name)
  return { ...model, outputs, nodes, inputs: model.inputs.filter(({ name }) => used.has(name)) }
}

function valueNamed(model: OnnxModel, name: string): OnnxValue {
  const known = [...model.outputs, ...model.inputs].find((value) => value.name === name)
  if (known) return known
  // The type of an inner tensor is not in the file; whoever imports the model sees the right one.
  if (model.nodes.some((node) => node.outputs.includes(name)))
    return { name, dtype: 'float32', elementType: 'float32', shape: undefined }
  const last = model.nodes.slice(-8).map((node) => node.outputs[0])
  throw new ShapeError(
    `model: no tensor is named '${name}'. Outputs: ${model.outputs.map((o) => o.name).join(', ')}; the last tensors inside: ${last.join(', ')}.`,
  )
}

/** The model with one node replaced by the identity of a value: what the node did to it is undone. */
export function bypassNode(model: OnnxModel, node: OnnxNode, value: string): OnnxModel {
  const identity: OnnxNode = {
    ...node,
    op: 'Identity',
    domain: '',
    inputs: [value],
    outputs: [node.outputs[0]],
    attributes: new Map(),
  }
  const nodes = model.nodes.map((n) => (n === node ? identity : n))
  return selectOutputs(
    { ...model, nodes },
    model.outputs.map((o) => o.name),
  )
}
