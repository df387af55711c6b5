import { InvariantError } from '@thalweg/graph'
import type { JobContext } from './job-context.ts'

export type Job = (argument: never, context: JobContext) => Promise<unknown>

/** What a worker can do, each loaded when it is asked for. */
const loaders: Readonly<Record<string, () => Promise<Job>>> = {
  'run-experiment': async () => (await import('../experiment/run-experiment.ts')).runExperiment,
  critical: async () => (await import('../analyses/critical/critical-job.ts')).criticalJob,
  diagnose: async () => (await import('../analyses/diagnose/diagnose-job.ts')).diagnoseJob,
  connect: async () => (await import('../analyses/surface/connect-job.ts')).connectJob,
  eliminate: async () => (await import('../analyses/eliminate/eliminate-job.ts')).eliminateJob,
  gram: async () => (await import('../analyses/gram/gram-job.ts')).gramJob,
  reproduce: async () => (await import('../analyses/reproduce/reproduce-job.ts')).reproduceJob,
  'reproduce-claim': async () => (await import('../analyses/reproduce/reproduce-claim-job.ts')).claimJob,
  surface: async () => (await import('../analyses/surface/surface-job.ts')).surfaceJob,
  inspect: async () => (await import('../analyses/inspect-job.ts')).inspectJob,
  line: async () => (await import('../analyses/surface/line-job.ts')).lineJob,
  'plane-graph': async () => (await import('../analyses/surface/plane-graph-job.ts')).planeGraphJob,
  linear: async () => (await import('../analyses/linear/linear-job.ts')).linearJob,
  spectrum: async () => (await import('../analyses/spectrum/spectrum-job.ts')).spectrumJob,
}

/** @throws {InvariantError} for a job nobody wrote. */
export function jobs(name: string): (argument: unknown, context: JobContext) => Promise<unknown> {
  if (!Object.hasOwn(loaders, name)) throw new InvariantError(`worker: there is no job ${name}.`)
  return async (argument, context) => (await loaders[name]())(argument as never, context)
}
