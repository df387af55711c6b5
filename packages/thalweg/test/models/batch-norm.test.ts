/** `--batch-norm`: statistics kept, re-estimated at each point, or moving as parameters. */
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import { numbersOf, tensor } from '@thalweg/graph'
import { Loss, parameterRanges } from '@thalweg/landscape'
import type { BatchNormMode } from '@thalweg/landscape'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeNpz } from '../../src/formats/npz.ts'
import { openModelWithData } from '../../src/models/open-model-with-data.ts'
import { program } from '../run-thalweg.ts'
import { expectedOf, fixturePath } from './fixtures.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())
const { folder, thalweg } = program()
const file = fixturePath('cnn-batch-norm.onnx')
const data = (): string => join(folder(), 'data.npz')

beforeAll(() => {
  const { x, y } = Object.fromEntries(expectedOf('cnn-batch-norm'))
  writeFileSync(data(), encodeNpz({ x, y }))
})

async function opened(batchNorm: BatchNormMode, chunkSize?: number): Promise<{ loss: Loss; theta: Float64Array }> {
  const { model, dataset } = await openModelWithData(file, data(), { loss: 'cross-entropy', batchNorm })
  const spec = { name: 'cross-entropy', reduction: 'mean' } as const
  return { loss: new Loss({ engine, model, dataset, spec, chunkSize }), theta: model.initialize(0) }
}

/** θ with one tensor times a factor. */
function scaled({ loss, theta }: { loss: Loss; theta: Float64Array }, name: string, factor: number): Float64Array {
  const { start, end } = parameterRanges(loss.model).find(({ parameter }) => parameter.name === name)!
  return theta.map((v, i) => (i >= start && i < end ? factor * v : v))
}

const torch = [
  'import json, sys, torch, torch.nn as nn',
  'torch.set_default_dtype(torch.float64)',
  'g = json.load(sys.stdin)',
  'm = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.BatchNorm2d(2), nn.Tanh(), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(8, 2))',
  'for p, v in zip(m.parameters(), g["parameters"]): p.data = torch.tensor(v).reshape(p.shape)',
  'x, y = torch.tensor(g["x"]).reshape(-1, 2, 6, 6), torch.tensor(g["y"])',
  'loss = nn.functional.cross_entropy(m.train()(x), y); loss.backward()',
  'print(json.dumps([loss.item(), torch.cat([p.grad.flatten() for p in m.parameters()]).tolist()]))',
].join('\n')
const python = '/usr/bin/python3'
const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0

describe('batch normalization', () => {
  it('re-estimated: scaling the weights before it changes nothing but ε; with kept statistics it does', async () => {
    const free = await opened('re-estimated')
    const at = await free.loss.value(free.theta)
    expect(Math.abs((await free.loss.value(scaled(free, '0.weight', 100))) - at)).toBeLessThan(1e-4 * at)
    const kept = await opened('kept')
    const before = await kept.loss.value(kept.theta)
    expect(Math.abs((await kept.loss.value(scaled(kept, '0.weight', 100))) - before)).toBeGreaterThan(1e-2 * before)
  })

  it('re-estimated: all samples in one batch, whatever chunk was asked for', async () => {
    const [whole, chunked] = [await opened('re-estimated'), await opened('re-estimated', 2)]
    expect(chunked.loss.chunks).toHaveLength(1)
    expect(await chunked.loss.value(chunked.theta)).toBe(await whole.loss.value(whole.theta))
  })

  it.skipIf(!hasTorch)(
    "re-estimated: value and gradient are PyTorch's in training mode with the whole data",
    async () => {
      const { loss, theta } = await opened('re-estimated')
      const { x, y } = Object.fromEntries(expectedOf('cnn-batch-norm'))
      const parameters = parameterRanges(loss.model).map(({ start, end }) => Array.from(theta.subarray(start, end)))
      const given = JSON.stringify({ parameters, x: Array.from(numbersOf(x)), y: Array.from(numbersOf(y)) })
      const { stdout, stderr } = spawnSync(python, ['-c', torch], { input: given, encoding: 'utf8' })
      expect(stderr).toBe('')
      const [value, gradient] = JSON.parse(stdout) as [number, number[]]
      expect(Math.abs((await loss.value(theta)) - value)).toBeLessThan(1e-14)
      const { gradient: got } = await loss.valueAndGradient(theta)
      expect(Math.max(...got.map((v, i) => Math.abs(v - gradient[i])))).toBeLessThan(1e-13)
    },
  )

  it('included: the statistics are parameters with the values of the file, and the loss is the same there', async () => {
    const [kept, included] = [await opened('kept'), await opened('included')]
    expect(included.loss.size).toBe(kept.loss.size + 4)
    expect(included.loss.model.parameters.slice(-2).map((p) => p.name)).toEqual(['1.running_mean', '1.running_var'])
    expect(await included.loss.value(included.theta)).toBeCloseTo(await kept.loss.value(kept.theta), 14)
    expect(included.loss.model.notes.join()).toContain('they move with the weights')
  })

  it('the command says what it did, and refuses what has no statistics', () => {
    const surface = (model: string, ...args: string[]): ReturnType<typeof thalweg> =>
      thalweg('surface', model, '--data', data(), '--loss', 'cross-entropy', '--dimensions', '1', ...args)
    const reply = surface(file, '--points', '5', '--batch-norm', 're-estimated', '--json', '--per-class')
    expect(reply.status).toBe(2)
    expect(reply.stderr).toContain('--per-class: with --batch-norm re-estimated')
    // refused before anything is computed: no folder is left
    expect(readdirSync(folder()).filter((name) => name.startsWith('surface'))).toEqual([])
    const done = surface(file, '--points', '5', '--batch-norm', 're-estimated', '--json')
    expect(done.stderr).toBe('')
    expect((JSON.parse(done.stdout) as { warnings: string[] }).warnings.join()).toContain('statistics of all samples')
    const none = surface(fixturePath('cnn-group-norm.onnx'), '--batch-norm', 'included')
    expect(none.status).toBe(2)
    expect(none.stderr).toContain('it holds no batch normalization')
  })

  it('--per-class: the surfaces of the classes add up to the whole', () => {
    const y = tensor('int64', [5], BigInt64Array.of(0n, 1n, 0n, 0n, 1n))
    writeFileSync(join(folder(), 'two.npz'), encodeNpz({ x: expectedOf('cnn-batch-norm').get('x')!, y }))
    const args = ['--data', 'two.npz', '--loss', 'cross-entropy', '--points', '3', '--per-class', '--out', 'classes']
    const reply = thalweg('surface', file, ...args, '--dtype', 'float64', '--json')
    expect(reply.stderr).toBe('')
    const { values, classes } = JSON.parse(reply.stdout) as {
      readonly values: number[][]
      readonly classes: readonly { readonly label: number; readonly samples: number; readonly values: number[][] }[]
    }
    expect(classes.map(({ label, samples }) => [label, samples])).toEqual([
      [0, 3],
      [1, 2],
    ])
    for (const [i, row] of values.entries())
      for (const [j, value] of row.entries())
        expect((3 * classes[0].values[i][j] + 2 * classes[1].values[i][j]) / 5).toBeCloseTo(value, 12)
  })
})
