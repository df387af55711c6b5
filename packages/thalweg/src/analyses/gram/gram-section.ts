import type { SweepExponents, SweepRun } from '@thalweg/landscape'
import { formatMeasured, formatNumber, formatPercent } from '../../report/format-number.ts'
import type { Block, Fact, Section, Table } from '../../report/report.ts'
import type { Figure, LineChart, Series } from '../../report/scene.ts'
import type { Language } from '../../report/scene.ts'

/** What is shown of the document of `thalweg gram MODEL`. */
export interface ShownGram {
  readonly data: { readonly samples: number }
  readonly lambdaMin: Bounded & { readonly method: string }
  readonly largestEigenvalue: number
  readonly stabilityLimit: number
  readonly convergence?: ShownConvergence
  readonly sweep?: {
    readonly runs: readonly SweepRun[]
    readonly exponents: SweepExponents
    readonly threshold: { readonly bound: number | null; readonly proof: number | null }
  }
  readonly depths?: { readonly points: readonly { readonly depth: number; readonly runs: readonly SweepRun[] }[] }
  readonly checkpoints?: readonly {
    readonly checkpoint: string
    readonly loss: number
    readonly lambdaMin: Bounded
    readonly drift: number
    readonly relativeMovement: number
  }[]
  readonly advice: readonly string[]
}

interface Bounded {
  readonly value: number
  readonly bound: number
}

export interface ShownConvergence {
  readonly stepSize: { readonly used: number; readonly stability: number }
  readonly losses: readonly number[]
  readonly points: readonly ConvergenceRow[]
  readonly linearized: boolean
  readonly check: {
    readonly theorem: { readonly name: string; readonly width: { readonly value: number } } | null
    readonly lambdaMin: Bounded
    readonly initialDistance: number
    readonly violations: number
  } | null
}

export interface ConvergenceRow {
  readonly step: number
  readonly loss: number
  readonly bound: number | null
  readonly predictedLoss: number
  readonly predictionError: number
  readonly flowLoss: number
  readonly gramDrift: number
  readonly lambdaMin: number
  readonly movement: readonly { readonly absolute: number; readonly relative: number }[]
}

const english = {
  section: 'Gram matrix: predicted and measured convergence',
  convention:
    'The Gram matrix G = J Jᵀ of the network at the start of training, and gradient descent from there on ½ Σ ‖f − y‖², the loss of the theory (Du et al. 2019), whatever loss was trained.',
  noBound: 'No theorem gives a bound for this network; the prediction by the fixed Gram matrix holds for any.',
  limit: 'λ_min of the limit',
  lambda: 'λ_min(G)',
  largest: 'λ_max(G)',
  stable: 'Stable step sizes',
  below: (value: string) => `below ${value}`,
  violations: 'Steps above the bound',
  of: (steps: number) => `of ${steps}`,
  width: 'Width that the theorem asks for',
  regime: 'Regime',
  linear: 'kernel regime',
  notLinear: 'left the kernel regime',
  error: (share: string) => `outputs at most ${share} off the linear prediction`,
  title: 'Loss, its bound and its predictions',
  caption:
    'Bound: (1 − ηλ/2)ᵏ L(0). Prediction: the Gram matrix at the start, held fixed. Flow: the same in continuous time.',
  step: 'step',
  loss: 'loss',
  measured: 'measured',
  bound: 'bound',
  predicted: 'fixed Gram matrix',
  changeOfGram: 'change of G',
  flow: 'gradient flow',
  stepSize: 'step size',
  samples: 'samples',
  change: 'How far weights and Gram matrix move',
  changeCaption: 'Small changes mean that the network trains as its linearization.',
  relative: 'relative change',
  drift: 'Gram matrix',
  movement: 'weights, largest layer',
  sweep: 'The same over widths',
  sweepCaption: 'Median over the networks of a width after training; the band spans them.',
  widthAxis: 'width',
  quantities: {
    movement: 'movement of the weights',
    relativeMovement: 'relative movement',
    gramDrift: 'change of the Gram matrix',
    initialDistance: 'distance of the start from the limit',
  } satisfies Record<keyof SweepExponents, string>,
  quantity: 'quantity',
  law: 'exponent of the width',
  threshold: (bound: string, proof: string) =>
    `The bound holds from width ${bound} on, the conditions of the proof from ${proof} on.`,
  noWidth: 'none that was swept',
  depth: 'depth',
  steps: 'steps to 1 % of the loss',
  left: 'loss left',
  depths: 'Medians over the networks of a depth.',
  checkpoint: 'checkpoint',
  checkpoints: 'The Gram matrix along the training of this run.',
}

