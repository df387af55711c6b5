import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { finders } from './finders.ts'
import type { FinderName } from './finders.ts'
import { expressionObjective } from './objective.ts'
import type { ExpressionObjective } from './objective.ts'
import { distanceBetween } from './search.ts'
import { testFunctions } from './test-functions.ts'
import { randomStream } from '../random/index.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

function objective(name: string): ExpressionObjective {
  const { size, sizeMin, build } = testFunctions[name]
  return expressionObjective({ engine, name, size: size === 'any' ? sizeMin : size, build })
}

describe.each(Object.keys(finders) as FinderName[])('%s', (name) => {
  test.each(['himmelblau', 'rosenbrock', 'beale', 'levy', 'styblinski-tang', 'rastrigin', 'griewank', 'schwefel'])(
    '%s',
    async (f) => {
      const o = objective(f)
      for (const known of testFunctions[f].known) {
        const noise = randomStream(1, f).normals(known.theta.length)
        const start = Float64Array.from(known.theta, (t, i) => t + 0.02 * Math.max(1, Math.abs(t)) * noise[i])
        const r = await finders[name](o, start)
        console.log(
          name,
          f,
          known.kind,
          r.status,
          r.gradientNorm,
          r.noiseFloor,
          distanceBetween(r.theta, Float64Array.from(known.theta)),
          r.iterations,
          r.products,
        )
      }
    },
  )
})
