import { expect, test } from 'vitest'
import { sentences } from './sentences.ts'
import { formatNumber, messageIds, sentence, verdictName } from './wording.ts'

test('numbers keep three digits and a real minus sign', () => {
  expect([3e-9, -0.41, 0.3, 12, 1234.5, 1e6, -2.5e-17, 0, Infinity].map(formatNumber)).toEqual([
    '3.0e−9',
    '−0.41',
    '0.3',
    '12',
    '1230',
    '1.0e6',
    '−2.5e−17',
    '0',
    '∞',
  ])
})

test('golden sentences', () => {
  const saddle = {
    id: 'summary.strict-saddle',
    values: {
      gradientNorm: 3e-9,
      residual: 2e-9,
      eigenvalue: -0.41,
      distance: 0.3,
      lossBefore: 0.693147,
      decrease: 0.0181,
    },
  } as const
  expect(sentence(saddle, 'en')).toBe(
    'Strict saddle: gradient norm 3.0e−9; the Hessian has an eigenvalue within 2.0e−9 of −0.41; moving 0.3 either way ' +
      'along its direction lowers the loss 0.693147 by at least 0.0181.',
  )
  expect(sentence(saddle, 'zh')).toBe(
    '严格鞍点：梯度范数 3.0e−9；Hessian 在 −0.41 的 2.0e−9 范围内有一个特征值；沿其方向向任一侧移动 0.3，损失都从 0.693147 至少下降 0.0181。',
  )
  const polished = {
    id: 'advice.polished',
    values: { distance: 0.05, polishedVerdict: 'strict-saddle' },
  } as const
  expect(sentence(polished, 'en')).toContain('0.05 away (strict saddle)')
  expect(sentence(polished, 'zh')).toContain('0.05（严格鞍点）')
  expect(verdictName('undecided', 'zh')).toBe('无法判定')
})

test('small and large losses keep the digits in which they differ', () => {
  const said = (before: number, after: number): string =>
    sentence({ id: 'advice.escape', values: { distance: 1, before, after, gain: before - after } }, 'en')
  expect(said(5.39422306e-5, 5.39122306e-5)).toContain('from 5.39422e−5 to 5.39122e−5 (by 3.0e−8)')
  expect(said(9.19426e11, 9.1e11)).toContain('from 9.19426e11 to 9.1e11')
})

test('a missing number is an error, not a gap', () => {
  expect(() => sentence({ id: 'evidence.gradient', values: { gradientNorm: 1 } }, 'en')).toThrow(
    /needs a value for floor/,
  )
})

test.each(messageIds)('%s says the same numbers in both languages', (id) => {
  const slots = (text: string): string[] => [...text.matchAll(/\{([^}]*)\}/g)].map(([, slot]) => slot).sort()
  expect(slots(sentences[id].zh)).toEqual(slots(sentences[id].en))
  expect(sentences[id].zh).toMatch(/[\u4e00-\u9fff]/)
})
