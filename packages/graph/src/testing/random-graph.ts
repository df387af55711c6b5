import { constant, input } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { broadcastShapes, range, sameShape } from '../core/shape.ts'
import { sizeOf, tensorOf } from '../core/tensor.ts'
import type { Shape } from '../core/tensor.ts'
import { isFloat } from '../core/tensor.ts'

/** Numbers on which careless algebra shows. */
export const delicateNumbers: readonly number[] = [
  0,
  -0,
  1,
  -1,
  2,
  0.5,
  Number.NaN,
  Infinity,
  -Infinity,
  1e308,
  5e-324,
  -3.25,
]

const unary = ['Neg', 'Abs', 'Sign', 'Reciprocal', 'Sqrt', 'Exp', 'Relu', 'Sigmoid', 'Floor'] as const
const binary = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Greater', 'Equal'] as const

function fits(a: Shape, b: Shape): boolean {
  return range(Math.min(a.length, b.length)).every((i) => {
    const [p, q] = [a[a.length - 1 - i], b[b.length - 1 - i]]
    return p === q || p === 1 || q === 1
  })
}

/** A graph over x float64[2,3] and y float64[3] that a list of whole numbers decides: each adds one node, often one
 * that simplification removes. Any list is a graph, so lists can be shrunk. @returns every node made, inputs first. */
export function randomGraph(choices: readonly number[]): Expr[] {
  const nodes: Expr[] = [input('x', 'float64', [2, 3]), input('y', 'float64', [3])]
  for (const choice of choices) {
    const pick = (k: number): Expr => nodes[Math.floor(choice / 32 ** k) % nodes.length]
    const made = step(choice % 32, pick(1), pick(2), choice)
    if (sizeOf(made.shape) <= 64) nodes.push(made)
  }
  return nodes
}

function step(kind: number, a: Expr, b: Expr, choice: number): Expr {
  const number = delicateNumbers[choice % delicateNumbers.length]
  const shape = [[], [1], [3]][choice % 3]
  if (kind < 5) return constant(tensorOf('float64', shape, new Array<number>(sizeOf(shape)).fill(number)))
  if (kind < 13) return structural(kind - 5, a, b, number)
  if (!isFloat(a.dtype)) return make('Cast', [a], { to: 'float64' })
  if (kind < 20) return make(unary[choice % unary.length], [a], {})
  if (kind < 24) return make(binary[choice % 4], [a, constant(tensorOf(a.dtype, [], [choice % 2]))], {})
  if (b.dtype !== a.dtype || !fits(a.shape, b.shape)) return make('Neg', [a], {})
  return make(binary[choice % binary.length], [a, b], {})
}

/** Moves, many of which move nothing. */
function structural(kind: number, a: Expr, b: Expr, number: number): Expr {
  const axes = range(a.shape.length)
  const zeros = axes.map(() => 0)
  switch (kind) {
    case 0:
      return make('Reshape', [a], { shape: [sizeOf(a.shape)] })
    case 1:
      return make('Reshape', [a], { shape: a.shape })
    case 2:
      return make('Transpose', [a], { perm: axes.toReversed() })
    case 3:
      return make('Expand', [a], { shape: fits(a.shape, [3]) ? broadcastShapes('Expand', a.shape, [3]) : a.shape })
    case 4:
      return make('Slice', [a], { starts: zeros, ends: a.shape, steps: axes.map(() => 1) })
    case 5:
      if (!isFloat(a.dtype)) return make('Not', [a], {})
      return make('Pad', [a], { before: zeros, after: axes.map((i) => (i === 0 && number > 0 ? 1 : 0)), value: number })
    case 6:
      return make('Cast', [a], { to: number > 0 ? 'float32' : 'float64' })
    default:
      return a.dtype === b.dtype && a.shape.length > 0 && sameShape(a.shape, b.shape)
        ? make('Concat', [a, b], { axis: 0 })
        : a
  }
}
