import { randomStream } from '@thalweg/landscape'
import type { LinearOperator } from '@thalweg/landscape'
import type { JobContext } from '../jobs/job-context.ts'

/** What an analysis will take at most, from one product that was timed. */
export interface CostEstimate {
  /** Of one matrix-vector product at this point; in dense mode as one of a batch. */
  readonly productMs: number
  readonly productsMax: number
  readonly elapsedMsMax: number
  readonly memoryBytes: number
}

export interface CostPlan {
  /** Of the matrix, for the message. */
  readonly what: string
  /** Products to come at most; for `'dense'` how often the matrix is formed and decomposed. */
  readonly products: { readonly dense: number } | { readonly single: number }
  /** Rows of the Krylov basis; default as `extremeEigenpairs` chooses them. */
  readonly basisRows?: number
  /** A sentence that follows the estimate: what would cost less. */
  readonly advice?: string
}

/** Beyond this an estimate is printed before the work begins. */
const longMs = 5000
/** Arithmetic in JavaScript: dense eigenvalues (3p³ operations; measured 4e6 … 6e6) and reorthogonalization. */
const denseOperationsPerMs = 2.5e6
const krylovOperationsPerMs = 1e6
const extremeRows = (size: number): number => Math.min(size, 160, Math.max(44, Math.floor(2 ** 25 / size)))

/** Times one product (the second: the first also compiles) and multiplies; says so where the work will be long. */
export async function estimateCost(
  operator: LinearOperator,
  plan: CostPlan,
  { now, onProgress }: Pick<JobContext, 'now' | 'onProgress'>,
): Promise<CostEstimate> {
  const { size } = operator
  const basisRows = plan.basisRows ?? extremeRows(size)
  const dense = 'dense' in plan.products ? plan.products.dense : 0
  const batch = dense > 0 ? Math.min(size, 128) : 1
  const rows = randomStream(0, 'cost estimate').rademacher(batch * size)
  const once = async (): Promise<number> => {
    const begun = now()
    await (operator.applyBatch && batch > 1 ? operator.applyBatch(rows, batch) : operator.apply(rows.slice(0, size)))
    return now() - begun
  }
  await once()
  const productMs = (await once()) / batch
  const productsMax = 'dense' in plan.products ? dense * size : plan.products.single
  const extraMs =
    dense > 0
      ? (dense * 3 * size ** 3) / denseOperationsPerMs
      : (productsMax * 4 * size * basisRows) / krylovOperationsPerMs
  const memoryBytes = process.memoryUsage.rss() + 8 * (dense > 0 ? 6 * size * size : size * basisRows)
  const estimate = { productMs, productsMax, elapsedMsMax: productsMax * productMs + extraMs, memoryBytes }
  if (estimate.elapsedMsMax > longMs)
    onProgress({ stage: 'estimate', done: 0, total: 0, note: estimateNote(plan, size, estimate) })
  return estimate
}

function estimateNote({ what, advice }: CostPlan, size: number, e: CostEstimate): string {
  return (
    `${what}, ${size} × ${size}: a product takes ${roughTime(e.productMs)}, at most ${e.productsMax} are needed, ` +
    `so up to ${roughTime(e.elapsedMsMax)}, and about ${(e.memoryBytes / 2 ** 30).toPrecision(2)} GiB of memory.` +
    (advice === undefined ? '' : ` ${advice}`)
  )
}

/** Two digits: an estimate has no more. */
export function roughTime(ms: number): string {
  const [value, unit] =
    ms < 1000 ? [ms, 'ms'] : ms < 9e4 ? [ms / 1e3, 's'] : ms < 5.4e6 ? [ms / 6e4, 'min'] : [ms / 3.6e6, 'h']
  return `${Number(value.toPrecision(2))} ${unit}`
}
