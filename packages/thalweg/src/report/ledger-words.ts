import type { ClaimOutcome } from '@thalweg/landscape/claims'
import type { Language } from './scene.ts'

/** The words of the ledger around the claims, which are in English. */
export interface LedgerWords {
  readonly title: string
  readonly subtitle: (claims: number) => string
  readonly outcomes: Readonly<Record<ClaimOutcome, string>>
  readonly meanings: Readonly<Record<ClaimOutcome, string>>
  readonly failed: string
  readonly notRun: string
  readonly claims: string
  readonly asExpected: string
  readonly differ: string
  readonly unfinished: string
  readonly duration: string
  readonly seed: string
  readonly alarm: (count: number) => string
  readonly alarmLine: (id: string, outcome: string, expected: string) => string
  readonly agreement: string
  readonly overview: string
  readonly claim: string
  readonly statement: string
  readonly outcome: string
  readonly expected: string
  readonly source: string
  readonly experiment: string
  readonly conditions: string
  readonly finding: string
  readonly quantity: string
  readonly measured: string
  readonly rule: string
  readonly literature: string
  readonly agrees: string
  readonly time: string
  readonly met: string
  readonly notMet: string
  readonly expectedOutcome: (outcome: string) => string
  readonly earlier: string
}

const english: LedgerWords = {
  title: 'Ledger of claims',
  subtitle: (claims) =>
    `${claims} ${claims === 1 ? 'statement' : 'statements'} of the literature about loss landscapes, each with an experiment, the outcome that was expected and the one that was measured.`,
  outcomes: {
    holds: 'Holds',
    'holds-with-conditions': 'Holds with conditions',
    false: 'False',
    vacuous: 'Vacuous',
    'not-decided': 'Not decided',
  },
  meanings: {
    holds: 'as stated',
    'holds-with-conditions': 'under the conditions that the entry names',
    false: 'a counterexample was measured',
    vacuous: 'true, and says nothing where one would use it',
    'not-decided': 'the experiment is evidence, no verdict',
  },
  failed: 'Failed',
  notRun: 'Not run',
  claims: 'Claims',
  asExpected: 'As expected',
  differ: 'Different',
  unfinished: 'Without result',
  duration: 'Wall time',
  seed: 'Seed',
  alarm: (count) =>
    count === 1
      ? 'One outcome differs from the expected one'
      : `${count} outcomes or results differ from the expected ones`,
  alarmLine: (id, outcome, expected) => `${id}: measured “${outcome}”, expected “${expected}”.`,
  agreement: 'Every outcome is the expected one.',
  overview: 'All claims',
  claim: 'Claim',
  statement: 'Statement',
  outcome: 'Outcome',
  expected: 'Expected',
  source: 'Source',
  experiment: 'Experiment',
  conditions: 'Remark',
  finding: 'Finding',
  quantity: 'Quantity',
  measured: 'Measured',
  rule: 'Rule',
  literature: 'Literature',
  agrees: 'Agrees',
  time: 'Time',
  met: 'agrees',
  notMet: 'differs',
  expectedOutcome: (outcome) => `Differs: “${outcome}” was expected.`,
  earlier: 'from an earlier run',
}

const chinese: LedgerWords = {
  title: '文献论断总账',
  subtitle: (claims) => `关于损失景观的 ${claims} 条文献论断：每条都有检验它的实验、预期结论与实测结论。`,
  outcomes: {
    holds: '成立',
    'holds-with-conditions': '有条件成立',
    false: '不成立',
    vacuous: '空泛',
    'not-decided': '未定',
  },
  meanings: {
    holds: '如原文所述',
    'holds-with-conditions': '在条目所列条件下成立',
    false: '测得了反例',
    vacuous: '为真，但在实际使用处不说明任何问题',
    'not-decided': '实验只提供证据，不下结论',
  },
  failed: '失败',
  notRun: '未运行',
  claims: '论断',
  asExpected: '与预期一致',
  differ: '与预期不同',
  unfinished: '没有结果',
  duration: '总用时',
  seed: '随机种子',
  alarm: (count) => `有 ${count} 条结论与预期不同`,
  alarmLine: (id, outcome, expected) => `${id}：实测为“${outcome}”，预期为“${expected}”。`,
  agreement: '所有结论均与预期一致。',
  overview: '全部论断',
  claim: '论断',
  statement: '陈述',
  outcome: '结论',
  expected: '预期',
  source: '出处',
  experiment: '实验',
  conditions: '说明',
  finding: '发现',
  quantity: '量',
  measured: '实测',
  rule: '判据',
  literature: '文献值',
  agrees: '是否一致',
  time: '用时',
  met: '一致',
  notMet: '不一致',
  expectedOutcome: (outcome) => `与预期不同：预期为“${outcome}”。`,
  earlier: '取自先前的运行',
}

export function ledgerWords(lang: Language): LedgerWords {
  return lang === 'zh' ? chinese : english
}
