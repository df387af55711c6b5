import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TaskError } from '@thalweg/graph'

const limitMs = 120_000

/** A page as a PDF, printed by a browser without a window. The page is ours and asks for nothing outside.
 * @throws {TaskError} if the browser fails or takes more than two minutes. */
export async function printPdf(html: string, browser: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'thalweg-pdf-'))
  try {
    const [page, pdf] = [join(folder, 'report.html'), join(folder, 'report.pdf')]
    await writeFile(page, html)
    const errors = await runBrowser(browser, [
      '--headless',
      '--disable-gpu',
      '--no-pdf-header-footer',
      // root has no user namespaces to build the sandbox from, and the page is our own
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${join(folder, 'profile')}`,
      `--print-to-pdf=${pdf}`,
      pathToFileURL(page).href,
    ])
    const bytes = await readFile(pdf).catch(() => undefined)
    if (!bytes)
      throw new TaskError(`--pdf: ${browser} wrote no file. It said: ${errors.trim().split('\n').at(-1) ?? ''}`)
    return bytes
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** Runs to the end; returns what went to standard error. */
function runBrowser(browser: string, args: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(browser, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: limitMs })
    let errors = ''
    child.stderr.on('data', (part: Buffer) => {
      errors = (errors + part.toString()).slice(-4096)
    })
    child.once('error', (cause) =>
      fail(new TaskError(`--pdf: ${browser} does not start: ${cause.message}.`, {}, cause)),
    )
    child.once('close', (code, signal) => {
      if (signal !== null)
        fail(new TaskError(`--pdf: ${browser} was ended (${signal}) before it had printed. Print report.html by hand.`))
      else if (code !== 0) fail(new TaskError(`--pdf: ${browser} ended with status ${code}: ${errors.trim()}`))
      else done(errors)
    })
  })
}
