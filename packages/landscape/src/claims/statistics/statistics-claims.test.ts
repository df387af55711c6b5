import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { ledgerProblems } from '../ledger.ts'
import { checkClaim } from '../testing/check-claim.ts'
import { statisticsClaims } from './index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const cheap = statisticsClaims.filter(({ estimateSeconds }) => estimateSeconds <= 2)

test.each(cheap.map((claim) => [claim.id, claim] as const))('%s comes out as expected', (_, claim) =>
  checkClaim(engine, claim, 1),
)

test('the claims are sound entries of the ledger, none longer than 90 s', () => {
  expect(ledgerProblems(statisticsClaims)).toEqual([])
  expect(statisticsClaims.filter(({ estimateSeconds }) => estimateSeconds > 90)).toEqual([])
  expect(cheap.length).toBeGreaterThan(0)
})
