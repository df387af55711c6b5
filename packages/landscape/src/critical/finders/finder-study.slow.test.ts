import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { linearNetwork, mlp } from '../../model/index.ts'
import { compareFinders, toleranceStudy } from './finder-study.ts'
import type { FinderScore } from './finder-study.ts'
import { finders } from './finders.ts'
import type { FinderName } from './finders.ts'
import { noisyStarts } from './noisy-starts.ts'
import { crossEntropy, halfSum, labeled, lossOf, normalRows, regression } from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const lambda = [4, 3, 2, 1]
const rows = lambda.map((l, i) => lambda.map((_, j) => (i === j ? Math.sqrt(l) : 0)))
const autoencoder = lossOf(engine, linearNetwork([4, 2, 4]), regression(rows, rows), halfSum)
const inputs = normalRows(1, 60, 4)
const tanh = lossOf(
  engine,
  mlp({ widths: [4, 5, 3], activation: 'tanh' }),
  labeled(
    inputs,
    inputs.map((_, i) => i % 3),
    3,
  ),
  crossEntropy,
  1e-3,
)
const startsOf = (loss: typeof tanh, count: number): Float64Array[] =>
  noisyStarts(
    Array.from({ length: count }, (_, i) => loss.model.initialize(i)),
    { noise: [0.1, 0.5, 1], count, seed: 5 },
  )

/** L_S of every class of the autoencoder. */
const values = [0, 1, 2, 3, 4, 5, 6, 7].map((kept) => (10 - kept) / 2)

const methods = Object.keys(finders).filter((name) => name !== 'polish') as FinderName[]

function printed(title: string, scores: readonly FinderScore[]): void {
  const lines = scores.map(
    ({ method, converged, productsPerPoint, gradientsPerPoint, elapsedMsPerPoint, outcomes }) =>
      `  ${method.padEnd(26)} ${(100 * converged).toFixed(0).padStart(3)} %  ${productsPerPoint.toFixed(0).padStart(6)} products  ${gradientsPerPoint.toFixed(0).padStart(6)} gradients  ${elapsedMsPerPoint.toFixed(0).padStart(5)} ms per point  ${JSON.stringify(outcomes)}`,
  )
  console.log(`${title}\n${lines.join('\n')}`)
}

test('finders on the linear autoencoder 4-2-4: second-order methods reach the noise floor nearly always', async () => {
  const scores = await compareFinders(autoencoder, startsOf(autoencoder, 20), { methods, now: () => performance.now() })
  printed('linear autoencoder 4-2-4, 20 starts', scores)
  const share = Object.fromEntries(scores.map(({ method, converged }) => [method, converged]))
  for (const method of ['trust-region-newton', 'damped-newton', 'saddle-free-newton'])
    expect(share[method]).toBeGreaterThanOrEqual(0.8)
  expect(scores.every(({ converged }) => converged > 0)).toBe(true)
})

test('finders on a tanh network: no method always converges, and gradient-flat ends are told apart', async () => {
  const scores = await compareFinders(tanh, startsOf(tanh, 12), { methods, now: () => performance.now() })
  printed('tanh network 4-5-3, 12 starts', scores)
  const flat = scores.reduce((sum, { outcomes }) => sum + (outcomes['gradient-flat'] ?? 0), 0)
  expect(flat).toBeGreaterThan(0)
  // Saddle-free Newton descends, so it ends at a minimum or goes on: the ridge keeps it from infinity.
  expect(scores.find(({ method }) => method === 'saddle-free-newton')!.converged).toBeGreaterThan(0.7)
})

test('N-2: losses and indices read off at loose gradients are wrong, and right from 1e-10 or so on', async () => {
  const tolerances = [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-14, 1e-20]
  const study = await toleranceStudy(autoencoder, startsOf(autoencoder, 60), tolerances, 'damped-newton')
  console.log(
    study.rows
      .map(
        ({ squaredTolerance, reached, lossErrorMedian, lossErrorMax, wrongIndex }) =>
          `  ‖g‖² ≤ ${squaredTolerance.toExponential(0)}: |L − L_S| median ${lossErrorMedian.toExponential(1)}, max ${lossErrorMax.toExponential(1)}; index wrong ${wrongIndex} of ${reached}`,
      )
      .join('\n'),
  )
  expect(study.limits.length).toBeGreaterThan(45)
  for (const { value } of study.limits) expect(Math.min(...values.map((v) => Math.abs(v - value)))).toBeLessThan(1e-14)
  const [loose] = study.rows
  const tight = study.rows[study.rows.length - 1]
  expect(loose.wrongIndex).toBeGreaterThan(0)
  expect(loose.lossErrorMax).toBeGreaterThan(1e-4)
  expect(tight).toMatchObject({ wrongIndex: 0, reached: study.limits.length })
  expect(tight.lossErrorMax).toBeLessThan(1e-15)
  for (let i = 1; i < study.rows.length; i++)
    expect(study.rows[i].lossErrorMax).toBeLessThanOrEqual(study.rows[i - 1].lossErrorMax)
})
