import { DomainError } from '@thalweg/graph'
import type { Claim } from './claim.ts'
import { eliminationClaims } from './elimination/index.ts'
import { gramClaims } from './gram/index.ts'
import { linearClaims } from './linear/index.ts'
import { saddleClaims } from './saddles/index.ts'
import { statisticsClaims } from './statistics/index.ts'
import { surfaceClaims } from './surfaces/index.ts'
import { symmetryClaims } from './symmetry/index.ts'
import { trainingClaims } from './training/index.ts'

/** Every claim there is, in the order of the ledger. */
export const ledger: readonly Claim[] = [
  ...linearClaims,
  ...gramClaims,
  ...eliminationClaims,
  ...saddleClaims,
  ...statisticsClaims,
  ...surfaceClaims,
  ...symmetryClaims,
  ...trainingClaims,
]

/** A claim without its experiment: what can be written down. */
export type ClaimData = Omit<Claim, 'run'>

export function claimData(claim: Claim): ClaimData {
  const { id, topic, statement, source, experiment, expected, remark, estimateSeconds } = claim
  return {
    id,
    topic,
    statement,
    source,
    experiment,
    expected,
    ...(remark !== undefined && { remark }),
    estimateSeconds,
  }
}

/** What is wrong with a list of claims, one sentence each; none for a sound one. */
export function ledgerProblems(claims: readonly Claim[]): string[] {
  const seen = new Set<string>()
  return claims.flatMap((claim) => {
    const { id, topic, statement, experiment, source, estimateSeconds } = claim
    const problems: string[] = []
    if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(id)) problems.push('its id must be letters, digits, dots and hyphens')
    if (seen.has(id.toLowerCase())) problems.push('its id is taken')
    seen.add(id.toLowerCase())
    const texts = { topic, statement, experiment, source: source.text, place: source.place ?? 'all of it' }
    for (const [name, text] of Object.entries(texts))
      if (text.trim() === '') problems.push(`its ${name} must not be empty`)
    if (!(estimateSeconds > 0 && Number.isFinite(estimateSeconds)))
      problems.push(`its estimateSeconds must be positive, got ${estimateSeconds}`)
    return problems.map((problem) => `${id || '(no id)'}: ${problem}.`)
  })
}

/** What to take from a ledger. */
export interface ClaimSelection {
  /** By id, in this order; capital letters or not. Empty: all. */
  readonly ids?: readonly string[]
  /** Only topics that contain these words. */
  readonly topic?: string
}

/** The claims that are asked for, each once.
 * @throws {DomainError} naming the nearest ids for one that is unknown, or all topics where none fits. */
export function selectClaims(claims: readonly Claim[], { ids = [], topic }: ClaimSelection): Claim[] {
  const named = ids.length === 0 ? claims : [...new Set(ids.map((id) => claimOf(claims, id)))]
  if (topic === undefined) return [...named]
  const found = named.filter((claim) => claim.topic.toLowerCase().includes(topic.toLowerCase()))
  if (found.length > 0) return found
  const topics = [...new Set(named.map((claim) => claim.topic))]
  throw new DomainError(`reproduce: no claim has the topic ${topic}. Topics are: ${topics.join('; ')}.`)
}

function claimOf(claims: readonly Claim[], id: string): Claim {
  const found = claims.find((claim) => claim.id.toLowerCase() === id.toLowerCase())
  if (found) return found
  const near = nearestIds(claims, id)
  throw new DomainError(
    `reproduce: there is no claim ${id}. ${near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''}--list names all.`,
  )
}

const nearestMax = 3

/** Up to three ids that are spelled nearly so, or contain it. */
function nearestIds(claims: readonly Claim[], id: string): string[] {
  const spelled = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const wanted = spelled(id)
  return claims
    .map((claim) => {
      const own = spelled(claim.id)
      const inside = wanted.length >= 2 && (own.includes(wanted) || wanted.includes(own))
      return { id: claim.id, distance: inside ? 0.5 : editDistance(own, wanted) }
    })
    .filter(({ distance }) => distance <= Math.max(1, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, nearestMax)
    .map((near) => near.id)
}

/** Insertions, deletions and substitutions that turn one text into the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]
}
