import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { linearClaims } from './index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const heavy = linearClaims.filter(({ estimateSeconds }) => estimateSeconds > 2)

test.each(heavy.map((claim) => [claim.id, claim] as const))('%s comes out as expected', async (_, claim) => {
  let done = 0
  const finding = await claim.run({
    engine,
    seed: 1,
    progress: (at, total) => {
      expect(at).toBeLessThanOrEqual(total)
      done = at / total
    },
    throwIfStopped: () => undefined,
  })
  expect(finding.measurements.filter((m) => m.met === false)).toEqual([])
  expect(finding.outcome).toBe(claim.expected)
  expect(done).toBe(1)
  for (const { x, y } of finding.figure.series) expect(x.length).toBe(y.length)
})
