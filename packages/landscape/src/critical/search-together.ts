import { DomainError, ShapeError, castTensor, graphOf, input, numbersOf, simplify, tensor, vmap } from '@thalweg/graph'
import type { Graph } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import type { CancelSignal } from '../linalg/extreme-eigenpairs.ts'
import { feedsFor } from '../loss/loss.ts'
import type { Loss, ValueAndGradient } from '../loss/loss.ts'
import { empiricalFisherVector, flat, gradientOf, hessianVector } from '../loss/loss-graph.ts'
import { productScale } from '../loss/loss-point.ts'
import { objectiveOf, termScaleOf } from './objective.ts'
import type { Objective } from './objective.ts'

export interface TogetherOptions {
  /** Searches that are under way at once. */
  readonly together: number
  /** No search begins after it is aborted. */
  readonly signal?: CancelSignal
}

/** Runs one search per start, many at a time in lockstep: whenever all searches under way wait for a derivative, the
 * points they ask about go through one graph as a batch. For small networks, where a run of the engine costs more than
 * its arithmetic. Each search sees an objective of its own with the values it would see alone, up to rounding.
 * @param search  must do nothing but compute and await the objective it is given.
 * @returns results in the order of the starts; those not begun before an abort are missing.
 * @throws what the first search throws. Cost: memory for `together` dense Hessians. */
export async function searchTogether<T>(
  loss: Loss,
  starts: readonly Float64Array[],
  search: (objective: Objective, start: Float64Array) => Promise<T>,
  options: TogetherOptions,
): Promise<T[]> {
  if (!(Number.isInteger(options.together) && options.together >= 1))
    throw new DomainError(`searchTogether: together must be a positive integer, got ${options.together}.`)
  const rendezvous = new Rendezvous(loss)
  const objective = rendezvousObjective(loss, rendezvous)
  const results: T[] = []
  let next = 0
  const workers = Array.from({ length: Math.min(options.together, starts.length) }, async () => {
    rendezvous.enter()
    try {
      while (next < starts.length && options.signal?.aborted !== true && !rendezvous.failed) {
        const i = next++
        results[i] = await search(objective, starts[i])
      }
    } catch (error) {
      rendezvous.failed = true
      throw error
    } finally {
      rendezvous.leave()
    }
  })
  // All must have ended before an error is reported: the caller may dispose of the engine then.
  const ended = await Promise.allSettled(workers)
  const failure = ended.find((each) => each.status === 'rejected')
  if (failure) throw failure.reason
  return results
}

/** What a search asks for: value and gradient at θ, or products with a matrix there. */
type Kind = 'gradient' | 'hessian' | 'empirical-fisher'

interface Request {
  readonly kind: Kind
  readonly theta: Float64Array
  /** Directions [count × p]; none for gradients. */
  readonly rows: Float64Array
  readonly count: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

interface Answer {
  readonly value: number
  readonly vectors: Float64Array
}

/** Collects requests until every search under way has one, then answers all of them. */
class Rendezvous {
  failed = false
  readonly #loss: Loss
  #active = 0
  #waiting: Request[] = []

  constructor(loss: Loss) {
    this.#loss = loss
  }

  enter(): void {
    this.#active++
  }

  leave(): void {
    this.#active--
    this.#answerWhenAllWait()
  }

  async ask(kind: Kind, theta: Float64Array, rows: Float64Array, count: number): Promise<Answer> {
    this.#loss.parameterTensor(theta)
    if (rows.length !== count * this.#loss.size)
      throw new ShapeError(
        `searchTogether: directions must have ${count} × ${this.#loss.size} entries, got ${rows.length}.`,
      )
    return new Promise((resolve, reject) => {
      this.#waiting.push({ kind, theta, rows, count, resolve, reject })
      this.#answerWhenAllWait()
    })
  }

  #answerWhenAllWait(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#active) return
    const all = this.#waiting
    this.#waiting = []
    const groups = new Map<string, Request[]>()
    for (const request of all) {
      const key = `${request.kind}/${request.count}`
      groups.set(key, [...(groups.get(key) ?? []), request])
    }
    void this.#answer([...groups.values()])
  }

