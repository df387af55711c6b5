import type { Language } from './scene.ts'

/** The words that the renderer itself adds to a figure. */
export interface FigureWords {
  readonly empty: string
  readonly notFinite: (count: number, total: number) => string
  readonly hatched: (count: number, total: number) => string
  readonly notPositive: (count: number) => string
  readonly thinned: (stride: number) => string
  readonly separator: string
  readonly colon: string
  readonly stop: string
  readonly start: string
  readonly end: string
  readonly minimum: string
  readonly saddle: string
  readonly maximum: string
  readonly point: string
  readonly largest: string
  readonly smallest: string
  readonly residual: string
  readonly notConverged: string
  readonly band: string
  readonly eigenvalues: string
  readonly inertia: string
  readonly ladder: Readonly<
    Record<
      'global-minimum' | 'local-minimum' | 'strict-saddle' | 'non-strict-saddle' | 'both-saddles' | 'maximum',
      string
    >
  >
}

const english: FigureWords = {
  empty: 'no values to show',
  notFinite: (count, total) => `${count} of ${total} values ${count === 1 ? 'is' : 'are'} not finite`,
  hatched: (count, total) => `${count} of ${total} values ${count === 1 ? 'is' : 'are'} not finite (hatched)`,
  notPositive: (count) => `${count} ${count === 1 ? 'value' : 'values'} ≤ 0 not shown on the logarithmic scale`,
  thinned: (stride) => `one level in ${stride} is labeled`,
  separator: '; ',
  colon: ': ',
  stop: '. ',
  start: 'start',
  end: 'end',
  minimum: 'minimum',
  saddle: 'saddle',
  maximum: 'maximum',
  point: 'point',
  largest: 'largest',
  smallest: 'smallest',
  residual: '± residual',
  notConverged: 'not converged',
  band: 'uncertainty',
  eigenvalues: 'eigenvalues',
  inertia: '(−, 0, +)',
  ladder: {
    'global-minimum': 'global minimum',
    'local-minimum': 'local minimum',
    'strict-saddle': 'strict saddle',
    'non-strict-saddle': 'non-strict saddle',
    'both-saddles': 'strict and non-strict saddles',
    maximum: 'maximum',
  },
}

const chinese: FigureWords = {
  empty: '没有可显示的数值',
  notFinite: (count, total) => `${total} 个数值中有 ${count} 个不是有限数`,
  hatched: (count, total) => `${total} 个数值中有 ${count} 个不是有限数（阴影处）`,
  notPositive: (count) => `有 ${count} 个 ≤ 0 的数值无法在对数坐标上显示`,
  thinned: (stride) => `每 ${stride} 个值标注一个`,
  separator: '；',
  colon: '：',
  stop: '。',
  start: '起点',
  end: '终点',
  minimum: '极小点',
  saddle: '鞍点',
  maximum: '极大点',
  point: '点',
  largest: '最大端',
  smallest: '最小端',
  residual: '± 残差',
  notConverged: '未收敛',
  band: '不确定范围',
  eigenvalues: '特征值',
  inertia: '（−，0，+）',
  ladder: {
    'global-minimum': '全局极小',
    'local-minimum': '局部极小',
    'strict-saddle': '严格鞍点',
    'non-strict-saddle': '非严格鞍点',
    'both-saddles': '严格与非严格鞍点并存',
    maximum: '极大',
  },
}

export function figureWords(lang: Language = 'en'): FigureWords {
  return lang === 'zh' ? chinese : english
}
