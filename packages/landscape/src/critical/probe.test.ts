import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, test } from 'vitest'
import { mlp } from '../model/index.ts'
import { diagnose } from './diagnose.ts'
import { functionSpaceCertificate } from './certificates.ts'
import { objectiveOf } from './objective.ts'
import { polish } from './polish.ts'
import { lossOf, meanSquares, regression } from './testing/small-losses.ts'
import { sentence } from './wording.ts'
const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())
test('a', async () => {
  for (const t of [4, 2]) {
    const data = regression([[0], [0], [1], [1]], [[1], [3], [0], [t]])
    const loss = lossOf(engine, mlp({ widths: [1, 2, 1], activation: 'tanh' }), data, meanSquares)
    const p = await polish(objectiveOf(loss), Float64Array.of(0.1, 0.4, 0, 0, 0.1, 0.1, 2))
    const d = await diagnose(loss, p.theta)
    console.log(t, p.status, p.theta, p.value, sentence(d.summary, 'en'), await functionSpaceCertificate(loss, p.theta, p.value))
  }
})