  /** All groups are computed before any search goes on, so that none gets ahead. */
  async #answer(groups: readonly Request[][]): Promise<void> {
    const settle: (() => void)[] = []
    for (const group of groups) {
      try {
        const answers = await batchedAnswers(this.#loss, group)
        group.forEach(({ resolve }, i) => settle.push(() => resolve(answers[i])))
      } catch (error) {
        for (const { reject } of group) settle.push(() => reject(error))
      }
    }
    for (const act of settle) act()
  }
}

/** Answers requests of one kind and count. */
async function batchedAnswers(loss: Loss, requests: readonly Request[]): Promise<Answer[]> {
  const answers: Answer[] = []
  const most = groupMax(loss, requests[0])
  for (let start = 0; start < requests.length; start += most)
    answers.push(...(await oneRun(loss, requests.slice(start, start + most))))
  return answers
}

async function oneRun(loss: Loss, requests: readonly Request[]): Promise<Answer[]> {
  const p = loss.size
  const { kind, count } = requests[0]
  const group = nextPowerOfFour(requests.length)
  const stack = (of: (request: Request) => Float64Array, width: number): Float64Array => {
    const out = new Float64Array(group * width)
    // Rows beyond the requests repeat the first: any finite θ will do.
    for (let i = 0; i < group; i++) out.set(of(requests[i] ?? requests[0]), i * width)
    return out
  }
  const theta = castTensor(
    tensor(
      'float64',
      [group, p],
      stack((r) => r.theta, p),
    ),
    loss.dtype,
  )
  const direction = castTensor(
    tensor(
      'float64',
      [group, count, p],
      stack((r) => r.rows, count * p),
    ),
    loss.dtype,
  )
  const width = kind === 'gradient' ? p : count * p
  const sums = new Float64Array(group)
  const vectors = new Float64Array(group * width)
  for (const chunk of loss.chunks) {
    const key = `together/${kind}/${chunk.size}/${count}/${group}`
    const run = await loss.compiled(key, () => stackedGraph(loss, kind, chunk.size, count, group))
    const result = await run.run(feedsFor(run.graph, { ...chunk.values, theta, direction }))
    addTo(vectors, numbersOf(result.vectors))
    if (result.sum) addTo(sums, numbersOf(result.sum))
  }
  return requests.map((request, i) => finished(loss, request, sums[i], vectors.slice(i * width, (i + 1) * width)))
}

/** Sums over samples → means, with the regularizer. */
function finished(loss: Loss, { kind, theta, rows }: Request, sum: number, vectors: Float64Array): Answer {
  const { normalizer, weightDecay } = loss
  const factor = kind === 'gradient' ? 1 / normalizer : productScale(loss, kind)
  const decayed = kind === 'gradient' ? theta : kind === 'hessian' ? rows : null
  for (let i = 0; i < vectors.length; i++) vectors[i] = vectors[i] * factor + (decayed ? weightDecay * decayed[i] : 0)
  return { value: sum / normalizer + loss.penalty(theta), vectors }
}

function addTo(sums: Float64Array, part: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += part[i]
}

/** Sizes are powers of four: few are ever compiled, and at most three quarters of the last run are padding. */
function nextPowerOfFour(n: number): number {
  return 4 ** Math.ceil(Math.log2(n) / 2)
}

/** Requests per run that the memory of the loss allows. */
function groupMax(loss: Loss, { kind, count }: Request): number {
  const graph = stackedGraph(loss, kind, loss.chunks[0].size, 1, 1)
  const { bytes } = workOf(Object.values(graph.outputs))
  return Math.max(1, 4 ** Math.floor(Math.log2(Math.max(1, loss.memoryBytes / (bytes * count))) / 2))
}

/** A derivative at `group` θ at once, each with `count` directions of its own. */
function stackedGraph(loss: Loss, kind: Kind, batch: number, count: number, group: number): Graph {
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
  const directions = input('direction', dtype, [group, count, p])
  const [vectors] = vmap(vmap([product], [[single, own]]), [
    [g.theta, thetas],
    [own, directions],
  ])
  return simplify(graphOf({ vectors }))
}

/** The loss as an objective whose derivatives wait for those of the other searches. */
function rendezvousObjective(loss: Loss, rendezvous: Rendezvous): Objective {
  const alone = objectiveOf(loss)
  const none = new Float64Array(loss.size)
  const valueAndGradient = async (theta: Float64Array): Promise<ValueAndGradient> => {
    const { value, vectors } = await rendezvous.ask('gradient', theta, none, 1)
    return { value, gradient: vectors }
  }
  const product = async (kind: Kind, theta: Float64Array, rows: Float64Array, count: number): Promise<Float64Array> =>
    (await rendezvous.ask(kind, theta, rows, count)).vectors
  return {
    ...alone,
    valueAndGradient,
    value: async (theta) => (await valueAndGradient(theta)).value,
    at: (given) => {
      const theta = given.slice()
      return {
        ...alone.at(theta),
        hessian: {
          size: loss.size,
          apply: (v) => product('hessian', theta, v, 1),
          applyBatch: (vectors, count) => product('hessian', theta, vectors, count),
        },
      }
    },
    gradientTermScale: (theta) =>
      termScaleOf(loss.size, (rows, count) => product('empirical-fisher', theta, rows, count)),
  }
}
