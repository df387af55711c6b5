/** Writes docs/operators.md, the table of operators and their rules: `node tools/operator-coverage.ts`. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { lower } from '@thalweg/engine'
import {
  type DType,
  type Expr,
  graphOf,
  input,
  isFloat,
  make,
  type OperatorName,
  operators,
  type Rule,
  ShapeError,
  topologicalOrder,
} from '@thalweg/graph'
import { compositeCases, operatorCases } from '@thalweg/graph/testing'

type Node = Exclude<Expr, { readonly op: 'Input' | 'Constant' }>

const rules = operators as unknown as Readonly<Record<OperatorName, Rule<'Add'>>>

/** Every node of this operator in the cases that are filed under it. */
function examples(op: OperatorName, dtype: 'float32' | 'float64'): Node[] {
  return operatorCases[op].flatMap(({ build }) =>
    topologicalOrder(build(dtype).outputs).filter((node): node is Node => node.op === op),
  )
}

/** Operators that a rule's result holds beside the given nodes, in alphabetical order. */
function madeOf(results: readonly Expr[], given: readonly Expr[]): string[] {
  const known = new Set(topologicalOrder(given))
  const nodes = topologicalOrder(results).filter((node) => !known.has(node))
  return [...new Set(nodes.map((node) => node.op).filter((op) => op !== 'Constant' && op !== 'Input'))].toSorted()
}

const listed = (names: readonly string[], none: string): string => (names.length === 0 ? none : names.join(', '))

/** Element types that a node of this operator takes in place of its own. */
function dtypesOf(op: OperatorName): string {
  const dtypes: readonly DType[] = ['float64', 'float32', 'int64', 'bool']
  const accepted = dtypes.filter((dtype) => examples(op, 'float64').some((node) => accepts(node, dtype)))
  return accepted.join(' ').replace('float64 float32', 'float')
}

/** Whether the operands that carry values (not indices, not conditions) may be of this type. */
function accepts(node: Node, dtype: DType): boolean {
  const own = (node.inputs.find((x) => x.dtype === 'float64') ?? node.inputs[0]).dtype
  try {
    const operands = node.inputs.map((x, i) => (x.dtype === own ? input(`x${i}`, dtype, x.shape) : x))
    return make(node.op, operands, node.attributes as never).op === node.op
  } catch (error) {
    if (error instanceof ShapeError) return false
    throw error
  }
}

/** What the reverse rule is made of, over all examples. */
function reverseRule(op: OperatorName): string {
  const parts = examples(op, 'float64').flatMap((node) => {
    if (!isFloat(node.dtype)) return []
    const cotangent = input('cotangent', node.dtype, node.shape)
    const terms = rules[op].vjp(
      node as never,
      cotangent,
      node.inputs.map((x) => isFloat(x.dtype)),
    )
    const flowing = terms.filter((term, i): term is Expr => term !== null && isFloat(node.inputs[i].dtype))
    return flowing.length === 0 ? [] : [madeOf(flowing, [node, cotangent])]
  })
  return parts.length === 0
    ? 'none: piecewise constant'
    : listed([...new Set(parts.flat())].toSorted(), 'the cotangent itself')
}

/** What the node becomes when every operand is batched, beside itself. */
function batchingRule(op: OperatorName): string {
  const parts = examples(op, 'float64').flatMap((node) => {
    const stacks = node.inputs.map((x, i) => input(`stack${i}`, x.dtype, [2, ...x.shape]))
    const batched = rules[op].batch(
      node as never,
      stacks.map((value) => ({ value, batched: true })),
      2,
    )
    return madeOf([batched], stacks)
  })
  return listed([...new Set(parts)].filter((name) => name !== op).toSorted(), '')
}

/** What runs on ONNX Runtime in its place; empty where it is an ONNX operator with a kernel. */
function loweredTo(op: OperatorName, dtype: 'float32' | 'float64'): string {
  const parts = examples(op, dtype).flatMap((node) => {
    const fed = node.inputs.map((x, i) => input(`x${i}`, x.dtype, x.shape))
    const alone = make(node.op, fed, node.attributes as never)
    const made = madeOf(Object.values(lower(graphOf({ alone })).outputs), fed)
    return made.length === 1 && made[0] === op ? [] : made
  })
  return listed([...new Set(parts)].toSorted(), '')
}

function row(op: OperatorName): string {
  const [wide, narrow] = [loweredTo(op, 'float64'), loweredTo(op, 'float32')]
  const lowering =
    wide === narrow ? wide : [wide && `float64: ${wide}`, narrow && `float32: ${narrow}`].filter(Boolean).join('; ')
  const cells = [op, dtypesOf(op), reverseRule(op), batchingRule(op), lowering, String(operatorCases[op].length)]
  return `| ${cells.join(' | ')} |`
}

/** The document: a table of operators, and the builders that compose them. */
export function coverageTable(): string {
  const names = Object.keys(operators) as OperatorName[]
  const builders = Object.entries(compositeCases).map(([name, cases]) => `\`${name}\` (${cases.length})`)
  return `# Operators

Generated from the operator table; run \`npm run docs:operators\` after a change to it.

Every operator has a shape rule, a reverse rule (vjp), a forward rule (jvp), a batching rule (vmap) and an interpreter; a missing
one does not compile. *Reverse* and *vmap* name the operators that the rule adds, so derivatives of derivatives stay inside the table.
*Lowered to* names what runs on ONNX Runtime instead, where it has no such operator or no kernel for the type. *Cases* are the
graphs on which every rule is tested: gradients against differences, adjoints, Hessians, vmap against a loop, float32 against float64.

| operator | types | reverse | vmap adds | lowered to | cases |
|---|---|---|---|---|---|
${names.map(row).join('\n')}

Builders that compose them, with the number of their cases: ${builders.join(', ')}.
`
}

if (import.meta.main) {
  const path = join(resolve(import.meta.dirname, '..'), 'docs/operators.md')
  writeFileSync(path, coverageTable())
  console.log(`${path}: ${Object.keys(operators).length} operators`)
}
