import {
  DomainError,
  TaskError,
  add,
  graphOf,
  input,
  matmul,
  mul,
  numbersOf,
  simplify,
  sizeOf,
  sliceAxis,
  transpose,
} from '@thalweg/graph'
import type { Expr, Graph, Tensor } from '@thalweg/graph'
import { layerGroups } from '../../curvature/block-operator.ts'
import type { ParameterGroup } from '../../curvature/block-operator.ts'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { zeros } from '../../linalg/matrix.ts'
import { chunkSizes, makeChunks, rows } from '../../loss/chunks.ts'
import { feedsFor } from '../../loss/loss.ts'
import type { Loss } from '../../loss/loss.ts'
import { jacobianRows, rowWidth } from './jacobian-rows.ts'
import type { JacobianRows } from './jacobian-rows.ts'

export interface NetworkGramOptions {
  /** Blocks of θ with a matrix each. Default: the layers. */
  readonly groups?: readonly ParameterGroup[]
  /** For the Jacobians that are held together. Default 256 MiB. */
  readonly memoryBytes?: number
  readonly signal?: CancelSignal
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

export interface NetworkGram {
  /** G = J Jᵀ [nk × nk], samples outermost: row i·k + c is output c of sample i. */
  readonly total: Matrix
  /** G⁽ʰ⁾ = J_h J_hᵀ of each group; they add up to G. */
  readonly layers: readonly { readonly name: string; readonly gram: Matrix }[]
}

/** The Gram matrices of a network at θ (the empirical neural tangent kernel), exact, for any model and any number of
 * outputs:
 *
 *     G_(i,c),(j,e) = ⟨∂f_c(x_i)/∂θ, ∂f_e(x_j)/∂θ⟩
 *
 * One backward pass per sample and output, batched; blocks of rows are formed and multiplied inside the engine, so that
 * the Jacobian is never held as a whole. Rows that are outer products, those of the weights of dense layers, are not formed
 * at all: ⟨a bᵀ, c dᵀ⟩ = ⟨a, c⟩ ⟨b, d⟩.
 * @throws {UnsupportedError} if the model ties samples together, so that it cannot run on one; {TaskError} if cancelled.
 * Cost: 2 (nk)² p operations, of a dense layer [a × b] only 2 (nk)² (a + b); memory as given, and (nk)² numbers per group. */
export async function networkGram(
  loss: Loss,
  theta: Float64Array,
  options: NetworkGramOptions = {},
): Promise<NetworkGram> {
  const groups = options.groups ?? layerGroups(loss.model)
  checkGroups(groups, loss.size)
  const k = sizeOf(loss.model.outputShape)
  const memory = options.memoryBytes ?? 2 ** 28
  const sizes = chunkSizes(loss.samples, Math.min(loss.samples, samplesTogether(loss, memory)))
  const blocks = blocksOf(loss, sizes)
  const bound = loss.parameterTensor(theta)
  const total = zeros(loss.samples * k, loss.samples * k)
  const grams = groups.map(() => zeros(total.rows, total.rows))
  const key = `network-gram/${JSON.stringify(groups)}`
  let done = 0
  for (let a = 0; a < blocks.length; a++)
    for (let b = 0; b <= a; b++) {
      if (options.signal?.aborted) throw new TaskError('networkGram: cancelled before it was complete. Run it again.')
      const [p, q] = [blocks[a], blocks[b]]
      const run = await loss.compiled(`${key}/${p.size}/${a === b ? 'same' : q.size}`, () =>
        blockGraph(loss, groups, p.size, a === b ? null : q.size),
      )
      const values = { theta: bound, ...renamed(p.values, 'left'), ...renamed(q.values, 'right') }
      const result = await run.run(feedsFor(run.graph, values))
      groups.forEach((_, g) => place(grams[g], numbersOf(result[`gram_${g}`]), p, q, k))
      options.onProgress?.({ done: ++done, total: (blocks.length * (blocks.length + 1)) / 2 })
    }
  for (const { data } of grams) for (let at = 0; at < data.length; at++) total.data[at] += data[at]
  return { total, layers: groups.map(({ name }, g) => ({ name, gram: grams[g] })) }
}

/** Samples whose rows, with what is kept on the way to them, fill the memory on either side of a product. */
function samplesTogether(loss: Loss, memory: number): number {
  const probe = jacobianRows(loss, input('theta', loss.dtype, [loss.size]), 2, 'probe')
  const width = probe.reduce((sum, each) => sum + rowWidth(each), 0)
  return Math.max(1, Math.min(samplesMax, Math.floor(memory / (32 * sizeOf(loss.model.outputShape) * width))))
}

const samplesMax = 1024

interface Block {
  readonly start: number
  readonly size: number
  readonly values: Readonly<Record<string, Tensor>>
}

function checkGroups(groups: readonly ParameterGroup[], size: number): void {
  const covered = new Uint8Array(size)
  for (const { name, ranges } of groups)
    for (const [start, end] of ranges) {
      if (!(start >= 0 && end <= size && start < end))
        throw new DomainError(`networkGram: group ${name} must lie in 0…${size}, got ${start}…${end}.`)
      for (let i = start; i < end; i++) covered[i]++
    }
  if (covered.some((times) => times !== 1))
    throw new DomainError('networkGram: groups must cover each parameter once, got gaps or overlaps.')
}

function blocksOf(loss: Loss, sizes: readonly number[]): Block[] {
  const [whole] = makeChunks(loss.model, loss.dataset, loss.dtype, loss.samples)
  let start = 0
  return sizes.map((size) => {
    const values = Object.fromEntries(
      loss.model.inputs.map(({ name }) => [name, rows(whole.values[`input_${name}`], start, size)]),
    )
    const block = { start, size, values }
    start += size
    return block
  })
}

function renamed(values: Readonly<Record<string, Tensor>>, side: string): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${side}_${name}`, value]))
}

/** The products of one block of Jacobian rows with another, by group; `other` null: with itself. */
function blockGraph(loss: Loss, groups: readonly ParameterGroup[], size: number, other: number | null): Graph {
  const theta = input('theta', loss.dtype, [loss.size])
  const left = jacobianRows(loss, theta, size, 'left')
  const right = other === null ? left : jacobianRows(loss, theta, other, 'right')
  const outputs = groups.map(({ ranges }, g): [string, Expr] => {
    const parts = ranges.flatMap((range) => left.flatMap((each, at) => products(each, right[at], range)))
    return [`gram_${g}`, parts.reduce((sum, part) => add(sum, part))]
  })
  return simplify(graphOf(Object.fromEntries(outputs)))
}

/** Rows times rows, over the part of the parameter that lies in the range; none where there is none. */
function products(left: JacobianRows, right: JacobianRows, [first, last]: readonly [number, number]): Expr[] {
  const { start, end } = left
  const [from, to] = [Math.max(start, first), Math.min(end, last)]
  if (from >= to) return []
  if (left.outer && right.outer && to - from === end - start)
    // ⟨a bᵀ, c dᵀ⟩ = ⟨a, c⟩ ⟨b, d⟩
    return [mul(inner(left.outer.left, right.outer.left), inner(left.outer.right, right.outer.right))]
  const [a, b] = [left, right].map(({ dense }) =>
    to - from === end - start ? dense : sliceAxis(dense, 1, from - start, to - start),
  )
  return [inner(a, b)]
}

function inner(a: Expr, b: Expr): Expr {
  return matmul(a, transpose(b, [1, 0]))
}

/** Writes a block [p·k × q·k] and its mirror image. */
function place(target: Matrix, block: Float64Array, p: Block, q: Block, k: number): void {
  const [height, width] = [p.size * k, q.size * k]
  for (let i = 0; i < height; i++)
    for (let j = 0; j < width; j++) {
      const value = block[i * width + j]
      target.data[(p.start * k + i) * target.cols + q.start * k + j] = value
      target.data[(q.start * k + j) * target.cols + p.start * k + i] = value
    }
}
