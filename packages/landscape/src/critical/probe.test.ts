import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, test } from 'vitest'
import { mlp } from '../model/index.ts'
import { saddleFreeNewton } from './dense-newton.ts'
import { diagnose } from './diagnose.ts'
import { kinksOf } from './kinks.ts'
import { objectiveOf } from './objective.ts'
import { lossOf, meanSquares, normalRows, regression } from './testing/small-losses.ts'
const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())
test('a', async () => {
  const x = normalRows(3, 30, 2)
  const smooth = regression(x, x.map(([a, b], i) => [Math.sin(a) - 0.4 * Math.cos(a + b) + 0.1 * Math.sin(5 * i)]))
  for (let seed = 0; seed < 8; seed++) {
    const loss = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'tanh' }), smooth, meanSquares)
    const r = await saddleFreeNewton(objectiveOf(loss), loss.model.initialize(seed), { maxIterations: 400 })
    const d = await diagnose(loss, r.theta)
    console.log(seed, r.status, r.iterations, r.value, d.verdict, JSON.stringify(d.inertia), d.eigenvalues.bottom.map((e) => e.value))
  }
  const line = [0.1, 0.4, 0.5, 0.9].map((a) => [a])
  const data = regression(line, [[1], [0.5], [2], [1.5]])
  const loss = lossOf(engine, mlp({ widths: [1, 2, 1], activation: 'relu' }), data, meanSquares)
  console.log(JSON.stringify(await kinksOf(loss, Float64Array.of(1, 1, 0.5, -3, 0.7, 0.7, 0.6))), loss.model.architecture)
})
