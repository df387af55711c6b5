import { dirname, join } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { Language } from '../../report/scene.ts'
import { print } from '../command-context.ts'

interface ReportOptions {
  readonly lang?: Language
  readonly out?: string
  readonly pdf?: true | string
  readonly quiet?: boolean
}

/** `thalweg report RUN`: the page of a run again, in either language, and on paper. */
export function addReportCommand(root: Command): void {
  root
    .command('report')
    .description('make the report of a run again: in another language, or as PDF')
    .argument('<run>', 'run directory')
    .addOption(new Option('--lang <lang>', 'language (default: en)').choices(['en', 'zh']))
    .option('--out <file>', 'page to write (default: report.html in the run)')
    .option('--pdf [file]', 'print it too, with a browser of this machine (default: beside the page)')
    .option('--quiet', 'print nothing')
    .action(async (run: string, options: ReportOptions) => {
      const { readReport } = await import('../../experiment/read-report.ts')
      const { renderReport } = await import('../../report/render-report.ts')
      const { makeFolder, writeFileAtomic } = await import('../../files/write-atomic.ts')
      const html = renderReport(await readReport(run, options.lang ?? 'en'))
      const page = options.out ?? join(run, 'report.html')
      await makeFolder(dirname(page))
      await writeFileAtomic(page, html)
      print(options, `report: ${page}`)
      if (options.pdf !== undefined) print(options, `pdf: ${await writePdf(html, page, options.pdf)}`)
    })
}

/** Prints a page beside it, or where the caller says.
 * @throws {DomainError} where the machine has no browser. */
export async function writePdf(html: string, page: string, wanted: true | string): Promise<string> {
  const browser = await requireBrowser()
  const { printPdf } = await import('../../report/print-pdf.ts')
  const { writeFileAtomic } = await import('../../files/write-atomic.ts')
  const path = wanted === true ? page.replace(/(\.html?)?$/i, '.pdf') : wanted
  await writeFileAtomic(path, await printPdf(html, browser))
  return path
}

/** The browser that prints.
 * @throws {DomainError} where the machine has none. */
export async function requireBrowser(): Promise<string> {
  const { DomainError } = await import('@thalweg/graph')
  const { findBrowser } = await import('../../files/find-browser.ts')
  const browser = findBrowser(process.env)
  if (browser === undefined)
    throw new DomainError(
      '--pdf: no browser is found. Install Chromium or Chrome, or name one in THALWEG_BROWSER; report.html prints from any browser.',
    )
  return browser
}
