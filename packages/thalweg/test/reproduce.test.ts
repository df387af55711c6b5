import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { outputSchema } from '../src/cli/output-schema.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

interface Document {
  readonly counts: Readonly<Record<string, number>>
  readonly claims: readonly { readonly id: string; readonly outcome: string; readonly resumed: boolean }[]
}

test('the list, in words and as JSON', () => {
  expect(thalweg('reproduce', '--list', '--topic', 'wide').stdout).toMatch(/B-5 +holds-with-conditions/)
  const list: unknown = JSON.parse(thalweg('reproduce', '--list', '--json').stdout)
  expect(outputSchema.safeParse(list).success).toBe(true)
})

test('an unknown id, ids beside --all, and nothing to run are wrong calls', () => {
  const unknown = thalweg('reproduce', 'B5x')
  expect(unknown.status).toBe(2)
  expect(unknown.stderr).toContain('Did you mean B-5')
  expect(thalweg('reproduce', 'B-5', '--all').status).toBe(2)
  expect(thalweg('reproduce').status).toBe(2)
})

test('runs claims, keeps each by content, writes the ledger; resumes; another seed is another finding', () => {
  const out = join(folder(), 'ledger')
  const first = thalweg('reproduce', '0.11', '--out', out)
  expect(first.status).toBe(0)
  expect(first.stderr).toContain('1 claims to run')
  const both = thalweg('reproduce', '0.10', '0.11', '--resume', '--check', '--json', '--out', out)
  expect(both.status).toBe(0)
  const document = JSON.parse(both.stdout) as Document
  expect(outputSchema.safeParse(document).success).toBe(true)
  expect(document.counts).toMatchObject({ claims: 2, agree: 2, differ: 0, failed: 0, notRun: 0 })
  expect(document.claims.map(({ id, outcome, resumed }) => [id, outcome, resumed])).toEqual([
    ['0.10', 'false', false],
    ['0.11', 'false', true],
  ])
  expect(readFileSync(join(out, 'ledger.html'), 'utf8')).toContain('id="claim-0-11"')
  const seeded = JSON.parse(
    thalweg('reproduce', '0.11', '--resume', '--seed', '1', '--json', '--out', out).stdout,
  ) as Document
  expect(seeded.claims[0].resumed).toBe(false)
  expect(readdirSync(join(out, 'results'))).toHaveLength(3)
})