const chinese: typeof english = {
  section: '格拉姆矩阵：预测与实测的收敛',
  convention:
    '网络在训练起点的格拉姆矩阵 G = J Jᵀ，以及由该点出发、在理论所用损失 ½ Σ ‖f − y‖² 上的梯度下降（Du 等 2019）；与实际训练所用的损失无关。',
  noBound: '对该网络没有定理给出上界；由固定格拉姆矩阵作出的预测对任何网络都适用。',
  limit: '极限核的 λ_min',
  lambda: 'λ_min(G)',
  largest: 'λ_max(G)',
  stable: '稳定的步长',
  below: (value) => `小于 ${value}`,
  violations: '超出上界的步数',
  of: (steps) => `共 ${steps} 步`,
  width: '定理要求的宽度',
  regime: '状态',
  linear: '核状态',
  notLinear: '非核状态',
  error: (share) => `输出与线性预测相差不超过 ${share}`,
  title: '损失、其上界与预测',
  caption: '上界：(1 − ηλ/2)ᵏ L(0)。预测：保持起点的格拉姆矩阵不变。梯度流：其连续时间形式。',
  step: '步数',
  loss: '损失',
  measured: '实测',
  bound: '上界',
  predicted: '固定格拉姆矩阵',
  changeOfGram: 'G 的变化',
  flow: '梯度流',
  stepSize: '步长',
  samples: '样本数',
  change: '权重与格拉姆矩阵的变化',
  changeCaption: '变化小说明网络如同其线性化那样训练。',
  relative: '相对变化',
  drift: '格拉姆矩阵',
  movement: '权重（变化最大的层）',
  sweep: '随宽度的变化',
  sweepCaption: '同一宽度各网络训练后的中位数；色带为其范围。',
  widthAxis: '宽度',
  quantities: {
    movement: '权重的移动',
    relativeMovement: '相对移动',
    gramDrift: '格拉姆矩阵的变化',
    initialDistance: '起点与极限的距离',
  },
  quantity: '量',
  law: '宽度的指数',
  threshold: (bound, proof) => `上界自宽度 ${bound} 起成立，证明的条件自 ${proof} 起成立。`,
  noWidth: '（所测宽度中没有）',
  depth: '深度',
  steps: '损失降至 1 % 所需步数',
  left: '剩余损失',
  depths: '同一深度各网络的中位数。',
  checkpoint: '检查点',
  checkpoints: '本次训练过程中的格拉姆矩阵。',
}

const wordsOf = (lang: Language): typeof english => (lang === 'zh' ? chinese : english)

/** The figures of a Gram matrix, by file name. */
export function gramFigures(d: ShownGram, lang: Language): Record<string, Figure> {
  const { convergence, sweep } = d
  return {
    ...(convergence && convergence.points.length > 0 && convergenceFigures(d, convergence, lang)),
    ...(sweep && { 'gram-widths': sweepFigure(sweep.runs, lang) }),
  }
}

