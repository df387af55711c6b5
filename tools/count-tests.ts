/** Prints `N passed, N failed` for vitest's JSON report: `node tools/count-tests.ts REPORT [OTHER_FAILURES]`. */
import { existsSync, readFileSync } from 'node:fs'

/** The part of vitest's JSON report that is counted. */
export interface TestReport {
  readonly success: boolean
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/** Tests that passed and failed. A file that failed without a failing test (it did not load) counts as one, and so does a run
 * that failed for any other reason, or left no report. */
export function countTests(report: TestReport | undefined): { passed: number; failed: number } {
  if (report === undefined) return { passed: 0, failed: 1 }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  )
  const failed = report.numFailedTests + brokenFiles.length
  return { passed: report.numPassedTests, failed: report.success ? failed : Math.max(1, failed) }
}

if (import.meta.main) {
  const [path = '', otherFailures = '0'] = process.argv.slice(2)
  const report = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as TestReport) : undefined
  const { passed, failed } = countTests(report)
  const failures = failed + Number(otherFailures)
  console.log(`${passed} passed, ${failures} failed`)
  process.exitCode = failures > 0 ? 1 : 0
}
