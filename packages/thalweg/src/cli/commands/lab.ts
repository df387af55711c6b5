import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { errorText } from '../errors.ts'
import { wholeNumber } from '../parse-number.ts'

interface LabCommandOptions {
  readonly port?: number
  readonly host?: string
  readonly token?: string
  readonly allowHost?: string[]
  readonly jobs?: number
  readonly open?: boolean
}

/** `thalweg lab`: the web application. */
export function addLabCommand(root: Command): void {
  root
    .command('lab')
    .description('the web application, on 127.0.0.1: look at runs, start work, explore the theory')
    .argument('[root]', 'folder of runs', 'runs')
    .option('--port <n>', 'default: 7733, or the next that is free', wholeNumber('--port', 0))
    .option('--host <address>', 'listen there instead of on 127.0.0.1; whoever comes needs the token')
    .option('--token <text>', 'default: none on 127.0.0.1, a new one under another address')
    .option('--allow-host <name...>', 'name of a proxy in front of the lab')
    .option('--jobs <n>', 'jobs that compute at once (default: 1)', wholeNumber('--jobs', 1))
    .option('--open', 'open it in a browser')
    .action(lab)
}

async function lab(root: string, options: LabCommandOptions): Promise<void> {
  const { startLabServer } = await import('../../server/lab-server.ts')
  const { makeFolder } = await import('../../files/write-atomic.ts')
  const { packageFile } = await import('../../files/package-file.ts')
  const { DomainError } = await import('@thalweg/graph')
  const { host, port, token, allowHost, jobs } = options
  if (token !== undefined && token.length < 16)
    throw new DomainError('--token: needs 16 characters or more. Leave it out, and one is made.')
  const folder = resolve(root)
  await makeFolder(folder)
  await buildInCheckout(packageFile('src', 'cli', 'main.ts'), packageFile('..', '..', 'tools', 'build-lab.ts'))
  const server = await startLabServer({
    root: folder,
    app: packageFile('dist', 'lab'),
    ...{ host, port, token, hostNames: allowHost },
    ...(jobs !== undefined && { limits: { jobsAtOnceMax: jobs } }),
    onError: (error) => process.stderr.write(`${errorText(error)}\n`),
  })
  process.stdout.write(`Thalweg lab on ${folder}\n${server.url}\n`)
  if (!server.isBuilt) process.stderr.write('thalweg: the page is not built. Build it with: npm run build:lab\n')
  if (options.open) openBrowser(server.url)
  await interrupted()
  process.stderr.write('thalweg: saving what runs; press Ctrl-C again to stop at once.\n')
  await server.close()
}

/** A checkout has no page until somebody builds it, and an old one after its sources change: it is brought up to date.
 * What hinders that is told by the builder; the lab then does without, or with the old page. */
async function buildInCheckout(source: string, builder: string): Promise<void> {
  if (!existsSync(source) || !existsSync(builder)) return
  await new Promise((done) => {
    // standard output is for the address
    const child = spawn(process.execPath, [builder], { stdio: ['ignore', process.stderr, process.stderr] })
    child.once('error', done)
    child.once('close', done)
  })
}

/** Resolves at the first Ctrl-C or request to end; the second one ends the process. */
function interrupted(): Promise<void> {
  return new Promise((resolvePromise) => {
    let asked = false
    const end = (): void => {
      if (asked) process.exit(130)
      asked = true
      resolvePromise()
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
  })
}

function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url]
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  // no browser: the address is on the terminal
  child.on('error', () => undefined)
  child.unref()
}
