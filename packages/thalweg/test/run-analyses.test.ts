/** A run that asks for every analysis: documents, tables and sections; what is refused; what is done once. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { outputSchema } from '../src/cli/output-schema.ts'
import { decodeParquet } from '../src/formats/parquet.ts'
import type { TableColumn } from '../src/formats/table.ts'
import { findBrowser } from '../src/files/find-browser.ts'
import { program } from './run-thalweg.ts'
import type { Reply } from './run-thalweg.ts'

const { folder, thalweg } = program()
const bin = resolve(import.meta.dirname, '../bin/thalweg.js')
const notebooks = readFileSync(resolve(import.meta.dirname, '../../../docs/notebooks.md'), 'utf8')
const browser = findBrowser(process.env)

const experiment = (analyses: string): string => `name: all
data: { name: 'unit-sphere:samples=8,dimension=3' }
model: { kind: scaled-mlp, inputs: 3, depth: 1, width: 5, activation: tanh }
loss: { name: half-sum-squares }
training: { optimizer: { name: adam }, learningRate: 0.03, steps: 300, dtype: float64, checkpoints: 4 }
analyses:
${analyses}`

const all = `  diagnose: {}
  surface: { x: { points: 7 }, y: { points: 5 } }
  spectrum: { top: 2, bottom: 3, near: 0.5, nearCount: 2, layers: true }
  critical: { starts: 12, noise: [0, 0.5], maxIterations: 60 }
  linear: { widths: [3, 2, 1] }
  eliminate: { time: 1000, evenIfVacuous: true }
  gram: { steps: 40, widths: [8, 32], seeds: 2, checkpoints: true }
`

type Json = Record<string, unknown>
const read = (...path: string[]): string => readFileSync(join(folder(), ...path), 'utf8')
const json = (...path: string[]): Json => JSON.parse(read(...path)) as Json

let whole: Reply

beforeAll(() => {
  writeFileSync(join(folder(), 'all.yaml'), experiment(all))
  whole = thalweg('run', 'all.yaml', '--out', 'all', '--quiet')
})

describe('a run that asks for everything', () => {
  test('leaves the documents that the commands print', () => {
    expect(whole).toMatchObject({ status: 0, stderr: '' })
    const names = ['spectrum', 'critical', 'linear', 'eliminate', 'gram']
    for (const name of names) {
      const document = { ...json('all/results', `${name}.json`), elapsedMs: 0 }
      expect(outputSchema.safeParse(document).error, name).toBeUndefined()
    }
    const printed = (...args: string[]): Json => JSON.parse(thalweg(...args, '--json').stdout) as Json
    const ends = ['--top', '2', '--bottom', '3', '--near', '0.5', '--near-count', '2']
    const spectrum = printed('spectrum', 'all', ...ends, '--trace', '--density', '--layers')
    for (const key of ['eigenvalues', 'trace', 'morseIndex', 'density', 'layers', 'gradientNorm'])
      expect(json('all/results/spectrum.json')[key], key).toEqual(spectrum[key])
    const args = ['--starts', '12', '--noise', '0,0.5', '--max-iterations', '60']
    const { table, outcomes } = printed('critical', 'all', ...args)
    expect(json('all/results/critical.json')).toMatchObject({ table, outcomes })
    const eliminated = printed('eliminate', 'all', '--time', '1000', '--even-if-vacuous')
    for (const key of ['outcome', 'lossAfter', 'modifiedLoss', 'history'])
      expect(json('all/results/eliminate.json')[key], key).toEqual(eliminated[key])
    const start = printed('gram', 'all.yaml', '--steps', '40')
    for (const key of ['lambdaMin', 'convergence']) expect(json('all/results/gram.json')[key], key).toEqual(start[key])
  })

  test('leaves tables whose columns are those that are documented, with the numbers of the documents', async () => {
    const documented = [...notebooks.matchAll(/^\| `([a-z-]+)\.parquet` +\|[^|]*\|(.*)\|$/gm)]
    const tables = readdirSync(join(folder(), 'all/results')).filter((name) => name.endsWith('.parquet'))
    expect(documented.map(([, name]) => `${name}.parquet`).sort()).toEqual(tables.sort())
    for (const [, name, columns] of documented) {
      const names = [...columns.replaceAll(/\(.*?\)/g, '').matchAll(/`(\w+)`/g)].map(([, column]) => column)
      expect(
        (await columnsOf(name)).map((column) => column.name),
        name,
      ).toEqual(names)
    }
    const { points } = json('all/results/critical.json') as { points: { loss: number; verdict: string }[] }
    expect(await valuesOf('critical-points', 'loss')).toEqual(points.map(({ loss }) => loss))
    const { history } = json('all/results/eliminate.json') as { history: { modifiedLoss: number }[] }
    expect(await valuesOf('elimination', 'modified_loss')).toEqual(history.map(({ modifiedLoss }) => modifiedLoss))
    const { sweep } = json('all/results/gram.json') as unknown as { sweep: { runs: { gramDrift: number }[] } }
    expect(await valuesOf('sweep', 'gram_drift')).toEqual(sweep.runs.map(({ gramDrift }) => gramDrift))
    expect(sweep.runs).toHaveLength(4)
    expect(existsSync(join(folder(), 'all/points/point-0001.safetensors'))).toBe(points.length > 0)
  })

  test('has a section for each in its report, in both languages', () => {
    expect(thalweg('report', 'all', '--lang', 'zh', '--out', 'zh.html').status).toBe(0)
    const [english, chinese] = [read('all/report.html'), read('zh.html')]
    for (const id of ['curvature', 'critical', 'linear', 'elimination', 'gram'])
      for (const page of [english, chinese])
        expect(page.match(new RegExp(`<section class="part" id="${id}"`))).toHaveLength(1)
    for (const words of ['Spectral density', 'Index against loss', 'Critical values', 'Loss, its bound']) {
      expect(english).toContain(words)
      expect(chinese).not.toContain(words)
    }
    for (const words of ['谱密度', '指数与损失', '临界值', '损失、其上界与预测', '消除坏的局部极小值'])
      expect(chinese).toContain(words)
    expect(english).not.toMatch(/undefined|\[object/)
    for (const name of ['density', 'critical', 'linear', 'elimination', 'gram', 'gram-change', 'gram-widths'])
      expect(read('all/figures', `${name}.svg`)).toMatch(/^<svg/)
  })

  test('is read by the example of the docs', ({ skip }) => {
    const python = '/usr/bin/python3'
    if (spawnSync(python, ['-c', 'import numpy']).status !== 0) skip()
    const [, code] = notebooks.match(/```python\n(.*?)```/s)!
    const { stdout, stderr, status } = spawnSync(python, ['-c', code], { cwd: join(folder(), 'all'), encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^loss \S+ → \S+ in 300 steps\nlowest of the plane: \S+ at \(-?\d\.\d\d, -?\d\.\d\d\)\n\{/)
  })
})

async function columnsOf(name: string): Promise<readonly TableColumn[]> {
  const bytes = readFileSync(join(folder(), 'all/results', `${name}.parquet`))
  return (await decodeParquet(bytes, { file: name })).columns
}

async function valuesOf(name: string, wanted: string): Promise<number[]> {
  const found = (await columnsOf(name)).find((column) => column.name === wanted)!.read()
  return Array.from(found.kind === 'number' ? found.values : found.codes)
}

test('what the theory does not cover is said, and the rest is made', () => {
  const text = experiment('  linear: { widths: [7, 2, 1] }\n  spectrum: { density: false }\n  gram: { steps: 5 }\n')
  const mlp = text.replace(/model:.*/, 'model: { kind: mlp, widths: [3, 4, 1], activation: relu }')
  writeFileSync(join(folder(), 'some.yaml'), mlp)
  const reply = thalweg('run', 'some.yaml', '--out', 'some', '--json')
  const { warnings, verdict } = JSON.parse(reply.stdout) as { warnings: string[]; verdict: string }
  expect(reply.status).toBe(0)
  expect(warnings).toEqual([expect.stringMatching(/^analyses\.linear was not made: .*widths/)])
  expect(verdict).toBe('undecided')
  expect(json('some/results/linear.json')).toMatchObject({ command: 'linear', status: 'refused' })
  expect(read('some/report.html')).toMatch(/analyses\.linear<\/code> was not made/)
  expect(json('some/results/gram.json')).toMatchObject({ convergence: { check: null } })
  expect(readdirSync(join(folder(), 'some/results'))).toContain('eigenvalues.parquet')
})

