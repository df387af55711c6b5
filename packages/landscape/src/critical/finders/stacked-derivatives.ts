import { castTensor, gatherFactors, graphOf, input, numbersOf, simplify, sizeOf, tensor, vmap } from '@thalweg/graph'
import type { Expr, Graph, Tensor } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import { feedsFor } from '../../loss/loss.ts'
import type { Loss } from '../../loss/loss.ts'
import { empiricalFisherVector, flat, gradientOf, hessianVector } from '../../loss/loss-graph.ts'
import { productScale } from '../../loss/loss-point.ts'

/** What is asked at one θ: value and gradient, or products of a matrix there with directions. */
export interface Question {
  readonly kind: 'gradient' | 'hessian' | 'empirical-fisher'
  readonly theta: Float64Array
  /** Directions [count × p]; none for gradients. */
  readonly rows: Float64Array
  readonly count: number
}

export interface Answer {
  /** L(θ); 0 where products are asked. */
  readonly value: number
  /** ∇L(θ) [p], or the products [count × p]. */
  readonly vectors: Float64Array
}

type Kind = Question['kind']

/** Derivatives of a loss at many θ, each run of the engine for as many as its memory allows. For small networks, where a
 * run costs more than its arithmetic. */
export class StackedDerivatives {
  readonly #loss: Loss
  readonly #groupMax = new Map<string, number>()

  constructor(loss: Loss) {
    this.#loss = loss
  }

  /** Answers questions of one kind and number of directions, in their order. */
  async answers(questions: readonly Question[]): Promise<Answer[]> {
    const { kind, count, rows } = questions[0]
    const shared = kind !== 'gradient' && questions.every((other) => sameNumbers(other.rows, rows))
    const most = this.#most(kind, count, shared)
    const all: Answer[] = []
    while (all.length < questions.length) {
      const group = groupSize(questions.length - all.length, most)
      all.push(...(await this.#run(questions.slice(all.length, all.length + group), group, shared)))
    }
    return all
  }

  async #run(questions: readonly Question[], group: number, shared: boolean): Promise<Answer[]> {
    const loss = this.#loss
    const { kind, count, rows } = questions[0]
    const p = loss.size
    const width = kind === 'gradient' ? p : count * p
    const theta = this.#stacked(questions, [group, p], (question) => question.theta)
    const direction = shared
      ? castTensor(tensor('float64', [count, p], rows), loss.dtype)
      : this.#stacked(questions, [kind === 'gradient' ? 0 : group, count, p], (question) => question.rows)
    const values = new Float64Array(group)
    const vectors = new Float64Array(group * width)
    for (const chunk of loss.chunks) {
      const key = `stacked/${kind}/${chunk.size}/${count}/${group}/${shared}`
      const run = await loss.compiled(key, () => stackedGraph(loss, kind, chunk.size, count, group, shared))
      const result = await run.run(feedsFor(run.graph, { ...chunk.values, theta, direction }))
      addTo(vectors, numbersOf(result.vectors))
      if (result.sum) addTo(values, numbersOf(result.sum))
    }
    return questions.map((question, i) =>
      this.#finished(question, values[i], vectors.slice(i * width, (i + 1) * width)),
    )
  }

  /** The numbers of each question, as a tensor whose first axis counts them; beyond the questions the first is repeated: any
   * finite θ will do. */
  #stacked(
    questions: readonly Question[],
    shape: readonly number[],
    numbersOfOne: (question: Question) => Float64Array,
  ): Tensor {
    const all = new Float64Array(sizeOf(shape))
    const width = sizeOf(shape.slice(1))
    for (let i = 0; i < shape[0]; i++) all.set(numbersOfOne(questions[i] ?? questions[0]), i * width)
    return castTensor(tensor('float64', shape, all), this.#loss.dtype)
  }

  /** Sums over samples → means, with the regularizer. */
  #finished({ kind, theta, rows }: Question, sum: number, vectors: Float64Array): Answer {
    const { normalizer, weightDecay } = this.#loss
    const factor = kind === 'gradient' ? 1 / normalizer : productScale(this.#loss, kind)
    const decayed = kind === 'gradient' ? theta : kind === 'hessian' ? rows : null
    for (let i = 0; i < vectors.length; i++) vectors[i] = vectors[i] * factor + (decayed ? weightDecay * decayed[i] : 0)
    return { value: kind === 'gradient' ? sum / normalizer + this.#loss.penalty(theta) : 0, vectors }
  }

  /** Questions per run that the memory of the loss allows: a power of four. */
  #most(kind: Kind, count: number, shared: boolean): number {
    const key = `${kind}/${count}/${shared}`
    const known = this.#groupMax.get(key)
    if (known !== undefined) return known
    const loss = this.#loss
    const { bytes } = workOf(Object.values(stackedGraph(loss, kind, loss.chunks[0].size, count, 1, shared).outputs))
    const most = Math.max(1, 4 ** Math.floor(Math.log2(Math.max(1, loss.memoryBytes / bytes)) / 2))
    this.#groupMax.set(key, most)
    return most
  }
}

/** How many go next: powers of four, so that few sizes are ever compiled; the last run is filled up to one where at
 * least half of it is used. */
function groupSize(left: number, most: number): number {
  const below = 4 ** Math.floor(Math.log2(left) / 2)
  return Math.min(most, left > 2 * below || left < below ? 4 * below : below)
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function addTo(sums: Float64Array, part: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += part[i]
}

/** A derivative at `group` θ at once, with `count` directions shared by all or of each one's own. */
function stackedGraph(loss: Loss, kind: Kind, batch: number, count: number, group: number, shared: boolean): Graph {
  const { dtype, size: p, model } = loss
  const g = loss.graph(batch)
  const thetas = input('theta', dtype, [group, p])
  if (kind === 'gradient') {
    const [sum, vectors] = vmap([g.sum, flat(gradientOf(g))], [[g.theta, thetas]])
    return simplify(graphOf({ sum, vectors }))
  }
  const single = input('single', dtype, [p])
  const product = kind === 'hessian' ? hessianVector(model, g, single) : empiricalFisherVector(model, g, single)
  const own = input('own', dtype, [count, p])
  const directions = input('direction', dtype, shared ? [count, p] : [group, count, p])
  const inner: Expr[] = vmap([product], [[single, shared ? directions : own]])
  const [vectors] = vmap(
    inner,
    shared
      ? [[g.theta, thetas]]
      : [
          [g.theta, thetas],
          [own, directions],
        ],
  )
  return gatherFactors(simplify(graphOf({ vectors })), [directions])
}
