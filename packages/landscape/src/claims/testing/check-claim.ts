import type { Engine } from '@thalweg/engine'
import { expect } from 'vitest'
import type { Claim } from '../claim.ts'

/** Runs a claim and expects what it promises: its outcome, no number that misses its prediction, true progress, and curves
 * whose lists agree in length. */
export async function checkClaim(engine: Engine, claim: Claim, seed: number): Promise<void> {
  let [done, total] = [0, 0]
  const finding = await claim.run({
    engine,
    seed,
    progress: (at, of) => {
      expect(at).toBeGreaterThanOrEqual(done)
      expect(at).toBeLessThanOrEqual(of)
      ;[done, total] = [at, of]
    },
    throwIfStopped: () => undefined,
  })
  expect(finding.measurements.filter(({ met }) => met === false)).toEqual([])
  expect(finding.outcome).toBe(claim.expected)
  expect([done, total]).toEqual([total, total])
  expect(total).toBeGreaterThan(0)
  expect(finding.summary).not.toMatch(/NaN|undefined/)
  for (const { x, y, band } of finding.figure.series) {
    expect(y.length).toBe(x.length)
    if (band) expect(band.length).toBe(x.length)
  }
}
