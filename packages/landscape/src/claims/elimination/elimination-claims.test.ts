import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, test } from 'vitest'
import { checkClaim } from '../testing/check-claim.ts'
import { eliminationClaims } from './index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const cheap = eliminationClaims.filter(({ estimateSeconds }) => estimateSeconds <= 2)

test.each(cheap.map((claim) => [claim.id, claim] as const))('%s comes out as expected', (_, claim) =>
  checkClaim(engine, claim, 1),
)
