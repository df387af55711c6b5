import {
  DomainError,
  TaskError,
  UnsupportedError,
  add,
  constant,
  graphOf,
  input,
  matmul,
  numbersOf,
  reshape,
  simplify,
  sizeOf,
  sliceAxis,
  tensor,
  transpose,
  vjp,
  vmap,
} from '@thalweg/graph'
import type { Expr, Graph, InputExpr, Tensor } from '@thalweg/graph'
import { layerGroups } from '../../curvature/block-operator.ts'
import type { ParameterGroup } from '../../curvature/block-operator.ts'
import type { CancelSignal } from '../../linalg/extreme-eigenpairs.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { zeros } from '../../linalg/matrix.ts'
import { chunkSizes, makeChunks, rows } from '../../loss/chunks.ts'
import { flat } from '../../loss/loss-graph.ts'
import { feedsFor } from '../../loss/loss.ts'
import type { Loss } from '../../loss/loss.ts'
import { parameterViews } from '../../model/model.ts'

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
 * the Jacobian is never held as a whole.
 * @throws {UnsupportedError} if the model ties samples together, so that it cannot run on one; {TaskError} if cancelled.
 * Cost: 2 (nk)² p operations; memory as given, and (nk)² numbers per group. */
export async function networkGram(
  loss: Loss,
  theta: Float64Array,
  options: NetworkGramOptions = {},
): Promise<NetworkGram> {
  const groups = options.groups ?? layerGroups(loss.model)
  checkGroups(groups, loss.size)
  const k = sizeOf(loss.model.outputShape)
  const memory = options.memoryBytes ?? 2 ** 28
  const perSample = 8 * k * loss.size * 4
  const sizes = chunkSizes(loss.samples, Math.max(1, Math.min(loss.samples, 512, Math.floor(memory / perSample))))
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
    const parts = ranges.map(([start, end]) =>
      matmul(sliceAxis(left, 1, start, end), transpose(sliceAxis(right, 1, start, end), [1, 0])),
    )
    return [`gram_${g}`, parts.reduce((sum, part) => add(sum, part))]
  })
  return simplify(graphOf(Object.fromEntries(outputs)))
}

/** J of a block of samples, [size·k × p]: the vjp of one sample, batched over cotangents, then over samples. */
function jacobianRows({ model, dtype }: Loss, theta: InputExpr, size: number, side: string): Expr {
  const k = sizeOf(model.outputShape)
  const single = model.inputs.map((i) => input(`one_${i.name}`, i.dtype === 'float' ? dtype : i.dtype, [1, ...i.shape]))
  const stacks = model.inputs.map((i, at) => {
    const all = input(`${side}_${i.name}`, single[at].dtype, [size, ...i.shape])
    return [single[at], reshape(all, [size, 1, ...i.shape])] as const
  })
  const parameters = parameterViews(model, theta)
  const output = model.forward(parameters, single)
  if (output.shape[0] !== 1)
    throw new UnsupportedError(`networkGram: the model must run on one sample, got outputs [${output.shape}].`)
  const cotangent = input('cotangent', dtype, output.shape)
  const row = flat(vjp([output], parameters, [cotangent]))
  const [perSample] = vmap([row], [[cotangent, unitCotangents(dtype, output, k)]])
  const [all] = vmap([perSample], stacks)
  return reshape(all, [size * k, sizeOf(theta.shape)])
}

function unitCotangents(dtype: Loss['dtype'], output: Expr, k: number): Expr {
  const data = dtype === 'float64' ? new Float64Array(k * k) : new Float32Array(k * k)
  for (let c = 0; c < k; c++) data[c * k + c] = 1
  return constant(tensor(dtype, [k, ...output.shape], data as Float64Array))
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
