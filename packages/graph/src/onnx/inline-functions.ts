import { FormatError } from '../core/errors.ts'
import { nodeLabel, type OnnxAttribute, type OnnxGraph, type OnnxNode } from './model.ts'
import type { RawGraph, RawNode } from './read-node.ts'

/** A model-local function (`FunctionProto`). */
export interface LocalFunction {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly RawNode[]
  /** Values of attributes that a call leaves out. */
  readonly defaults: ReadonlyMap<string, OnnxAttribute>
}

export function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain, name, overload])
}

/** Functions that call functions can grow a small file exponentially. */
const nodesMax = 250_000

interface Inlining {
  readonly functions: ReadonlyMap<string, LocalFunction>
  readonly names: Set<string>
  nodes: number
}

/** How names and attribute references read inside one call; the outermost scope changes nothing. */
interface Scope {
  readonly rename: (name: string) => string
  readonly attribute: (name: string) => OnnxAttribute | undefined
  readonly prefix: string
  readonly stack: readonly string[]
}

/** Replaces every call of a local function by the function's nodes, inner names made unique, attributes filled in.
 * @throws {FormatError} for a function that calls itself, wrong arity, or more than 250,000 nodes. */
export function inlineFunctions(graph: RawGraph, functions: ReadonlyMap<string, LocalFunction>): OnnxGraph {
  const inlining: Inlining = { functions, names: namesOf(graph), nodes: 0 }
  const scope: Scope = { rename: (name) => name, attribute: () => undefined, prefix: '', stack: [] }
  return { ...graph, nodes: expand(graph.nodes, scope, inlining) }
}

function namesOf(graph: RawGraph): Set<string> {
  const names = new Set<string>()
  for (const { name } of [...graph.inputs, ...graph.outputs]) names.add(name)
  for (const name of graph.initializers.keys()) names.add(name)
  for (const node of graph.nodes) for (const name of [...node.inputs, ...node.outputs]) names.add(name)
  return names
}

function expand(nodes: readonly RawNode[], scope: Scope, inlining: Inlining): OnnxNode[] {
  const out: OnnxNode[] = []
  for (const raw of nodes) {
    const node = instantiate(raw, scope, inlining)
    const key = functionKey(raw.domain, raw.op, raw.overload)
    const callee = inlining.functions.get(key)
    // Calls count too, or functions of empty functions would grow without bound.
    inlining.nodes++
    if (inlining.nodes > nodesMax)
      throw new FormatError(`onnx: local functions expand to more than ${nodesMax} nodes. The file is hostile.`)
    if (callee === undefined) out.push(node)
    else for (const inner of expandCall(node, callee, key, scope, inlining)) out.push(inner)
  }
  return out
}

function expandCall(call: OnnxNode, callee: LocalFunction, key: string, outer: Scope, inlining: Inlining): OnnxNode[] {
  const label = nodeLabel(call)
  if (outer.stack.includes(key))
    throw new FormatError(`${label}: a function must not call itself, but ${call.op} does. Export the model again.`)
  if (outer.stack.length > 200)
    throw new FormatError(`${label}: functions nest more than 200 deep. The file is hostile.`)
  if (call.inputs.length > callee.inputs.length || call.outputs.length > callee.outputs.length)
    throw new FormatError(
      `${label}: function ${call.op} has ${callee.inputs.length} inputs and ${callee.outputs.length} outputs, ` +
        `got ${call.inputs.length} and ${call.outputs.length}. The file is damaged.`,
    )
  const prefix = call.name !== '' ? call.name : (call.outputs.find((name) => name !== '') ?? call.op)
  const renamed = new Map<string, string>(callee.inputs.map((name, i) => [name, call.inputs[i] ?? '']))
  const copies: [from: string, to: string][] = []
  callee.outputs.forEach((name, i) => {
    const target = call.outputs[i] ?? ''
    if (target === '') return
    if (renamed.has(name)) copies.push([name, target])
    else renamed.set(name, target)
  })
  const scope: Scope = {
    rename: (name) => renamedOrFresh(name, renamed, prefix, inlining),
    attribute: (name) => call.attributes.get(name) ?? callee.defaults.get(name),
    prefix,
    stack: [...outer.stack, key],
  }
  return [
    ...expand(callee.nodes, scope, inlining),
    ...copies.map(([from, to]) => identity(scope.rename(from), to, callee)),
  ]
}

