import { DomainError, ShapeError } from '@thalweg/graph'
import type { Figure } from './scene.ts'

/** @throws {ShapeError} where lists that belong together differ in length.
 *  @throws {DomainError} where coordinates or edges do not ascend or are not finite. */
export function checkFigure(figure: Figure): void {
  const where = `figure "${figure.title}"`
  switch (figure.kind) {
    case 'line-chart':
      for (const series of figure.series) {
        const { name, x, y, lower = x, upper = x } = series
        sameLength(where, `series "${name}"`, { x, y, lower, upper })
      }
      return
    case 'scatter-plot':
      for (const { name, x, y } of figure.groups) sameLength(where, `group "${name}"`, { x, y })
      return
    case 'spectral-density': {
      const { grid, values, lower = grid, upper = grid } = figure
      return sameLength(where, 'density', { grid, values, lower, upper })
    }
    case 'histogram':
      ascending(where, 'edges', figure.edges)
      if (figure.counts.length === 0 && figure.edges.length === 0) return
      return requireCount(where, 'edges', figure.edges.length, figure.counts.length + 1, 'one more than counts')
    case 'contour-plane':
    case 'heat-map':
    case 'surface-still':
      ascending(where, 'xs', figure.xs)
      ascending(where, 'ys', figure.ys)
      requireCount(where, 'values', figure.values.length, figure.xs.length * figure.ys.length, 'ys × xs')
      for (const { name, x, y } of figure.trajectories ?? []) sameLength(where, `trajectory "${name}"`, { x, y })
      return
    case 'eigenvalue-stems':
    case 'value-ladder':
      return
  }
}

function sameLength(where: string, what: string, lists: Readonly<Record<string, { readonly length: number }>>): void {
  const lengths = Object.entries(lists).map(([name, list]) => `${name} ${list.length}`)
  if (new Set(Object.values(lists).map((list) => list.length)).size === 1) return
  throw new ShapeError(
    `${where}: the lists of ${what} must have one length, got ${lengths.join(', ')}. Pad missing values with null.`,
  )
}

function requireCount(where: string, what: string, got: number, wanted: number, rule: string): void {
  if (got === wanted) return
  throw new ShapeError(
    `${where}: ${what} must hold ${rule} = ${wanted} numbers, got ${got}. Values are row-major, ys[0] first.`,
  )
}

function ascending(where: string, what: string, values: readonly number[]): void {
  const bad = values.findIndex((v, i) => !Number.isFinite(v) || (i > 0 && v <= values[i - 1]))
  if (bad < 0) return
  throw new DomainError(
    `${where}: ${what} must be finite and ascend, got ${values[bad]} at position ${bad}. Sort the coordinates and their values.`,
  )
}
