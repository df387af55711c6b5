import { describe, expect, it } from 'vitest'
import { countTests, type TestReport } from './count-tests.ts'

const report = (fields: Partial<TestReport>): TestReport => ({
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  testResults: [],
  ...fields,
})

describe('countTests', () => {
  it('counts what passed and failed', () => {
    expect(countTests(report({}))).toEqual({ passed: 3, failed: 0 })
    const testResults = [{ status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] }]
    expect(countTests(report({ success: false, numFailedTests: 1, testResults }))).toEqual({ passed: 3, failed: 1 })
  })

  it('counts a file that did not load', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }]
    expect(countTests(report({ success: false, testResults }))).toEqual({ passed: 3, failed: 1 })
  })

  it('never calls a failed run or a missing report clean', () => {
    expect(countTests(report({ success: false })).failed).toBe(1)
    expect(countTests(undefined)).toEqual({ passed: 0, failed: 1 })
  })
})
