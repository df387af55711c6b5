import { mul } from '../../build/elementwise.ts'
import { gather } from '../../build/indexing.ts'
import { matmul } from '../../build/contraction.ts'
import { reduceSum } from '../../build/reduction.ts'
import { expand, int64, reshape, transpose } from '../../build/structure.ts'
import { ShapeError } from '../../core/errors.ts'
import type { Expr } from '../../core/expr.ts'
import { range } from '../../core/shape.ts'
import { sizeOf } from '../../core/tensor.ts'

/** A tensor whose axes carry labels, all different. */
interface Labeled {
  readonly value: Expr
  readonly labels: readonly string[]
}

/** Einstein summation: `einsum('bij,bjk->bik', a, b)`; repeated labels take diagonals, `...` stands for leading axes,
 * without `->` the labels that occur once are kept, in alphabetical order. Operands are contracted from left to right, each pair
 * as one stack of matrix products.
 * @throws {ShapeError} if labels, ranks or lengths do not agree. */
export function einsum(equation: string, operands: readonly Expr[]): Expr {
  const { terms, result } = parse(equation, operands)
  const lengths = lengthsOf(equation, terms, operands)
  const labeled = operands.map((value, i) => stretched(diagonals({ value, labels: terms[i] }), lengths))
  let left = labeled[0]
  for (let i = 1; i < labeled.length; i++) {
    const later = new Set([...labeled.slice(i + 1).flatMap((t) => t.labels), ...result])
    left = contract(left, labeled[i], later)
  }
  const summed = sumOut(left, new Set(result))
  if (result.some((label) => !summed.labels.includes(label)))
    throw new ShapeError(`einsum: '${equation}' names a result axis that no operand has.`)
  return transpose(
    summed.value,
    result.map((label) => summed.labels.indexOf(label)),
  )
}

function parse(equation: string, operands: readonly Expr[]): { terms: string[][]; result: string[] } {
  const [left, right] = equation.replaceAll(' ', '').split('->')
  const texts = left.split(',')
  if (texts.length !== operands.length)
    throw new ShapeError(`einsum: '${equation}' needs ${texts.length} operands, got ${operands.length}.`)
  const spans = texts.map((text, i) =>
    text.includes('...') ? operands[i].shape.length - text.replace('...', '').length : 0,
  )
  const widest = Math.max(0, ...spans)
  // Axes under the ellipsis are labeled 0, 1, … from the left, aligned at the right as in broadcasting.
  const ellipsis = range(widest).map(String)
  const terms = texts.map((text, i) => labelsOf(text, ellipsis.slice(widest - spans[i])))
  terms.forEach((term, i) => {
    if (term.length !== operands[i].shape.length)
      throw new ShapeError(
        `einsum: '${texts[i]}' names ${term.length} axes, got an operand of shape [${operands[i].shape}].`,
      )
  })
  return { terms, result: right === undefined ? implicitResult(terms, ellipsis) : labelsOf(right, ellipsis) }
}

function labelsOf(text: string, ellipsis: readonly string[]): string[] {
  const at = text.indexOf('...')
  const labels =
    at < 0 ? text.split('') : [...text.slice(0, at).split(''), ...ellipsis, ...text.slice(at + 3).split('')]
  const bad = labels.find((label) => !/^[A-Za-z0-9]+$/.test(label))
  if (bad !== undefined) throw new ShapeError(`einsum: labels must be letters, got '${bad}' in '${text}'.`)
  return labels
}

function implicitResult(terms: readonly string[][], ellipsis: readonly string[]): string[] {
  const all = terms.flat()
  const once = [...new Set(all)].filter(
    (label) => !ellipsis.includes(label) && all.filter((other) => other === label).length === 1,
  )
  return [...ellipsis, ...once.sort()]
}

function lengthsOf(equation: string, terms: readonly string[][], operands: readonly Expr[]): Map<string, number> {
  const lengths = new Map<string, number>()
  terms.forEach((term, i) => {
    term.forEach((label, axis) => {
      const d = operands[i].shape[axis]
      const known = lengths.get(label) ?? 1
      if (known !== 1 && d !== 1 && known !== d)
        throw new ShapeError(`einsum: label '${label}' of '${equation}' must have one length, got ${known} and ${d}.`)
      lengths.set(label, Math.max(known, d))
    })
  })
  return lengths
}

/** A repeated label takes the diagonal of its axes. */
function diagonals(t: Labeled): Labeled {
  const repeated = t.labels.findIndex((label, i) => t.labels.indexOf(label) !== i)
  if (repeated < 0) return t
  const first = t.labels.indexOf(t.labels[repeated])
  const rest = range(t.labels.length).filter((i) => i !== first && i !== repeated)
  const n = t.value.shape[first]
  const moved = transpose(t.value, [first, repeated, ...rest])
  const flat = reshape(moved, [n * n, ...rest.map((i) => t.value.shape[i])])
  const diagonal = gather(flat, int64(range(n).map((i) => i * (n + 1))), 0)
  return diagonals({ value: diagonal, labels: [t.labels[first], ...rest.map((i) => t.labels[i])] })
}

function stretched(t: Labeled, lengths: ReadonlyMap<string, number>): Labeled {
  const shape = t.labels.map((label) => lengths.get(label) as number)
  return { value: expand(t.value, shape), labels: t.labels }
}

function sumOut(t: Labeled, kept: ReadonlySet<string>): Labeled {
  const axes = range(t.labels.length).filter((i) => !kept.has(t.labels[i]))
  return axes.length === 0
    ? t
    : { value: reduceSum(t.value, axes), labels: t.labels.filter((label) => kept.has(label)) }
}

/** One stack of matrix products: labels in both are batch axes if needed later, else summed. */
function contract(left: Labeled, right: Labeled, later: ReadonlySet<string>): Labeled {
  const a = sumOut(left, new Set([...right.labels, ...later]))
  const b = sumOut(right, new Set([...left.labels, ...later]))
  const both = a.labels.filter((label) => b.labels.includes(label))
  const batch = both.filter((label) => later.has(label))
  const inner = both.filter((label) => !later.has(label))
  const rows = a.labels.filter((label) => !both.includes(label))
  const columns = b.labels.filter((label) => !both.includes(label))
  const sizes = (t: Labeled, labels: readonly string[]): number[] =>
    labels.map((label) => t.value.shape[t.labels.indexOf(label)])
  const arranged = (t: Labeled, labels: readonly string[]): Expr =>
    transpose(
      t.value,
      labels.map((label) => t.labels.indexOf(label)),
    )
  const shape = [...sizes(a, batch), ...sizes(a, rows), ...sizes(b, columns)]
  const labels = [...batch, ...rows, ...columns]
  const [m, k, n] = [sizeOf(sizes(a, rows)), sizeOf(sizes(a, inner)), sizeOf(sizes(b, columns))]
  const x = reshape(arranged(a, [...batch, ...rows, ...inner]), [...sizes(a, batch), m, k])
  const y = reshape(arranged(b, [...batch, ...inner, ...columns]), [...sizes(a, batch), k, n])
  // Without a sum an outer product needs no matrix kernel.
  return { value: reshape(inner.length === 0 ? mul(x, y) : matmul(x, y), shape), labels }
}