test('a key too many, or one too few, is an error before the work', () => {
  for (const [analyses, message] of [
    ['  spectrum: { topp: 3 }\n', /some\.yaml:7:15: unknown key "topp".*Did you mean top\?/],
    ['  linear: {}\n', /analyses\.linear: needs widths/],
    ['  eliminate: { method: gradient-descent }\n', /needs a learningRate/],
    ['  spectrum: { top: 0, bottom: 0 }\n', /needs top or bottom/],
    ['  spectrum: { nearCount: 3 }\n', /nearCount needs near/],
    ['  spectrum: { near: x }\n', /analyses\.spectrum\.near/],
  ] as const) {
    writeFileSync(join(folder(), 'some.yaml'), experiment(analyses))
    const reply = thalweg('run', 'some.yaml')
    expect(reply.status).toBe(2)
    expect(reply.stderr).toMatch(message)
  }
})

test('analyses that are done are not made again', async () => {
  const child = spawn(process.execPath, [bin, 'run', 'all.yaml', '--out', 'killed', '--quiet'], { cwd: folder() })
  const exited = once(child, 'exit')
  const kept = (): string | undefined =>
    readdirSync(join(folder(), 'killed/live')).find((name) => /^critical-.*json$/.test(name))
  while (!existsSync(join(folder(), 'killed/live')) || kept() === undefined)
    await new Promise((go) => setTimeout(go, 5))
  child.kill('SIGINT')
  expect(await exited).toEqual([130, null])
  const file = join(folder(), 'killed/live', kept()!)
  const marked = readFileSync(file, 'utf8').replace('"document":{', '"document":{"mark":1,')
  writeFileSync(file, marked)
  expect(thalweg('run', 'all.yaml', '--out', 'killed', '--resume', '--quiet')).toMatchObject({ status: 0, stderr: '' })
  for (const name of ['spectrum', 'linear', 'eliminate', 'gram'])
    expect(read('killed/results', `${name}.json`), name).toBe(read('all/results', `${name}.json`))
  const { mark, ...rest } = json('killed/results/critical.json')
  expect(mark).toBe(1)
  expect(rest).toEqual(json('all/results/critical.json'))
  expect(existsSync(join(folder(), 'killed/live'))).toBe(false)
})

test.skipIf(!browser)('a run prints its report', () => {
  writeFileSync(join(folder(), 'some.yaml'), experiment('  diagnose: {}\n'))
  const reply = thalweg('run', 'some.yaml', '--out', 'printed', '--pdf', '--json')
  expect(reply).toMatchObject({ status: 0, stderr: '' })
  const { pdf } = JSON.parse(reply.stdout) as { pdf: string }
  expect(pdf).toBe(join('printed', 'report.pdf'))
  expect(readFileSync(join(folder(), pdf)).subarray(0, 5).toString()).toBe('%PDF-')
})
