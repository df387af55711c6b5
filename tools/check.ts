/** Everything that is quick to know, in under a minute: `npm run check [STAGE…]`. Runs every stage, then says what failed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'

interface Stage {
  readonly name: string
  /** Arguments for Node. */
  readonly command: readonly string[]
}

interface Outcome {
  readonly name: string
  readonly failed: boolean
  readonly elapsedMs: number
  readonly output: string
}

const stages: readonly Stage[] = [
  { name: 'format', command: ['node_modules/@biomejs/biome/bin/biome', 'format', '--max-diagnostics=20'] },
  { name: 'types', command: ['node_modules/typescript/bin/tsc', '-b'] },
  {
    name: 'lint',
    command: ['node_modules/oxlint/bin/oxlint', '--deny-warnings', '--report-unused-disable-directives'],
  },
  { name: 'layers', command: ['tools/check-layers.ts'] },
  { name: 'source', command: ['tools/check-source.ts'] },
  { name: 'dead code', command: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'fast tests', command: ['node_modules/vitest/vitest.mjs', 'run', '--project', 'fast'] },
]

const root = resolve(import.meta.dirname, '..')

/** What a process wrote, in the order of its writing as far as that is known, and its exit status. */
function collect(child: ChildProcess): Promise<{ code: number; output: string }> {
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', (code) => done({ code: code ?? 1, output: Buffer.concat(chunks).toString() }))
  })
}

async function runStage({ name, command }: Stage): Promise<Outcome> {
  const start = performance.now()
  const { code, output } = await collect(
    spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  return { name, failed: code !== 0, elapsedMs: performance.now() - start, output }
}

function printOutcome({ name, failed, elapsedMs, output }: Outcome): void {
  const lines = output.trimEnd().split('\n')
  if (failed) console.log(lines.join('\n'))
  const summary = failed ? 'FAILED' : 'ok'
  console.log(`${summary.padEnd(7)}${name.padEnd(12)}${(elapsedMs / 1000).toFixed(1)} s`)
}

/** The stages of the arguments: those named, all but those that `--except` names, or all. */
async function main(given: readonly string[]): Promise<number> {
  const except = given[0] === '--except'
  const names = except ? given.slice(1) : given
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name))
  if (unknown.length > 0) {
    console.error(`check: no stage ${unknown.join(', ')}. Stages: ${stages.map((stage) => stage.name).join(', ')}.`)
    return 2
  }
  const start = performance.now()
  const failures: string[] = []
  for (const stage of stages) {
    if (names.length > 0 && names.includes(stage.name) === except) continue
    const outcome = await runStage(stage)
    printOutcome(outcome)
    if (outcome.failed) failures.push(stage.name)
  }
  const verdict = failures.length > 0 ? `check failed: ${failures.join(', ')}` : 'check passed'
  console.log(`${verdict} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return failures.length > 0 ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
