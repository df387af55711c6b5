import type {
  EliminationMethod,
  EliminationOutcome,
  EliminationPoint,
  EscapeComparison,
  EscapeWay,
} from '@thalweg/landscape'
import type { Section, Table } from '../../report/report.ts'
import type { Figure, LineChart, Series } from '../../report/scene.ts'
import type { Language } from '../../report/scene.ts'
import type { EliminationWords } from './elimination-words.ts'

/** What is shown of the document of `thalweg eliminate`. */
export interface ShownElimination {
  readonly outcome: EliminationOutcome
  readonly summary: string
  readonly lossBefore: number
  readonly lossAfter: number
  readonly modifiedLoss: number
  readonly functionOptimum: number | null
  readonly groupGradientMax: number | null
  readonly lambda: number
  readonly variant: string
  /** Absent for the scaled loss. */
  readonly method?: EliminationMethod | null
  readonly history?: readonly EliminationPoint[]
  readonly comparison?: EscapeComparison
}

const english = {
  section: 'Elimination of bad local minima',
  about:
    'One exponential neuron was added to every output and trained with the network: at a local minimum of the modified loss the network alone has the best value that any function of the input can have (Kawaguchi and Kaelbling 2020). The neurons may instead run to infinity; that is detected and named.',
  outcome: 'Outcome',
  outcomes: {
    certified: 'certified',
    'failure-mode': 'failure mode',
    vacuous: 'vacuous',
    stopped: 'stopped',
  } satisfies Record<EliminationOutcome, string>,
  before: 'Loss before',
  after: 'Loss after',
  withoutNeurons: 'without the neurons',
  modified: 'Modified loss',
  optimum: 'Best of all functions',
  group: 'Largest group gradient',
  title: 'Losses and neurons while both are trained',
  gradientTitle: 'Gradient of the modified loss',
  gradientCaption:
    'Slope −1 is the failure mode: ‖∇L̃‖·t tends to ½ (type A) or 1/gap (type B). At a local minimum it falls exponentially.',
  iteration: 'iteration',
  time: 'time',
  value: 'value',
  loss: 'loss',
  modifiedLoss: 'modified loss',
  gradient: 'gradient norm',
  rms: 'added output (rms)',
  method: 'method',
  none: 'none',
  variant: 'neurons',
  ways: 'Other ways out of the same point, with their cost',
  way: 'way',
  best: 'best loss',
  median: 'median',
  escaped: 'escaped',
  solved: 'solved',
  gradients: 'gradients',
  wayNames: {
    again: 'going on as before',
    restarts: 'restarts',
    'perturbed-gradient-descent': 'perturbed gradient descent',
    wider: 'a net twice as wide',
    elimination: 'elimination',
  } satisfies Record<EscapeWay, string>,
}

const chinese: typeof english = {
  section: '消除坏的局部极小值',
  about:
    '为每个输出添加一个指数神经元并与网络一同训练：在修改后损失的局部极小点，网络本身已达到输入的任何函数所能达到的最优值（Kawaguchi 与 Kaelbling 2020）。附加神经元也可能跑向无穷远；这种情形会被检测并指明。',
  outcome: '结果',
  outcomes: { certified: '已获证书', 'failure-mode': '失效模式', vacuous: '空洞情形', stopped: '已停止' },
  before: '消除前损失',
  after: '消除后损失',
  withoutNeurons: '不含附加神经元',
  modified: '修改后的损失',
  optimum: '所有函数中的最优值',
  group: '最大组梯度',
  title: '一同训练时的损失与附加神经元',
  gradientTitle: '修改后损失的梯度',
  gradientCaption: '斜率 −1 即失效模式：‖∇L̃‖·t 趋于 ½（A 型）或 1/差距（B 型）。在局部极小点附近梯度按指数下降。',
  iteration: '迭代次数',
  time: '时间',
  value: '数值',
  loss: '损失',
  modifiedLoss: '修改后的损失',
  gradient: '梯度范数',
  rms: '附加输出（均方根）',
  method: '方法',
  none: '无',
  variant: '神经元',
  ways: '从同一点出发的其他方法及其代价',
  way: '方法',
  best: '最低损失',
  median: '中位数',
  escaped: '逃离',
  solved: '解决',
  gradients: '梯度次数',
  wayNames: {
    again: '照旧继续',
    restarts: '重新初始化',
    'perturbed-gradient-descent': '扰动梯度下降',
    wider: '宽度加倍的网络',
    elimination: '消除法',
  },
}

