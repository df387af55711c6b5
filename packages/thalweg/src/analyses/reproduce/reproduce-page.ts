import type { Claim } from '@thalweg/landscape/claims'
import { packageVersion } from '../../files/package-file.ts'
import { claimChart } from '../../report/claim-figure.ts'
import type { Ledger, LedgerEntry } from '../../report/ledger.ts'
import type { ClaimEnd, ReproduceArgument, ReproduceEnd } from './reproduce-argument.ts'

/** The ledger as the page shows it. */
export function ledgerPage(argument: ReproduceArgument, end: ReproduceEnd): Ledger {
  const { claims, ends, conditions, elapsedMs } = end
  return {
    lang: argument.lang,
    seed: argument.seed,
    duration: spoken(elapsedMs),
    entries: claims.map((claim) => entryOf(claim, ends.get(claim.id)!)),
    versions: [
      { name: 'thalweg', value: packageVersion() },
      { name: 'code', value: conditions.code.slice(0, 12) },
      { name: 'engine', value: conditions.engine },
      { name: 'node', value: process.versions.node },
    ],
    command: argument.command,
  }
}

function entryOf(claim: Claim, end: ClaimEnd): LedgerEntry {
  const { id, topic, statement, source, experiment, remark, expected } = claim
  const cited = [source.text, source.place, source.reference].filter((part) => part !== undefined).join(', ')
  const common = { id, topic, statement, source: cited, experiment, expected, ...(remark !== undefined && { remark }) }
  if (end.status !== 'finished') return { ...common, result: end }
  const { finding, elapsedMs, seed } = end.record
  const { outcome, summary, measurements, figure } = finding
  return {
    ...common,
    result: {
      status: 'finished',
      ...{ outcome, summary, measurements, seed, earlier: end.earlier },
      figure: claimChart(figure),
      time: spoken(elapsedMs),
    },
  }
}

function spoken(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 100) return `${seconds.toPrecision(2)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
