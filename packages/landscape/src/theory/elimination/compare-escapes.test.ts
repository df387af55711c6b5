import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { Loss } from '../../loss/index.ts'
import { mlp } from '../../model/index.ts'
import { compareEscapes } from './compare-escapes.ts'
import { eliminateByScaling } from './eliminate-by-scaling.ts'
import { deadReluStart, rowsDataset, sineLoss, squared, xorRows } from './toy-problems.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

test('a net of dead units: nothing local helps, other starts do', async () => {
  const dataset = rowsDataset(
    xorRows.map(([x]) => x),
    xorRows.map(([, y]) => [y]),
  )
  const loss = new Loss({ engine, model: mlp({ widths: [2, 8, 1], activation: 'relu' }), dataset, spec: squared })
  const theta = deadReluStart(loss.model)
  const { stuckLoss, rows } = await compareEscapes(loss, theta, {
    attempts: 4,
    descentSteps: 400,
    elimination: { timeEnd: 1e3 },
  })
  expect(stuckLoss).toBeCloseTo(0.25, 14)
  const by = Object.fromEntries(rows.map((row) => [row.way, row]))
  expect(Object.keys(by)).toEqual(['again', 'restarts', 'perturbed-gradient-descent', 'wider', 'elimination'])
  expect(by['again']).toMatchObject({ escaped: 0, best: stuckLoss })
  expect(by['perturbed-gradient-descent'].escaped).toBe(0)
  expect(by['wider'].solved).toBeGreaterThan(0)
  expect(by['restarts'].escaped).toBeGreaterThan(0)
  // The added neuron sees the data, but dead units pass no gradient: θ cannot follow it.
  expect(by['elimination']).toMatchObject({ escaped: 0, outcome: 'failure-mode' })
  expect(rows.every((row) => row.gradients > 0)).toBe(true)
})

test('without extra unit: the same two ends on sin(θx)', async () => {
  const loss = sineLoss(engine)
  const good = await eliminateByScaling(loss, Float64Array.of(1.4))
  expect(good.outcome).toBe('certified')
  const bad = await eliminateByScaling(loss, Float64Array.of(5.4))
  expect(bad.outcome).toBe('failure-mode')
  expect(bad.theta[0]).toBeCloseTo(5.585724, 4)
  expect(bad.lossAfter).toBeCloseTo(0.632995, 5)
})
