import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { checkClaim } from '../testing/check-claim.ts'
import { gramClaims } from './index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

// those that take a second; the others run in `thalweg reproduce`
const quick = ['B-5', '0.10', '0.11', 'zhang-expressivity', 'du-positive-definite', 'kernel-closed-forms']

test.each(quick)('%s comes out as expected, for another seed too', async (id) => {
  const claim = gramClaims.find((each) => each.id === id)!
  for (const seed of [0, 7]) await checkClaim(engine, claim, seed)
})

test('an experiment ends when it is asked to', async () => {
  const claim = gramClaims.find((each) => each.id === 'kernel-regime')!
  const stop = new Error('stopped')
  const running = claim.run({
    ...{ engine, seed: 0, progress: () => undefined },
    throwIfStopped: () => {
      throw stop
    },
  })
  await expect(running).rejects.toBe(stop)
})
