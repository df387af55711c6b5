import type { LanguageTable } from '../../words/language-table.ts'

const en = {
  eyebrow: 'Theory, to try out',
  sources: 'Where this comes from',
  computing: 'Computing',
  failed: 'This could not be computed',
  seed: 'Seed',
  play: 'Play',
  pause: 'Pause',
  again: 'From the start',
  reset: 'Reset',
  loss: 'loss',
  kinds: {
    'global-minimum': 'global minimum',
    'local-minimum': 'local minimum',
    'strict-saddle': 'strict saddle',
    'non-strict-saddle': 'non-strict saddle',
    maximum: 'maximum',
    'not-critical': 'not a critical point',
    'near-infimum': 'near the infimum',
    undecided: 'undecided',
  },
  negative: 'negative',
  zero: 'zero',
  positive: 'positive',
}

const zh: typeof en = {
  eyebrow: '可以动手试的理论',
  sources: '出处',
  computing: '计算中',
  failed: '无法计算',
  seed: '随机种子',
  play: '播放',
  pause: '暂停',
  again: '从头开始',
  reset: '重置',
  loss: '损失',
  kinds: {
    'global-minimum': '全局极小点',
    'local-minimum': '局部极小点',
    'strict-saddle': '严格鞍点',
    'non-strict-saddle': '非严格鞍点',
    maximum: '极大点',
    'not-critical': '非临界点',
    'near-infimum': '接近下确界',
    undecided: '无法判定',
  },
  negative: '负',
  zero: '零',
  positive: '正',
}

export const sharedWords: LanguageTable<typeof en> = { en, zh }
