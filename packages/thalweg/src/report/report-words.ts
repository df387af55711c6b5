import type { VerdictKind } from './report.ts'
import type { Language } from './scene.ts'
import type { SurfaceViewWords } from './surface-view.ts'

/** The words of the page around the data. */
export interface ReportWords {
  readonly htmlLang: string
  readonly tagline: string
  readonly verdict: string
  readonly kinds: Readonly<Record<VerdictKind, string>>
  readonly meanings: Readonly<Record<VerdictKind, string>>
  readonly evidence: string
  readonly claim: string
  readonly value: string
  readonly bound: string
  readonly method: string
  readonly advice: string
  readonly keyNumbers: string
  readonly warnings: string
  readonly contents: string
  readonly settings: string
  readonly setting: string
  readonly versions: string
  readonly repeat: string
  readonly repeatText: string
  readonly footer: string
  readonly figure: (number: number) => string
  readonly empty: string
  readonly table: string
  readonly yes: string
  readonly no: string
  readonly surfaceView: SurfaceViewWords
}

const english: ReportWords = {
  htmlLang: 'en',
  tagline: 'where training stopped, with evidence',
  verdict: 'Verdict',
  kinds: {
    'not-critical': 'Not a critical point',
    'strict-saddle': 'Strict saddle',
    'non-strict-saddle': 'Non-strict saddle',
    'local-minimum': 'Local minimum',
    'global-minimum': 'Global minimum',
    'near-infimum': 'Near the infimum',
    undecided: 'Undecided',
  },
  meanings: {
    'not-critical': 'The gradient is not zero: training stopped on a slope.',
    'strict-saddle': 'The gradient is zero and the loss curves down in some direction.',
    'non-strict-saddle': 'No direction of negative curvature, and still not a minimum.',
    'local-minimum': 'No better point nearby.',
    'global-minimum': 'No better point anywhere.',
    'near-infimum': 'Close to a lower bound that no parameters attain.',
    undecided: 'The evidence does not reach a verdict.',
  },
  evidence: 'Evidence',
  claim: 'Claim',
  value: 'Value',
  bound: 'Held against',
  method: 'Method',
  advice: 'What to do',
  keyNumbers: 'Key numbers',
  warnings: 'Warnings',
  contents: 'Contents',
  settings: 'Settings',
  setting: 'Setting',
  versions: 'Versions',
  repeat: 'How to repeat it',
  repeatText: 'The same command with the same seed and the same versions gives the same numbers.',
  footer: 'Made by Thalweg, a loss-landscape laboratory.',
  figure: (number) => `Figure ${number}`,
  empty: 'none',
  table: 'Table',
  yes: 'yes',
  no: 'no',
  surfaceView: {
    label: 'A surface that can be turned with the arrow keys',
    help: 'Drag or use the arrow keys to turn, + and − to zoom, Home to go back; point at it to read values.',
  },
}

const chinese: ReportWords = {
  htmlLang: 'zh-Hans',
  tagline: '训练停在了哪里，证据何在',
  verdict: '结论',
  kinds: {
    'not-critical': '不是临界点',
    'strict-saddle': '严格鞍点',
    'non-strict-saddle': '非严格鞍点',
    'local-minimum': '局部极小',
    'global-minimum': '全局极小',
    'near-infimum': '接近下确界',
    undecided: '未能判定',
  },
  meanings: {
    'not-critical': '梯度不为零：训练停在了斜坡上。',
    'strict-saddle': '梯度为零，而损失沿某个方向向下弯曲。',
    'non-strict-saddle': '没有负曲率方向，但仍不是极小点。',
    'local-minimum': '附近没有更好的点。',
    'global-minimum': '任何地方都没有更好的点。',
    'near-infimum': '接近一个任何有限参数都达不到的下界。',
    undecided: '现有证据不足以下结论。',
  },
  evidence: '证据',
  claim: '论断',
  value: '数值',
  bound: '对照',
  method: '方法',
  advice: '建议',
  keyNumbers: '关键数字',
  warnings: '警告',
  contents: '目录',
  settings: '设置',
  setting: '项目',
  versions: '版本',
  repeat: '如何重现',
  repeatText: '同样的命令、随机种子和版本会得到同样的数字。',
  footer: '由 Thalweg 损失景观实验室生成。',
  figure: (number) => `图 ${number}`,
  empty: '无',
  table: '表格',
  yes: '是',
  no: '否',
  surfaceView: {
    label: '可用方向键转动的曲面',
    help: '拖动或按方向键转动，按 + 和 − 缩放，按 Home 复位；指向曲面可读取数值。',
  },
}

export function reportWords(lang: Language): ReportWords {
  return lang === 'zh' ? chinese : english
}
