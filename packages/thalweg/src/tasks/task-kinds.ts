import type { TaskKinds } from './task-kind.ts'

/** All that a worker does. */
export const taskKinds: TaskKinds = {
  'critical-searches': async () => (await import('../analyses/critical/critical-tasks.ts')).criticalSearches,
  'surface-values': async () => (await import('../analyses/surface/surface-tasks.ts')).surfaceValues,
  'surface-curvature': async () => (await import('../analyses/surface/surface-tasks.ts')).surfaceCurvature,
}
