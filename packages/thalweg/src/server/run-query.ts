import { z } from 'zod'
import type { RunQuery } from './protocol.ts'
import { Refusal } from './refusal.ts'

const orders = ['updated', 'created', 'name', 'loss', 'gradient-norm', 'parameters'] as const
const whole = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)

const schema = z.strictObject({
  search: z.array(z.string().max(200)).optional(),
  state: z
    .array(z.enum(['queued', 'running', 'stopping', 'finished', 'stopped', 'failed', 'interrupted']))
    .max(10)
    .optional(),
  command: z
    .array(z.enum(['run', 'diagnose', 'spectrum', 'surface', 'critical', 'connect', 'line', 'plane-graph', 'other']))
    .max(10)
    .optional(),
  verdict: z
    .array(
      z.enum([
        'not-critical',
        'strict-saddle',
        'non-strict-saddle',
        'local-minimum',
        'global-minimum',
        'near-infimum',
        'undecided',
      ]),
    )
    .max(10)
    .optional(),
  sort: z
    .array(z.enum([...orders, ...orders.map((order) => `-${order}` as const)]))
    .length(1)
    .optional(),
  offset: z.array(whole).length(1).optional(),
  limit: z
    .array(whole.refine((n) => n >= 1 && n <= 1000))
    .length(1)
    .optional(),
})

/** The query of the list of runs.
 * @throws {Refusal} 400 naming the first thing that is wrong. */
export function runQueryOf(queries: Readonly<Record<string, readonly string[]>>): RunQuery {
  const result = schema.safeParse(queries)
  if (!result.success) {
    const [issue] = result.error.issues
    throw new Refusal('bad-request', `${issue.path.join('.') || 'query'}: ${issue.message.slice(0, 200)}.`)
  }
  const { search, sort, offset, limit, ...filters } = result.data
  return { ...filters, search: search?.join(' '), sort: sort?.[0], offset: offset?.[0], limit: limit?.[0] }
}