const wordsOf = (lang: Language): typeof english => (lang === 'zh' ? chinese : english)

interface Trained {
  readonly history: readonly EliminationPoint[]
  readonly method: EliminationMethod | null
  readonly summary: string
}

/** What happened while the neurons were trained: losses and sizes over time, and the law that tells divergence. */
export function eliminationFigures({ history, method, summary }: Trained, lang: Language): [LineChart, LineChart] {
  const w = wordsOf(lang)
  const shown = history.filter(({ time }) => time > 0)
  const x = shown.map(({ time }) => time)
  const line = (name: string, of: (point: EliminationPoint) => number): Series => ({ name, x, y: shown.map(of) })
  const common = {
    kind: 'line-chart' as const,
    lang,
    settings: [{ name: w.method, value: method ?? w.none }],
    x: { label: method === 'quasi-newton' ? w.iteration : w.time, scale: 'log' as const },
  }
  return [
    {
      ...common,
      title: w.title,
      caption: summary,
      y: { label: w.value, scale: 'log' },
      series: [
        line(w.loss, (p) => p.loss),
        line(w.modifiedLoss, (p) => p.modifiedLoss),
        line('‖a‖', (p) => p.aNorm),
        line('‖b‖', (p) => p.bNorm),
        line('‖w‖', (p) => p.wNorm),
      ],
    },
    {
      ...common,
      title: w.gradientTitle,
      caption: w.gradientCaption,
      y: { label: '‖∇L̃‖', scale: 'log' },
      series: [line(w.gradient, (p) => p.gradientNorm), line(w.rms, (p) => p.neuronRms)],
    },
  ]
}

/** Both figures by file name; none where nothing was trained. */
export function namedEliminationFigures(
  { history = [], method = null, summary }: ShownElimination,
  words: EliminationWords | null,
  lang: Language,
): Record<string, Figure> {
  if (history.length < 2) return {}
  const trained = { history, method, summary: words?.summary ?? summary }
  const [losses, gradient] = eliminationFigures(trained, lang)
  return { elimination: losses, 'elimination-gradient': gradient }
}

/** The section of a report. */
export function eliminationSection(
  d: ShownElimination,
  words: EliminationWords | null,
  figures: Readonly<Record<string, Figure>>,
  lang: Language,
): Section {
  const w = wordsOf(lang)
  const summary = words?.summary ?? d.summary
  const said = words === null || words.vacuity === summary ? [] : [words.vacuity]
  const shown = ['elimination', 'elimination-gradient'].flatMap((name) => figures[name] ?? [])
  return {
    id: 'elimination',
    title: w.section,
    blocks: [
      { kind: 'paragraph', text: [w.about, summary, ...said, ...(words?.advice ?? [])].join('\n\n') },
      {
        kind: 'facts',
        facts: [
          { label: w.outcome, value: w.outcomes[d.outcome], note: `${w.variant}: ${d.variant}, λ = ${d.lambda}` },
          { label: w.before, value: d.lossBefore },
          { label: w.after, value: d.lossAfter, note: w.withoutNeurons },
          { label: w.modified, value: d.modifiedLoss },
          ...(d.functionOptimum === null ? [] : [{ label: w.optimum, value: d.functionOptimum }]),
          ...(d.groupGradientMax === null ? [] : [{ label: w.group, value: d.groupGradientMax }]),
        ],
      },
      ...(shown.length > 0 ? [{ kind: 'figures' as const, figures: shown }] : []),
      ...(d.comparison ? [comparisonTable(d.comparison, lang)] : []),
    ],
  }
}

function comparisonTable({ rows }: EscapeComparison, lang: Language): Table {
  const w = wordsOf(lang)
  return {
    kind: 'table',
    caption: w.ways,
    columns: [
      { label: w.way },
      ...[w.best, w.median, w.escaped, w.solved, w.gradients].map((label) => ({ label, align: 'right' as const })),
    ],
    rows: rows.map(({ way, attempts, best, median, escaped, solved, gradients }) => [
      w.wayNames[way],
      best,
      median,
      `${escaped}/${attempts}`,
      `${solved}/${attempts}`,
      gradients,
    ]),
  }
}
