import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import { InvariantError } from '@thalweg/graph'
import { claimData, ledger, ledgerProblems, selectClaims } from '@thalweg/landscape/claims'
import type { Claim } from '@thalweg/landscape/claims'
import { plainNumbers } from '../../files/plain-numbers.ts'
import { writeFileAtomic } from '../../files/write-atomic.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import { renderLedger } from '../../report/render-ledger.ts'
import { deadlineOf } from '../deadline.ts'
import type {
  ClaimEnd,
  ReproduceArgument,
  ReproduceDocument,
  ReproduceEnd,
  ReproduceStatus,
} from './reproduce-argument.ts'
import { claimThreads } from './reproduce-claim-job.ts'
import { codeDigest } from './reproduce-code.ts'
import { ledgerPage } from './reproduce-page.ts'
import { runClaims } from './reproduce-pool.ts'
import { ClaimStore } from './reproduce-store.ts'
import type { ClaimConditions, ClaimRecord } from './reproduce-store.ts'

/** Runs the experiments of claims, keeps their findings one by one, and writes `ledger.json` and `ledger.html`.
 * @throws {DomainError} for a claim or a topic that does not exist. */
export async function reproduceJob(argument: ReproduceArgument, context: JobContext): Promise<ReproduceDocument> {
  const problems = ledgerProblems(ledger)
  if (problems.length > 0) throw new InvariantError(`ledger: ${problems.join(' ')}`)
  const claims = selectClaims(ledger, argument)
  const begun = context.now()
  const conditions: ClaimConditions = { code: codeDigest(), engine: await engineFingerprint(), seed: argument.seed }
  const store = await ClaimStore.open(join(argument.out, 'results'), conditions)
  const ends = new Map<string, ClaimEnd>()
  if (argument.resume)
    for (const { id } of claims) {
      const record = await store.read(id)
      if (record) ends.set(id, { status: 'finished', record, earlier: true })
    }
  const open = claims.filter(({ id }) => !ends.has(id))
  const workers = Math.min(argument.workers ?? availableParallelism(), Math.max(1, open.length))
  context.onProgress({ stage: 'plan', done: 0, total: 0, note: planNote(open, claims.length, workers) })
  const deadline = deadlineOf(context, argument.timeLimitMs)
  await runClaims({
    ...{ claims: open, seed: argument.seed, workers, signal: deadline.signal, onProgress: context.onProgress },
    onFinished: async (claim, result) => {
      const record = await store.write(claim, result)
      ends.set(claim.id, { status: 'finished', record, earlier: false })
      noteDisagreement(record, context)
    },
    onFailed: (claim, problem) => {
      ends.set(claim.id, { status: 'failed', problem })
      context.onProgress({ stage: 'claims', done: 0, total: 0, note: `${claim.id} FAILED: ${problem}` })
    },
  })
  const status: ReproduceStatus = !claims.some(({ id }) => !ends.has(id))
    ? 'finished'
    : deadline.expired()
      ? 'time-limit'
      : 'interrupted'
  for (const { id } of claims)
    if (!ends.has(id)) ends.set(id, { status: 'not-run', problem: 'Stopped before it ended. Go on with --resume.' })
  return finish(argument, { claims, ends, status, conditions, store, workers, elapsedMs: context.now() - begun })
}

async function finish(argument: ReproduceArgument, end: ReproduceEnd): Promise<ReproduceDocument> {
  const document = documentOf(argument, end)
  await writeFileAtomic(join(argument.out, 'ledger.json'), `${JSON.stringify(document, plainNumbers, 2)}\n`)
  await writeFileAtomic(join(argument.out, 'ledger.html'), renderLedger(ledgerPage(argument, end)))
  return document
}

/** Of the engine that every experiment gets. */
async function engineFingerprint(): Promise<string> {
  const engine = nativeEngine({ threads: claimThreads })
  const { fingerprint } = engine
  await engine.dispose()
  return fingerprint
}

function planNote(open: readonly Claim[], asked: number, workers: number): string {
  if (open.length === 0) return `all ${asked} claims are there from an earlier run; nothing is left to run.`
  const sum = open.reduce((total, { estimateSeconds }) => total + estimateSeconds, 0)
  const longest = Math.max(...open.map(({ estimateSeconds }) => estimateSeconds))
  const seconds = Math.max(longest, sum / workers) + open.length / workers
  const earlier = asked > open.length ? ` (${asked - open.length} more are there from an earlier run)` : ''
  const names = open.map(({ id }) => id).join(', ')
  return `${open.length} claims to run${earlier}, ${workers} at a time, about ${roughly(seconds)}, up to ${workers} × 1 GiB of memory: ${names}.`
}

function roughly(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
}

/** Agreement is silent. */
function noteDisagreement({ claim, finding }: ClaimRecord, { onProgress }: JobContext): void {
  if (finding.outcome === claim.expected) return
  const note = `${claim.id} DIFFERS: measured "${finding.outcome}", expected "${claim.expected}". ${finding.summary}`
  onProgress({ stage: 'claims', done: 0, total: 0, note })
}

function documentOf(argument: ReproduceArgument, end: ReproduceEnd): ReproduceDocument {
  const { claims, ends, status, conditions, workers, elapsedMs } = end
  const entries = claims.map((claim) => claimJson(claim, end))
  const finished = claims.flatMap(({ id, expected }) => {
    const one = ends.get(id)
    return one?.status === 'finished' ? [one.record.finding.outcome === expected] : []
  })
  const failed = claims.filter(({ id }) => ends.get(id)?.status === 'failed').length
  return {
    status,
    counts: {
      claims: claims.length,
      agree: finished.filter(Boolean).length,
      differ: finished.filter((agrees) => !agrees).length,
      failed,
      notRun: claims.length - finished.length - failed,
    },
    ...conditions,
    workers,
    claims: entries,
    files: {
      page: join(argument.out, 'ledger.html'),
      data: join(argument.out, 'ledger.json'),
      results: end.store.folder,
    },
    experimentsMs: elapsedMs,
    warnings: [],
  }
}

function claimJson(claim: Claim, { ends, store }: ReproduceEnd): object {
  const end = ends.get(claim.id)!
  if (end.status !== 'finished') return { ...claimData(claim), status: end.status, problem: end.problem }
  const { finding, elapsedMs, memoryBytes, seed } = end.record
  const { outcome, summary, measurements } = finding
  return {
    ...claimData(claim),
    ...{ status: end.status, outcome, summary, measurements, agrees: outcome === claim.expected },
    ...{ seed, elapsedMs, memoryBytes, resumed: end.earlier, file: store.file(claim.id) },
  }
}
