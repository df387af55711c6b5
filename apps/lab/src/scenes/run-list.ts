/** What the list needs of a run. */
export interface ListedRun {
  readonly id: string
  readonly name: string
  readonly command: string
  readonly state: string
  readonly updatedAt: string
  readonly model: { readonly name: string } | null
  readonly data: { readonly name: string } | null
  readonly loss: { readonly name: string; readonly value: number | null } | null
  readonly gradientNorm: number | null
  readonly verdict: { readonly kind: string; readonly summary: string } | null
}

export interface RunFilter {
  /** Words that must all occur. */
  readonly search: string
  readonly state: string
  readonly command: string
  readonly verdict: string
}

export type RunSort = 'updated' | 'name' | 'loss' | 'gradient-norm'

/** The runs that fit, in order. `all` in a filter keeps everything; `running` in the state means whatever is not over. */
export function filteredRuns<T extends ListedRun>(runs: readonly T[], filter: RunFilter, sort: RunSort): T[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (run: T): boolean => {
    if (filter.state !== 'all' && !stateFits(run.state, filter.state)) return false
    if (filter.command !== 'all' && run.command !== filter.command) return false
    if (filter.verdict !== 'all' && run.verdict?.kind !== filter.verdict) return false
    const text = searchText(run)
    return words.every((word) => text.includes(word))
  }
  return runs.filter(fits).toSorted(orders[sort])
}

export const activeStates: readonly string[] = ['queued', 'running', 'stopping']

function stateFits(state: string, wanted: string): boolean {
  return wanted === 'running' ? activeStates.includes(state) : state === wanted
}

function searchText({ id, name, command, model, data, loss, verdict }: ListedRun): string {
  return [id, name, command, model?.name, data?.name, loss?.name, verdict?.kind, verdict?.summary]
    .join(' ')
    .toLowerCase()
}

/** What has no number stands last. */
function byNumber(of: (run: ListedRun) => number | null | undefined): (a: ListedRun, b: ListedRun) => number {
  return (a, b) => (of(a) ?? Number.POSITIVE_INFINITY) - (of(b) ?? Number.POSITIVE_INFINITY) || 0
}

const orders: Readonly<Record<RunSort, (a: ListedRun, b: ListedRun) => number>> = {
  updated: (a, b) => (a.updatedAt < b.updatedAt ? 1 : a.updatedAt > b.updatedAt ? -1 : 0),
  name: (a, b) => a.name.localeCompare(b.name),
  loss: byNumber((run) => run.loss?.value),
  'gradient-norm': byNumber((run) => run.gradientNorm),
}

/** The list after a change: changed runs replace those of their id, new ones are added, removed ones taken away. */
export function mergedRuns<T extends { readonly id: string }>(
  runs: readonly T[],
  changed: readonly T[],
  removed: readonly string[],
): T[] {
  const known = new Map(runs.map((run) => [run.id, run]))
  for (const run of changed) known.set(run.id, run)
  for (const id of removed) known.delete(id)
  return [...known.values()]
}
