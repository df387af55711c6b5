import { DomainError, ShapeError } from '@thalweg/graph'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import type { Loss, ValueAndGradient } from '../../loss/loss.ts'
import { objectiveOf, termScaleOf } from './objective.ts'
import type { Objective } from './objective.ts'
import { StackedDerivatives } from './stacked-derivatives.ts'
import type { Answer, Question } from './stacked-derivatives.ts'

export interface TogetherOptions {
  /** Searches that are under way at once. */
  readonly together: number
  /** No search begins after it is aborted. */
  readonly signal?: CancelSignal
}

/** Runs one search per start, many at a time in lockstep: whenever all searches under way wait for a derivative, the
 * kind that most of them wait for goes through one graph as a batch. For small networks, where a run of the engine costs more than
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
  const count = Math.min(options.together, starts.length)
  const rendezvous = new Rendezvous(loss, count)
  const objective = rendezvousObjective(loss, rendezvous)
  const results: T[] = []
  let next = 0
  const workers = Array.from({ length: count }, async () => {
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

interface Request extends Question {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Collects requests until every search under way has one, then answers those that ask the same. */
class Rendezvous {
  failed = false
  readonly #loss: Loss
  readonly #derivatives: StackedDerivatives
  #active: number
  #waiting: Request[] = []

  /** @param active  searches that will come, so that the first to ask waits for the others. */
  constructor(loss: Loss, active: number) {
    this.#loss = loss
    this.#derivatives = new StackedDerivatives(loss)
    this.#active = active
  }

  leave(): void {
    this.#active--
    this.#answerWhenAllWait()
  }

  async ask(kind: Question['kind'], theta: Float64Array, rows: Float64Array, count: number): Promise<Answer> {
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

  /** Answers the question that most searches wait for; the others go on waiting, so that more come to ask what they do. */
  #answerWhenAllWait(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#active) return
    const groups = new Map<string, Request[]>()
    let largest: readonly Request[] = []
    for (const request of this.#waiting) {
      const key = `${request.kind}/${request.count}`
      const group = groups.get(key) ?? []
      groups.set(key, group)
      group.push(request)
      if (group.length > largest.length) largest = group
    }
    const answered = new Set(largest)
    this.#waiting = this.#waiting.filter((request) => !answered.has(request))
    void this.#answer(largest)
  }

  /** All are computed before any search goes on, so that none gets ahead. */
  async #answer(requests: readonly Request[]): Promise<void> {
    try {
      const answers = await this.#derivatives.answers(requests)
      requests.forEach(({ resolve }, i) => resolve(answers[i]))
    } catch (error) {
      for (const { reject } of requests) reject(error)
    }
  }
}

/** The loss as an objective whose derivatives wait for those of the other searches. */
function rendezvousObjective(loss: Loss, rendezvous: Rendezvous): Objective {
  const alone = objectiveOf(loss)
  const none = new Float64Array(loss.size)
  const valueAndGradient = async (theta: Float64Array): Promise<ValueAndGradient> => {
    const { value, vectors } = await rendezvous.ask('gradient', theta, none, 1)
    return { value, gradient: vectors }
  }
  const product = async (
    kind: Question['kind'],
    theta: Float64Array,
    rows: Float64Array,
    count: number,
  ): Promise<Float64Array> => (await rendezvous.ask(kind, theta, rows, count)).vectors
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