function convergenceFigures(
  { data }: ShownGram,
  { points, losses, stepSize }: ShownConvergence,
  lang: Language,
): Record<string, Figure> {
  const w = wordsOf(lang)
  const x = points.map(({ step }) => step)
  const line = (name: string, y: (number | null)[], style: Series['style'] = 'dashed'): Series => ({
    ...{ name, x, y, style, markers: true },
  })
  const bounded = points.some(({ bound }) => bound !== null)
  const common = {
    kind: 'line-chart' as const,
    lang,
    settings: [
      { name: w.stepSize, value: Number(stepSize.used.toPrecision(4)) },
      { name: w.samples, value: data.samples },
    ],
    x: { label: w.step },
  }
  const steps = losses.map((_, step) => step)
  const measured: Series = { name: w.measured, x: steps, y: losses, style: 'solid', markers: false }
  const predictions = [
    ...(bounded
      ? [
          line(
            w.bound,
            points.map(({ bound }) => bound),
          ),
        ]
      : []),
    line(
      w.predicted,
      points.map(({ predictedLoss }) => predictedLoss),
    ),
    line(
      w.flow,
      points.map(({ flowLoss }) => flowLoss),
    ),
  ]
  const later = points.filter(({ step }) => step > 0)
  const change = (name: string, of: (row: ConvergenceRow) => number): Series => ({
    ...{ name, x: later.map(({ step }) => step), y: later.map(of), markers: true },
  })
  const moved = (row: ConvergenceRow): number => Math.max(...row.movement.map(({ relative }) => relative))
  return {
    gram: {
      ...common,
      title: w.title,
      caption: w.caption,
      y: { label: w.loss, scale: 'log' },
      series: [measured, ...predictions],
    } satisfies LineChart,
    'gram-change': {
      ...common,
      title: w.change,
      caption: w.changeCaption,
      y: { label: w.relative, scale: 'log' },
      series: [change(w.drift, ({ gramDrift }) => gramDrift), change(w.movement, moved)],
    } satisfies LineChart,
  }
}

function sweepFigure(runs: readonly SweepRun[], lang: Language): Figure {
  const w = wordsOf(lang)
  const keys = Object.keys(w.quantities) as (keyof SweepExponents)[]
  const x = [...new Set(runs.map(({ width }) => width))]
  const series = keys.map((key): Series => {
    const found = x.map((width) => runs.filter((run) => run.width === width).map((run) => run[key]))
    const [lower, upper] = [found.map((values) => Math.min(...values)), found.map((values) => Math.max(...values))]
    return { name: w.quantities[key], x, y: found.map(median), lower, upper, markers: true }
  })
  return {
    kind: 'line-chart',
    lang,
    title: w.sweep,
    caption: w.sweepCaption,
    x: { label: w.widthAxis, scale: 'log' },
    y: { label: w.quantity, scale: 'log' },
    series,
  }
}

/** The section of a report. */
export function gramSection(d: ShownGram, figures: Readonly<Record<string, Figure>>, lang: Language): Section {
  const w = wordsOf(lang)
  const { convergence } = d
  const bounded = convergence?.check?.theorem
  // sentences of the laboratory that exist in English only
  const advice = lang === 'en' ? d.advice : []
  const text = [w.convention, ...(convergence && !bounded ? [w.noBound] : [])]
  const drawn = (names: readonly string[]): Block[] => {
    const there = names.flatMap((name) => figures[name] ?? [])
    return there.length > 0 ? [{ kind: 'figures', figures: there }] : []
  }
  return {
    id: 'gram',
    title: w.section,
    blocks: [
      { kind: 'paragraph', text: text.join('\n\n') },
      { kind: 'facts', facts: [...eigenvalueFacts(d, lang), ...(convergence ? runFacts(convergence, lang) : [])] },
      ...drawn(['gram', 'gram-change']),
      ...(convergence ? [pointTable(convergence.points, lang)] : []),
      ...drawn(['gram-widths']),
      ...(d.sweep ? [sweepTable(d.sweep, lang)] : []),
      ...(d.depths ? [depthTable(d.depths.points, lang)] : []),
      ...(d.checkpoints ? [checkpointTable(d.checkpoints, lang)] : []),
      ...(advice.length > 0 ? [{ kind: 'paragraph' as const, text: advice.join('\n\n') }] : []),
    ],
  }
}

