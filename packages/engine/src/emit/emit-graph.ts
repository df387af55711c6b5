import { DomainError, dependents, encodeModel, topologicalOrder } from '@thalweg/graph'
import type {
  AnyOperation,
  DType,
  Expr,
  Graph,
  InputExpr,
  OnnxGraph,
  OnnxModelToWrite,
  OnnxValue,
} from '@thalweg/graph'
import type { LoopProgram } from '../engine.ts'
import { emitters, operandsRead } from './operator-emitters.ts'
import { Scope } from './scope.ts'

/** Operators beyond the standard that every build of ONNX Runtime has (FusedMatMul). */
const extensions: ReadonlyMap<string, number> = new Map([['com.microsoft', 1]])

type Named = Pick<OnnxValue, 'name' | 'dtype' | 'shape'>

function emitNode(node: Expr, scope: Scope): void {
  if (node.op === 'Input' || node.op === 'Constant') return
  const emit = emitters[node.op] as (node: AnyOperation, scope: Scope) => void
  emit(node, scope)
}

/** Emits what the roots need and the scope has not yet, operands first. */
function emitRoots(roots: readonly Expr[], scope: Scope): void {
  const needed = new Set<Expr>()
  const pending = [...roots]
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (needed.has(node) || scope.has(node)) continue
    needed.add(node)
    pending.push(...operandsRead(node, scope.uses))
  }
  for (const node of topologicalOrder(roots)) if (needed.has(node)) emitNode(node, scope)
}

const valueOf = (name: string, { dtype, shape }: { dtype: DType; shape: readonly number[] }): Named => ({
  name,
  dtype,
  shape,
})

/** Reads of every node by the others and by the roots. */
function usesOf(roots: readonly Expr[]): Map<Expr, number> {
  const uses = new Map<Expr, number>()
  const count = (x: Expr): unknown => uses.set(x, (uses.get(x) ?? 0) + 1)
  for (const node of topologicalOrder(roots)) node.inputs.forEach(count)
  roots.forEach(count)
  return uses
}

/** Names under which inputs and outputs appear are exactly theirs; internal names keep clear of them. */
function bindInputs(inputs: readonly InputExpr[], scope: Scope): Named[] {
  return inputs.map((node) => {
    scope.bind(node, node.attributes.name)
    return valueOf(node.attributes.name, node)
  })
}

/** Routes each root to an output of the given name. */
function emitOutputs(outputs: Readonly<Record<string, Expr>>, scope: Scope): Named[] {
  return Object.entries(outputs).map(([name, node]) => {
    scope.emit('Identity', [scope.nameOf(node)], {}, name)
    return valueOf(name, node)
  })
}

const namesOf = (inputs: readonly InputExpr[]): string[] => inputs.map((i) => i.attributes.name)

function distinct(where: string, names: readonly string[]): readonly string[] {
  const twice = names.find((n, i) => names.indexOf(n) !== i)
  if (twice === undefined) return names
  throw new DomainError(`${where}: input and output names must differ, got ${twice} twice. Rename one.`)
}

/** The bytes of an `.onnx` model that computes a lowered graph. Inputs and outputs keep their names. */
export function emitGraph(graph: Graph): Uint8Array {
  return encodeModel(graphModel(graph))
}

export function graphModel(graph: Graph): OnnxModelToWrite {
  const scope = Scope.outermost(
    distinct('emitGraph', [...namesOf(graph.inputs), ...Object.keys(graph.outputs)]),
    usesOf(Object.values(graph.outputs)),
  )
  const inputs = bindInputs(graph.inputs, scope)
  emitRoots(Object.values(graph.outputs), scope)
  const outputs = emitOutputs(graph.outputs, scope)
  return { inputs, outputs, initializers: scope.initializers, nodes: scope.nodes, opsets: extensions }
}

/** Name of the input that says how many steps to run. */
export const stepsInput = 'thalweg_steps'

/** Names of a loop's results: the carried values after the last step, then the records. */
export function loopResults({ carried, records }: LoopProgram): string[] {
  return [...carried.map((c) => `${c.attributes.name}_next`), ...Object.keys(records)]
}

/** The bytes of a model whose one `Loop` repeats a step. What does not change from step to step is computed outside. */
export function emitLoop(program: LoopProgram): Uint8Array {
  return encodeModel(loopModel(program))
}

export function loopModel(program: LoopProgram): OnnxModelToWrite {
  const { carried, next, step, records } = program
  const results = loopResults(program)
  const roots = [...next, ...Object.values(records)]
  const order = topologicalOrder(roots)
  const varying = dependents(order, [...carried, step])
  // what the body reads from outside counts as a result of the outside: nothing in the body may take it in
  const isOutside = (n: Expr): boolean => !varying.has(n)
  const uses = usesOf([...roots, ...order.filter((n) => varying.has(n)).flatMap((n) => n.inputs.filter(isOutside))])
  const taken = [...namesOf(program.inputs), ...namesOf(carried), stepsInput, ...results]
  const outer = Scope.outermost(distinct('emitLoop', taken), uses)
  const inputs = [
    ...bindInputs(program.inputs, outer),
    ...bindInputs(carried, outer),
    valueOf(stepsInput, { dtype: 'int64', shape: [] }),
  ]
  const readInside = [...roots, ...order.filter((n) => varying.has(n)).flatMap((n) => operandsRead(n, uses))]
  emitRoots(
    readInside.filter((n) => isOutside(n) && n.op !== 'Input' && n.op !== 'Constant'),
    outer,
  )
  const names = Object.keys(records)
  const node = { inputs: [stepsInput, '', ...carried.map((c) => c.attributes.name)], outputs: results }
  const body = emitBody(program, outer)
  outer.nodes.push({ op: 'Loop', ...node, attributes: new Map([['body', { kind: 'graph', value: body }]]) })
  const outputs = [
    ...carried.map((c) => valueOf(`${c.attributes.name}_next`, c)),
    ...names.map((n) => ({ name: n, dtype: records[n].dtype, shape: ['steps', ...records[n].shape] })),
  ]
  return { inputs, outputs, initializers: outer.initializers, nodes: outer.nodes, opsets: extensions }
}

function emitBody({ carried, next, step, records }: LoopProgram, outer: Scope): OnnxGraph {
  const scope = outer.inner()
  const enter = (node: InputExpr): OnnxValue => {
    const name = scope.fresh(node.attributes.name)
    scope.bind(node, name)
    return { ...valueOf(name, node), elementType: node.dtype }
  }
  const condition: OnnxValue = { name: scope.fresh('condition'), dtype: 'bool', elementType: 'bool', shape: [] }
  const inputs = [enter(step), condition, ...carried.map(enter)]
  emitRoots([...next, ...Object.values(records)], scope)
  const leave = (name: string, type: { dtype: DType; shape: readonly number[] }): OnnxValue => ({
    name,
    dtype: type.dtype,
    elementType: type.dtype,
    shape: type.shape,
  })
  const results = [...next, ...Object.values(records)].map((node) =>
    leave(scope.emit('Identity', [scope.nameOf(node)]), node),
  )
  const go = leave(scope.emit('Identity', [condition.name]), { dtype: 'bool', shape: [] })
  return {
    name: 'body',
    inputs,
    outputs: [go, ...results],
    initializers: new Map(),
    nodes: scope.nodes as unknown as OnnxGraph['nodes'],
  }
}
