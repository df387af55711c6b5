import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { coverageTable } from './operator-coverage.ts'

it('docs/operators.md is what the operator table says', () => {
  const written = readFileSync(new URL('../docs/operators.md', import.meta.url), 'utf8')
  expect(written, 'stale: run `npm run docs:operators`').toBe(coverageTable())
})
