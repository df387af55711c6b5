import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError } from '@thalweg/graph'
import type { Report } from '../report/report.ts'
import type { Language } from '../report/scene.ts'
import { reportDataFile } from './write-report.ts'

/** The report of a run as plain data.
 * @throws {FormatError} if the folder is no run, or the run has no report yet. */
export async function readReport(run: string, lang: Language): Promise<Report> {
  const path = join(run, reportDataFile(lang))
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) {
    const known = await stat(join(run, 'manifest.json')).catch(() => undefined)
    if (!known) throw new FormatError(`${run}: not a run directory: it has no manifest.json. Check the path.`)
    throw new FormatError(
      `${run}: the run has no ${reportDataFile(lang)}: it has not come so far. Go on with --resume.`,
    )
  }
  try {
    const report = JSON.parse(text) as Report
    if (report.lang === lang && typeof report.title === 'string' && Array.isArray(report.sections)) return report
  } catch {
    // reported below, together with a file of another shape
  }
  throw new FormatError(`${path}: not the data of a report. It may be damaged; run the experiment again.`)
}
