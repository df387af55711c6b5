import type { LinearKind, LinearReport } from '@thalweg/landscape'
import { figureWords } from '../../report/figure-words.ts'
import { formatNumber } from '../../report/format-number.ts'
import type { Section, Table } from '../../report/report.ts'
import type { Figure, LadderLevel, ValueLadder } from '../../report/scene.ts'
import type { Language } from '../../report/scene.ts'

/** Rungs of the ladder and rows of the table; the file has all. */
const levelsMax = 40

const english = {
  section: (widths: string) => `A linear network of widths ${widths} on these data`,
  title: (widths: string) => `Critical values of a linear network, widths ${widths}`,
  caption: 'Loss of every class of critical points; S is the set of eigenvalues of Σ that the class keeps.',
  loss: 'loss',
  classes: 'classes',
  convention:
    'Every critical point of this network, in closed form (Kawaguchi 2016). The loss is ½ Σ‖ŷ − y‖², without a mean; the network has no biases.',
  hold: 'The assumptions hold on these data: the theorem covers them.',
  fail: 'Not all assumptions of the theorem hold on these data; the warnings of results/linear.json name them. The classes were checked numerically.',
  globalMinimum: 'Global minimum',
  count: 'Classes of critical points',
  gradient: 'Largest gradient',
  gradientNote: 'relative, over all representatives',
  value: 'Largest error of a value',
  disagreements: 'Disagreements with measurement',
  checked: (points: number, spectra: number) => `${points} representatives, ${spectra} spectra`,
  subset: 'S',
  rank: 'rank',
  kind: 'kind',
  smallest: 'smallest λ',
  table: (shown: number, all: string) =>
    `The ${shown} lowest of ${all} classes. Inertia and smallest eigenvalue are measured at a representative of each kind.`,
}

const chinese: typeof english = {
  section: (widths) => `同一数据上的线性网络（各层宽度 ${widths}）`,
  title: (widths) => `线性网络的临界值，各层宽度 ${widths}`,
  caption: '每一类临界点的损失；S 为该类所保留的 Σ 的特征值集合。',
  loss: '损失',
  classes: '类数',
  convention: '该网络的全部临界点，以闭式给出（Kawaguchi 2016）。损失为 ½ Σ‖ŷ − y‖²，不取平均；网络没有偏置。',
  hold: '定理的假设在这些数据上成立。',
  fail: '定理的假设在这些数据上不全成立，详见 results/linear.json 的警告；各类已用数值方法核验。',
  globalMinimum: '全局极小值',
  count: '临界点的类数',
  gradient: '最大梯度',
  gradientNote: '相对值，取遍所有代表点',
  value: '函数值的最大误差',
  disagreements: '理论与测量不一致处',
  checked: (points, spectra) => `${points} 个代表点，${spectra} 个谱`,
  subset: 'S',
  rank: '秩',
  kind: '类型',
  smallest: '最小 λ',
  table: (shown, all) =>
    `共 ${all} 类，此处为损失最低的 ${shown} 类。惯性指数与最小特征值在每种类型的一个代表点处测得。`,
}

const wordsOf = (lang: Language): typeof english => (lang === 'zh' ? chinese : english)

type Levels = Pick<LinearReport, 'widths' | 'classes' | 'classCount'>

/** Critical values as rungs, equal kinds of one value on one rung. */
export function ladderFigure({ widths, classes, classCount }: Levels, lang: Language): ValueLadder {
  const w = wordsOf(lang)
  return {
    kind: 'value-ladder',
    lang,
    title: w.title(widths.join('-')),
    caption: w.caption,
    settings: [
      { name: w.loss, value: '½ Σ‖ŷ − y‖²' },
      { name: w.classes, value: classCount },
    ],
    y: { label: w.loss },
    levels: classes.slice(0, levelsMax).map((each): LadderLevel => {
      const canonical = each.representatives.find((r) => r.canonical)
      return {
        value: each.loss,
        label: subsetText(each.subset),
        kind: each.kinds.length > 1 ? 'both-saddles' : each.kinds[0],
        ...(canonical?.inertia && { inertia: canonical.inertia }),
      }
    }),
  }
}

const subsetText = (subset: readonly number[]): string => (subset.length === 0 ? '∅' : `{${subset.join(', ')}}`)

/** The section of a report. */
export function linearSection(d: LinearReport, figure: Figure, lang: Language): Section {
  const w = wordsOf(lang)
  const { verification, assumptions, globalMinimum, classCount, widths } = d
  const { representatives, spectra, relativeGradientMax, relativeLossErrorMax, disagreements } = verification
  return {
    id: 'linear',
    title: w.section(widths.join('-')),
    blocks: [
      { kind: 'paragraph', text: `${w.convention}\n\n${assumptions.hold ? w.hold : w.fail}` },
      {
        kind: 'facts',
        facts: [
          { label: w.globalMinimum, value: globalMinimum },
          { label: w.count, value: classCount },
          { label: w.gradient, value: relativeGradientMax, note: w.gradientNote },
          { label: w.value, value: relativeLossErrorMax, note: w.gradientNote },
          {
            label: w.disagreements,
            value: disagreements.length,
            note: w.checked(representatives, spectra),
          },
        ],
      },
      { kind: 'figures', figures: [figure] },
      classTable(d, lang),
    ],
  }
}

function classTable({ classes, classCount }: LinearReport, lang: Language): Table {
  const w = wordsOf(lang)
  const { ladder, inertia } = figureWords(lang)
  const kindName = (kind: LinearKind): string => ladder[kind]
  const shown = classes.slice(0, levelsMax)
  return {
    kind: 'table',
    caption: w.table(shown.length, classCount),
    columns: [
      { label: w.subset },
      { label: w.rank, align: 'right' },
      { label: w.loss, align: 'right' },
      { label: w.kind, align: 'left' },
      { label: inertia, align: 'right' },
      { label: w.smallest, align: 'right' },
    ],
    rows: shown.flatMap(({ subset, rank, loss, representatives }) =>
      representatives.map((r) => [
        subsetText(subset),
        rank,
        formatNumber(loss, { digits: 6 }),
        kindName(r.kind),
        r.inertia ? `(${r.inertia.negative}, ${r.inertia.zero}, ${r.inertia.positive})` : null,
        r.minEigenvalue,
      ]),
    ),
  }
}
