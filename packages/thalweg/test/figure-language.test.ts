/** Figures of single commands in Chinese: no word of the renderer or of the job stays English. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { surfaceWords } from '../src/analyses/surface/surface-words.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

/** What a reader sees of a picture. */
function texts(...path: string[]): string {
  const svg = readFileSync(join(folder(), ...path), 'utf8')
  return [...svg.matchAll(/>([^<>]+)</g)].map(([, text]) => text).join(' ')
}

test('thalweg linear --figure --lang zh', () => {
  const reply = thalweg('linear', '--data', 'iris', '--widths', '4,2,3', '--figure', 'ladder.svg', '--lang', 'zh')
  expect(reply).toMatchObject({ status: 0, stderr: '' })
  expect(texts('ladder.svg')).toMatch(/线性网络的临界值.*全局极小/s)
  expect(texts('ladder.svg')).not.toMatch(/loss|minimum|saddle|classes/i)
})

test('thalweg surface --lang zh', () => {
  const text = `name: moons
data: { name: 'two-moons:samples=20' }
model: { kind: mlp, widths: [2, 3, 2], activation: tanh }
loss: { name: cross-entropy }
`
  writeFileSync(join(folder(), 'moons.yaml'), text)
  const reply = thalweg(
    'surface',
    'moons.yaml',
    '--points',
    '3',
    '--curvature-grid',
    '3',
    '--lang',
    'zh',
    '--out',
    'zh',
    '--quiet',
  )
  expect(reply).toMatchObject({ status: 0, stderr: '' })
  const names = readdirSync(join(folder(), 'zh/figures'))
  expect(names).toEqual(expect.arrayContaining(['surface.svg', 'surface-3d.svg', 'accuracy.svg', 'convexity.svg']))
  for (const name of names)
    expect(texts('zh/figures', name), name).not.toMatch(
      /loss|direction|plane|share|height|eigenvalue|moved|held|seed:/i,
    )
  expect(texts('zh/figures/surface.svg')).toMatch(/随机方向平面上的训练损失.*随机方向 1/s)
})

test('directions have names in both languages', () => {
  const { direction } = surfaceWords('zh')
  expect(
    ['top Hessian eigenvector 2', 'bottom Hessian eigenvector', 'PCA 1', '−gradient, unit length'].map(direction),
  ).toEqual(['最大黑塞特征向量 2', '最小黑塞特征向量', '主成分 1', '负梯度，单位长度'])
  expect(direction('θ′ − θ')).toBe('θ′ − θ')
})
