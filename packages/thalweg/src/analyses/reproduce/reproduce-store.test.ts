import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Claim } from '@thalweg/landscape/claims'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ClaimStore } from './reproduce-store.ts'
import type { ClaimJobResult } from './reproduce-claim-job.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-claims-'))
})
afterEach(() => rm(folder, { recursive: true }))

const claim: Claim = {
  ...{ id: 'A-1', topic: 'T', statement: 'S', source: { text: 'N' }, experiment: 'E', expected: 'holds' },
  ...{ estimateSeconds: 1, run: () => Promise.reject(new Error('never')) },
}
const result: ClaimJobResult = {
  finding: {
    ...{ outcome: 'holds', summary: 'fine', measurements: [{ name: 'a', measured: Number.NaN }] },
    figure: { title: 'f', xLabel: 'x', yLabel: 'y', series: [{ name: 's', mark: 'line', x: [1], y: [Number.NaN] }] },
  },
  ...{ elapsedMs: 5, memoryBytes: 7 },
}
const conditions = { code: 'c', engine: 'e', seed: 0 }

test('a record is found again under the same code, engine and seed only', async () => {
  const store = await ClaimStore.open(folder, conditions)
  expect(await store.read('A-1')).toBeUndefined()
  const written = await store.write(claim, result)
  expect(await store.read('A-1')).toEqual(written)
  expect(written).toMatchObject({ claim: { id: 'A-1' }, finding: { outcome: 'holds' }, elapsedMs: 5, seed: 0 })
  expect(written.finding.figure.series[0].y).toEqual([null])
  for (const other of [{ code: 'd' }, { engine: 'f' }, { seed: 1 }]) {
    const changed = await ClaimStore.open(folder, { ...conditions, ...other })
    expect(await changed.read('A-1')).toBeUndefined()
  }
  expect(await readdir(folder)).toHaveLength(1)
})

test('a file that is cut short or not its own counts as absent', async () => {
  const store = await ClaimStore.open(folder, conditions)
  await store.write(claim, result)
  const text = await readFile(store.file('A-1'), 'utf8')
  await writeFile(store.file('A-1'), text.slice(0, 40))
  expect(await store.read('A-1')).toBeUndefined()
  await writeFile(store.file('A-2'), text)
  expect(await store.read('A-2')).toBeUndefined()
})
