import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, test } from 'vitest'
import { checkClaim } from '../testing/check-claim.ts'
import { linearClaims } from './index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const heavy = linearClaims.filter(({ estimateSeconds }) => estimateSeconds > 2)

test.each(heavy.map((claim) => [claim.id, claim] as const))('%s comes out as expected', (_, claim) =>
  checkClaim(engine, claim, 1),
)