const within = ({ bound }: Bounded): string => `± ${formatNumber(bound, { digits: 2 })}`

function eigenvalueFacts({ lambdaMin, largestEigenvalue, stabilityLimit }: ShownGram, lang: Language): Fact[] {
  const w = wordsOf(lang)
  return [
    { label: w.lambda, value: lambdaMin.value, note: `${within(lambdaMin)}, ${lambdaMin.method}` },
    { label: w.largest, value: largestEigenvalue },
    { label: w.stable, value: w.below(formatNumber(stabilityLimit)), note: '2 / λ_max' },
  ]
}

function runFacts({ check, points, losses, linearized }: ShownConvergence, lang: Language): Fact[] {
  const w = wordsOf(lang)
  const worst = Math.max(...points.map(({ predictionError }) => predictionError))
  const regime = { label: w.regime, value: linearized ? w.linear : w.notLinear, note: w.error(formatPercent(worst)) }
  if (!check) return [regime]
  const { theorem, lambdaMin, violations } = check
  return [
    { label: w.limit, value: lambdaMin.value, note: within(lambdaMin) },
    ...(theorem
      ? [
          { label: w.violations, value: violations, note: w.of(losses.length - 1) },
          { label: w.width, value: theorem.width.value, note: theorem.name },
        ]
      : []),
    regime,
  ]
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]

const right = (labels: readonly string[]): Table['columns'] => labels.map((label) => ({ label, align: 'right' }))

function pointTable(points: readonly ConvergenceRow[], lang: Language): Table {
  const w = wordsOf(lang)
  return {
    kind: 'table',
    columns: right([w.step, w.measured, w.bound, w.predicted, w.flow, w.changeOfGram, 'λ_min']),
    rows: points.map(({ step, loss, bound, predictedLoss, flowLoss, gramDrift, lambdaMin }) => [
      ...[step, loss, bound, predictedLoss, flowLoss],
      formatPercent(gramDrift),
      lambdaMin,
    ]),
  }
}

function sweepTable({ exponents, threshold }: NonNullable<ShownGram['sweep']>, lang: Language): Table {
  const w = wordsOf(lang)
  const from = (width: number | null): string => (width === null ? w.noWidth : String(width))
  return {
    kind: 'table',
    caption: w.threshold(from(threshold.bound), from(threshold.proof)),
    columns: [{ label: w.quantity }, { label: w.law, align: 'right' }],
    rows: Object.entries(exponents).map(([name, { exponent, standardError }]) => [
      w.quantities[name as keyof SweepExponents],
      formatMeasured(exponent, standardError),
    ]),
  }
}

function depthTable(points: NonNullable<ShownGram['depths']>['points'], lang: Language): Table {
  const w = wordsOf(lang)
  return {
    kind: 'table',
    caption: w.depths,
    columns: right([w.depth, w.steps, w.left]),
    rows: points.map(({ depth, runs }) => {
      const steps = median(runs.map(({ stepsToTarget }) => stepsToTarget ?? Number.POSITIVE_INFINITY))
      const left = median(runs.map(({ finalLoss, initialLoss }) => finalLoss / initialLoss))
      return [depth, Number.isFinite(steps) ? steps : null, formatPercent(left)]
    }),
  }
}

function checkpointTable(checkpoints: NonNullable<ShownGram['checkpoints']>, lang: Language): Table {
  const w = wordsOf(lang)
  return {
    kind: 'table',
    caption: w.checkpoints,
    columns: [{ label: w.checkpoint }, ...right([w.loss, 'λ_min', w.changeOfGram, w.quantities.relativeMovement])],
    rows: checkpoints.map(({ checkpoint, loss, lambdaMin, drift, relativeMovement }) => [
      checkpoint.replace('.safetensors', ''),
      loss,
      lambdaMin.value,
      formatPercent(drift),
      formatPercent(relativeMovement),
    ]),
  }
}
