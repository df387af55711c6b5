import { verdictName } from '@thalweg/landscape'
import type { IndexRow, VerdictKind } from '@thalweg/landscape'
import { formatPercent } from '../../report/format-number.ts'
import type { Section } from '../../report/report.ts'
import type { Figure, ScatterPlot } from '../../report/scene.ts'
import type { Language } from '../../report/scene.ts'
import { partSentence } from '../sampled-subject.ts'
import type { SampledPart } from '../sampled-subject.ts'

/** What is shown of the document of `thalweg critical`. */
export interface ShownCritical {
  readonly data: { readonly subset?: SampledPart }
  readonly method: string
  readonly starts: { readonly count: number; readonly source: string; readonly noise: readonly number[] }
  readonly outcomes: Readonly<Record<string, number>>
  readonly table: readonly IndexRow[]
  readonly products: number
  readonly points: readonly {
    readonly loss: number
    readonly gradientNorm: number
    readonly index: number
    readonly inertia: { readonly negative: number; readonly zero: number; readonly positive: number }
    readonly verdict: VerdictKind
    readonly multiplicity: number
    readonly spread: number
  }[]
}

/** Rows of the table in a report; the file has all. */
const rowsMax = 40

const english = {
  space: ' ',
  times: (n: number) => `${n} `,
  section: 'Critical points',
  title: 'Index against loss',
  loss: 'loss',
  index: 'share of negative eigenvalues',
  points: 'critical points',
  starts: 'starts',
  caption: 'Each mark is a critical point; those that are one modulo symmetry, or lie on one flat set, are drawn once.',
  verdict: 'verdict',
  share: 'index',
  found: 'found',
  none: 'No search reached a critical point.',
  sources: {
    trajectory: 'checkpoints of training',
    initializations: 'fresh initializations',
    parameters: 'the parameters given',
  } as Readonly<Record<string, string>>,
  outcomes: {
    converged: 'reached a critical point',
    'gradient-flat': 'ended where the gradient lies nearly in the kernel of the Hessian',
    stalled: 'stalled',
    'max-iterations': 'reached the limit of steps',
    'non-finite': 'left the finite numbers',
    'time-limit': 'were stopped by the clock',
    aborted: 'were stopped',
  } as Readonly<Record<string, string>>,
  searched: (count: number, source: string, noise: string, method: string) =>
    `${count} searches (${method}) from ${source}, with normal noise of ${noise} of the size of the parameters.`,
  ended: (parts: readonly string[]) => `Of these ${parts.join(', ')}.`,
  more: (count: number) => `The first of ${count} points; results/critical.json has all.`,
  table: 'By loss; the inertia counts negative, zero and positive eigenvalues, “found” the searches that led there.',
}

const chinese: typeof english = {
  space: '',
  times: (n) => `${n} 次`,
  section: '临界点',
  title: '指数与损失',
  loss: '损失',
  index: '负特征值所占比例',
  points: '临界点个数',
  starts: '起点个数',
  caption: '每个标记是一个临界点；因对称性而相同的点，以及位于同一平坦集合上的点，只画一次。',
  verdict: '结论',
  share: '指数',
  found: '次数',
  none: '没有搜索到达临界点。',
  sources: { trajectory: '训练检查点', initializations: '新的初始化', parameters: '给定的参数' },
  outcomes: {
    converged: '到达临界点',
    'gradient-flat': '停在梯度几乎位于黑塞矩阵核内之处',
    stalled: '停滞',
    'max-iterations': '达到步数上限',
    'non-finite': '数值不再有限',
    'time-limit': '因时间上限而停止',
    aborted: '被停止',
  },
  searched: (count, source, noise, method) =>
    `共 ${count} 次搜索（${method}），起点为${source}，附加正态噪声（相对于参数大小）${noise}。`,
  ended: (parts) => `其中：${parts.join('，')}。`,
  more: (count) => `共 ${count} 个点，此处为前若干个；全部见 results/critical.json。`,
  table: '按损失排列；惯性指数依次为负、零、正特征值的个数，“次数”为到达该点的搜索数。',
}

const order = Object.keys(english.outcomes)

const wordsOf = (lang: Language): typeof english => (lang === 'zh' ? chinese : english)

export interface IndexFigureData {
  readonly table: readonly IndexRow[]
  readonly starts: number
  readonly model: string
}

/** Index against loss (Dauphin et al. 2014, Fig. 1), one group per verdict. */
export function indexFigure({ table, starts, model }: IndexFigureData, lang: Language): ScatterPlot {
  const w = wordsOf(lang)
  const kinds = [...new Set(table.map(({ verdict }) => verdict))].sort()
  return {
    kind: 'scatter-plot',
    lang,
    title: `${w.title} — ${model}`,
    caption: w.caption,
    settings: [
      { name: w.points, value: table.length },
      { name: w.starts, value: starts },
    ],
    x: { label: w.loss },
    y: { label: w.index, format: 'percent' },
    groups: kinds.map((kind) => {
      const of = table.filter(({ verdict }) => verdict === kind)
      return {
        name: verdictName(kind, lang),
        x: of.map(({ loss }) => loss),
        y: of.map(({ indexFraction }) => indexFraction),
      }
    }),
  }
}

/** The section of a report. */
export function criticalSection(d: ShownCritical, figure: Figure | undefined, lang: Language): Section {
  const w = wordsOf(lang)
  const { count, source, noise } = d.starts
  const reached = Object.entries(d.outcomes).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
  const outcomes = reached.map(([name, n]) => `${w.times(n)}${w.outcomes[name] ?? name}`)
  const searched = w.searched(count, w.sources[source], noise.join(', '), d.method)
  const text = [
    ...partSentence(d.data.subset, lang),
    searched,
    ...(outcomes.length > 0 ? [w.ended(outcomes)] : []),
  ].join(w.space)
  if (!figure)
    return { id: 'critical', title: w.section, blocks: [{ kind: 'paragraph', text: `${text}\n\n${w.none}` }] }
  const rest = d.table.length > rowsMax ? ` ${w.more(d.table.length)}` : ''
  return {
    id: 'critical',
    title: w.section,
    blocks: [
      { kind: 'paragraph', text },
      { kind: 'figures', figures: [figure] },
      {
        kind: 'table',
        caption: w.table + rest,
        columns: [
          { label: w.verdict },
          { label: w.loss, align: 'right' },
          { label: '(−, 0, +)', align: 'right' },
          { label: w.share, align: 'right' },
          { label: w.found, align: 'right' },
        ],
        rows: d.table
          .slice(0, rowsMax)
          .map(({ verdict, loss, negative, zero, positive, indexFraction, found }) => [
            verdictName(verdict, lang),
            loss,
            `(${negative}, ${zero}, ${positive})`,
            formatPercent(indexFraction),
            found,
          ]),
      },
    ],
  }
}
