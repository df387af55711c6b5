/** Baselines written in Python, timed inside Python so that starting the process is not part of the time. */
import { spawnSync } from 'node:child_process'
import type { Contestant } from './side-by-side.ts'

/** The first Python that can import `module`; Debian's own where another one stands before it on the path. */
function pythonWith(module: string): string | undefined {
  return [process.env['THALWEG_PYTHON'], 'python3', '/usr/bin/python3']
    .filter((command) => command !== undefined)
    .find((command) => spawnSync(command, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0)
}

const inPyTorchOfDebian = new Set(['torch', 'functorch', 'numpy'])

/** Runs `script` with `{"repetitions", ...input}` as JSON on its standard input.
 *
 * The script warms up once, repeats its work and prints `{"elapsedMs": [...], "result": [...]}` as the last line.
 *
 * @param module  what the script needs; where no Python has it the contestant is skipped, with a message. */
export function pythonContestant(
  name: string,
  script: string,
  options: { readonly module?: string; readonly input?: Readonly<Record<string, unknown>> } = {},
): Contestant {
  const { module = 'torch', input = {} } = options
  const python = pythonWith(module)
  if (python === undefined) {
    const debian = inPyTorchOfDebian.has(module) ? ' (Debian: apt install python3-torch)' : ''
    return { name, skipped: `no Python with ${module}${debian}` }
  }
  return {
    name,
    measure(repetitions) {
      const reply = spawnSync(python, [script], {
        input: JSON.stringify({ ...input, repetitions }),
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      if (reply.status !== 0) return Promise.reject(new Error(`${name}: ${script} ended with ${reply.status}.`))
      const line = reply.stdout.trimEnd().split('\n').at(-1) ?? ''
      return Promise.resolve(JSON.parse(line) as { elapsedMs: number[]; result: number[] })
    },
  }
}
