import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { linearClaims } from './index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const cheap = linearClaims.filter(({ estimateSeconds }) => estimateSeconds <= 2)

test.each(cheap.map((claim) => [claim.id, claim] as const))('%s comes out as expected', async (_, claim) => {
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

test('a long experiment ends when it is stopped', async () => {
  const stress = linearClaims.find(({ id }) => id === 'A-3')!
  const stop = (): void => {
    throw new RangeError('stopped')
  }
  await expect(stress.run({ engine, seed: 0, progress: () => undefined, throwIfStopped: stop })).rejects.toThrow(
    'stopped',
  )
})
