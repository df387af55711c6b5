import { resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import { DomainError, FormatError, TaskError } from '@thalweg/graph'
import type { SurfaceDocument } from '../../analyses/surface/surface-job.ts'
import type { RunOutcome } from '../../experiment/run-results.ts'
import type { RunSummary } from '../../runs/run-state.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { wholeNumber } from '../parse-number.ts'

interface ResumeOptions extends CommonOptions {
  readonly workers?: number
}

/** `thalweg runs`: what runs there are, how far they are, and how to stop and go on with them. */
export function addRunsCommand(root: Command): void {
  const runs = root.command('runs').description('list, show, pause, cancel and go on with runs')
  const silent = new Option('--quiet', 'no progress')
  runs
    .command('list')
    .description('the runs in a folder')
    .argument('[root]', 'folder of runs', 'runs')
    .option('--json', 'print one JSON document')
    .action(async (folder: string, options: CommonOptions) => {
      const { listRuns, settleRun } = await import('../../runs/read-run.ts')
      const found = listRuns(folder)
      for (const { directory } of found) await settleRun(directory)
      if (options.json) printJson({ command: 'runs list', root: resolve(folder), runs: found })
      else print(options, ...(found.length > 0 ? found.map(runLine) : [`${folder}: no runs`]))
    })
  runs
    .command('show')
    .description('one run: status, stage, progress')
    .argument('<run>', 'run directory')
    .option('--json', 'print one JSON document')
    .action(async (directory: string, options: CommonOptions) => {
      const { settleRun } = await import('../../runs/read-run.ts')
      await settleRun(directory)
      const run = await existingRun(directory)
      if (options.json) printJson({ command: 'runs show', ...run })
      else print(options, ...showLines(run))
    })
  runs
    .command('resume')
    .description('go on with a run that was stopped, as its own command with --resume would')
    .argument('<run>', 'run directory')
    .option('--workers <n>', 'processes that compute', wholeNumber('--workers', 1))
    .option('--json', 'print one JSON document')
    .addOption(silent)
    .action(resumeRun)
  for (const [name, want, what] of [
    ['pause', 'pause', 'stop a run at the end of what it does now; it can be gone on with'],
    ['cancel', 'cancel', 'stop a run, or a stopped one for good: what only going on needs is removed'],
  ] as const)
    runs
      .command(name)
      .description(what)
      .argument('<run>', 'run directory')
      .action(async (directory: string) => stopRun(directory, want))
}

async function existingRun(directory: string): Promise<RunSummary> {
  const { readRun } = await import('../../runs/read-run.ts')
  const run = readRun(directory)
  if (!run) throw new FormatError(`${directory}: not a run directory. 'thalweg runs list ROOT' shows what there is.`)
  return run
}

function runLine({ name, status, progress }: RunSummary): string {
  const stage = progress && progress.total > 0 ? `${progress.stage} ${progress.done}/${progress.total}` : ''
  return `${status.padEnd(12)} ${name.padEnd(32)} ${stage}`.trimEnd()
}

function showLines(run: RunSummary): string[] {
  const { progress, directory, resumable, status } = run
  return [
    `${directory}: ${status}`,
    ...(progress
      ? [
          `stage: ${progress.stage}, ${progress.done} of ${progress.total}${progress.detail ? `, ${progress.detail}` : ''}`,
          `computed for ${duration(progress.elapsedMs)}, gone on with ${progress.resumed} times`,
        ]
      : []),
    ...(progress?.error ? [`error: ${progress.error}`] : []),
    ...(resumable && status !== 'running' ? [`go on with: thalweg runs resume ${directory}`] : []),
  ]
}

/** Starts the job of a run again, in the folder in which it was started. */
async function resumeRun(directory: string, options: ResumeOptions): Promise<void> {
  const { isWorkedOn, readJob } = await import('../../runs/read-run.ts')
  const path = resolve(directory)
  if (isWorkedOn(path)) throw new DomainError(`${directory}: a living process works on this run. Wait for it.`)
  const { job, argument, folder } = readJob(path)
  process.chdir(folder)
  const again = { ...argument, out: path, resume: true, ...(options.workers && { workers: options.workers }) }
  const started = performance.now()
  if (job === 'run-experiment') {
    const { printRun } = await import('./run.ts')
    const { basename } = await import('node:path')
    await printRun(basename(path), await runWithProgress<RunOutcome>(job, again, options), options)
    return
  }
  const { printSurface } = await import('./surface.ts')
  const document = await runWithProgress<SurfaceDocument>(job, again, options)
  await printSurface(document, 0, performance.now() - started, options)
}

async function stopRun(directory: string, want: 'pause' | 'cancel'): Promise<void> {
  const { askRun } = await import('../../runs/live-run.ts')
  const run = await existingRun(directory)
  if (askRun(directory, { want })) {
    print({}, `${directory}: asked to ${want}`)
    return
  }
  if (want === 'pause')
    throw new TaskError(`${directory}: nobody works on it (${run.status}). There is nothing to pause.`)
  const { discardRun } = await import('../../runs/read-run.ts')
  await discardRun(directory)
  print({}, `${directory}: cancelled`)
}
