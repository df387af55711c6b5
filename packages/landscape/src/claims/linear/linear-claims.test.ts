import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { checkClaim } from '../testing/check-claim.ts'
import { linearClaims } from './index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const cheap = linearClaims.filter(({ estimateSeconds }) => estimateSeconds <= 2)

test.each(cheap.map((claim) => [claim.id, claim] as const))('%s comes out as expected', (_, claim) =>
  checkClaim(engine, claim, 1),
)

test('a long experiment ends when it is stopped', async () => {
  const stress = linearClaims.find(({ id }) => id === 'A-3')!
  const stop = (): void => {
    throw new RangeError('stopped')
  }
  await expect(stress.run({ engine, seed: 0, progress: () => undefined, throwIfStopped: stop })).rejects.toThrow(
    'stopped',
  )
})