/** A function may return one of its inputs, or one value twice: that needs a node of its own. */
function identity(from: string, to: string, callee: LocalFunction): OnnxNode {
  const opset = callee.nodes.find((node) => node.domain === '')?.opset ?? 17
  return {
    op: 'Identity',
    domain: '',
    name: '',
    inputs: [from],
    outputs: [to],
    attributes: new Map(),
    opset,
  }
}

function renamedOrFresh(name: string, renamed: Map<string, string>, prefix: string, inlining: Inlining): string {
  const known = renamed.get(name)
  if (known !== undefined) return known
  if (name === '') return ''
  let fresh = `${prefix}/${name}`
  for (let i = 2; inlining.names.has(fresh); i++) fresh = `${prefix}/${name}#${i}`
  inlining.names.add(fresh)
  renamed.set(name, fresh)
  return fresh
}

function instantiate(node: RawNode, scope: Scope, inlining: Inlining): OnnxNode {
  const attributes = new Map<string, OnnxAttribute>()
  for (const [name, attribute] of node.attributes)
    attributes.set(
      name,
      attribute.kind === 'graph'
        ? { kind: 'graph', value: instantiateGraph(attribute.value as RawGraph, scope, inlining) }
        : attribute,
    )
  for (const [name, reference] of node.references) {
    if (scope.stack.length === 0)
      throw new FormatError(
        `${nodeLabel(node)}: attribute '${name}' refers to a function's '${reference}' outside a function. The file is damaged.`,
      )
    const attribute = scope.attribute(reference)
    // The standard: a reference to an attribute that was not given means that this one is not given either.
    if (attribute !== undefined)
      attributes.set(node.op === 'Constant' && node.domain === '' ? 'value' : name, asConstant(node, name, attribute))
  }
  return {
    op: node.op,
    domain: node.domain,
    opset: node.opset,
    name: scope.prefix === '' ? node.name : `${scope.prefix}/${node.name || node.op}`,
    inputs: node.inputs.map(scope.rename),
    outputs: node.outputs.map(scope.rename),
    attributes,
  }
}

/** `Constant` in a function may take its value from an int or float attribute of the call. */
function asConstant(node: OnnxNode, name: string, attribute: OnnxAttribute): OnnxAttribute {
  if (node.op !== 'Constant' || node.domain !== '' || attribute.kind === 'tensor') return attribute
  switch (attribute.kind) {
    case 'int':
      return {
        kind: 'tensor',
        value: {
          tensor: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(attribute.value)) },
          elementType: 'int64',
        },
      }
    case 'ints':
      return {
        kind: 'tensor',
        value: {
          tensor: {
            dtype: 'int64',
            shape: [attribute.value.length],
            data: BigInt64Array.from(attribute.value, BigInt),
          },
          elementType: 'int64',
        },
      }
    case 'float':
      return {
        kind: 'tensor',
        value: {
          tensor: { dtype: 'float32', shape: [], data: Float32Array.of(attribute.value) },
          elementType: 'float32',
        },
      }
    case 'floats':
      return {
        kind: 'tensor',
        value: {
          tensor: { dtype: 'float32', shape: [attribute.value.length], data: Float32Array.from(attribute.value) },
          elementType: 'float32',
        },
      }
    default:
      throw new FormatError(
        `${nodeLabel(node)}: '${name}' must be a number or a tensor, got ${attribute.kind}. The file is damaged.`,
      )
  }
}

/** The branch of an `If`: what it defines itself gets fresh names inside a call, the rest follows the scope around it. */
function instantiateGraph(graph: RawGraph, scope: Scope, inlining: Inlining): OnnxGraph {
  const value = <V extends { readonly name: string }>(v: V): V => ({ ...v, name: scope.rename(v.name) })
  return {
    name: graph.name,
    inputs: graph.inputs.map(value),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [scope.rename(name), tensor])),
    nodes: expand(graph.nodes, scope, inlining),
    outputs: graph.outputs.map(value),
  }
}
