import { formatMeasured, formatNumber } from '../../report/format-number.ts'
import type { Block, Fact, Section, Table } from '../../report/report.ts'
import type { EigenvalueStems, Figure, Setting, SpectralDensity } from '../../report/scene.ts'
import type { Language } from '../../report/scene.ts'
import { partSentence } from '../sampled-subject.ts'
import type { SampledPart } from '../sampled-subject.ts'

/** What is shown of the document of `thalweg spectrum`. */
export interface ShownSpectrum extends ShownPart {
  readonly operator: string
  readonly size: number
  readonly samples: number
  readonly data: { readonly subset?: SampledPart }
  readonly layers?: readonly (ShownPart & { readonly name: string; readonly size: number })[]
}

interface ShownPart {
  readonly eigenvalues: {
    readonly method: string
    readonly products: number
    readonly top: readonly Pair[]
    readonly bottom: readonly Pair[]
    readonly all?: readonly number[]
    readonly near?: {
      readonly target: number
      readonly status: string
      readonly pairs: readonly Pair[]
      readonly equal?: number
      readonly floor?: { readonly value: number; readonly count: number }
    }
  }
  readonly morseIndex: { readonly value: number; readonly threshold: number; readonly exact: boolean }
  readonly trace: Estimate | null
  readonly frobeniusNorm: Estimate | null
  readonly effectiveRank: number | null
  readonly density?: {
    readonly grid: readonly number[]
    readonly values: readonly number[]
    readonly standardErrors: readonly number[]
    readonly sigma: number
    readonly probes: number
  }
}

interface Pair {
  readonly value: number
  readonly residualNorm: number
  readonly converged: boolean
}

interface Estimate {
  readonly value: number
  readonly standardError: number
  readonly method: string
}

const english = {
  title: (operator: string) => `Spectrum of the ${operator}`,
  operators: {
    hessian: 'Hessian',
    ggn: 'generalized Gauss-Newton matrix',
    fisher: 'Fisher matrix',
    'empirical-fisher': 'empirical Fisher matrix',
    gram: 'Gram matrix',
  } as Readonly<Record<string, string>>,
  density: 'Spectral density',
  densityCaption:
    'Share of eigenvalues per unit of λ, smoothed by a normal curve of width σ; ticks are known eigenvalues.',
  densityBand: ' The band is one standard error over the probes.',
  ends: 'Both ends of the spectrum',
  trace: 'Trace',
  frobenius: 'Frobenius norm',
  rank: 'Effective rank',
  rankNote: '(tr A)² / ‖A‖²_F',
  negative: 'Negative eigenvalues',
  atLeast: 'at least',
  of: (size: number, method: string) => `of ${size}; ${method}`,
  method: 'method',
  products: 'products',
  samples: 'samples',
  probes: 'probes',
  layers: 'The diagonal block of every layer',
  layer: 'layer',
  size: 'parameters',
  largest: 'largest',
  smallest: 'smallest',
  near: (target: string) => `Eigenvalues closest to ${target}`,
  stop: '. ',
  nearUnproved: 'Within the error of each lies some eigenvalue; that none is closer is not proved.',
  nearEqual: (count: string) => `${count} equal it up to rounding.`,
  nearFloor: (value: string, count: string) => `${value}, at least ${count} times, by the form of the matrix`,
  converged: 'converged',
  yes: 'yes',
  no: 'no',
}

const chinese: typeof english = {
  title: (operator) => `${operator}的谱`,
  operators: {
    hessian: '黑塞矩阵',
    ggn: '广义高斯-牛顿矩阵',
    fisher: '费希尔矩阵',
    'empirical-fisher': '经验费希尔矩阵',
    gram: '格拉姆矩阵',
  },
  density: '谱密度',
  densityCaption: '单位 λ 内特征值的比例，以宽度为 σ 的正态曲线平滑；短线为已知特征值。',
  densityBand: '色带为各探针间的一个标准误差。',
  ends: '谱的两端',
  trace: '迹',
  frobenius: '弗罗贝尼乌斯范数',
  rank: '有效秩',
  rankNote: '(tr A)² / ‖A‖²_F',
  negative: '负特征值个数',
  atLeast: '至少',
  of: (size, method) => `共 ${size} 个；${method}`,
  method: '方法',
  products: '矩阵向量乘积次数',
  samples: '样本数',
  probes: '探针数',
  layers: '各层的对角块',
  layer: '层',
  size: '参数个数',
  largest: '最大',
  smallest: '最小',
  near: (target) => `最接近 ${target} 的特征值`,
  stop: '。',
  nearUnproved: '每个值的误差范围内必有某个特征值；但未证明没有更接近的特征值。',
  nearEqual: (count) => `其中 ${count} 个在舍入误差内与之相等。`,
  nearFloor: (value, count) => `${value}，由矩阵的形式可知至少出现 ${count} 次`,
  converged: '已收敛',
  yes: '是',
  no: '否',
}

const wordsOf = (lang: Language): typeof english => (lang === 'zh' ? chinese : english)

/** The figures of a spectrum, by file name. */
export function spectrumFigures(d: ShownSpectrum, lang: Language): Record<string, Figure> {
  const w = wordsOf(lang)
  const { top, bottom, method, products } = d.eigenvalues
  const settings: Setting[] = [
    { name: w.method, value: `${method}, float64` },
    { name: w.products, value: products },
    { name: w.samples, value: d.samples },
  ]
  const name = w.operators[d.operator]
  const ends: EigenvalueStems = {
    ...{ kind: 'eigenvalue-stems', lang, title: `${w.ends} — ${name}`, settings, y: { label: 'λ' }, top, bottom },
  }
  const shown: Record<string, Figure> = top.length + bottom.length > 0 ? { spectrum: ends } : {}
  return d.density ? { density: densityFigure(d, d.density, lang), ...shown } : shown
}

/** Drawn down to this share of the highest value: what lies below is the tail of the smoothing. */
const densityFloor = 1e-6

function densityFigure(
  { operator, eigenvalues, samples }: ShownSpectrum,
  { grid, values, standardErrors, sigma, probes }: NonNullable<ShownPart['density']>,
  lang: Language,
): SpectralDensity {
  const w = wordsOf(lang)
  const floor = densityFloor * Math.max(...values)
  const drawn = (value: number): number | null => (value > floor ? value : null)
  const { top, bottom, near } = eigenvalues
  const known = eigenvalues.all ?? [...top, ...bottom, ...(near?.pairs ?? [])].map(({ value }) => value)
  return {
    kind: 'spectral-density',
    lang,
    title: `${w.density} — ${w.operators[operator]}`,
    caption: `${w.densityCaption}${probes > 0 ? w.densityBand : ''}`,
    settings: [
      { name: 'σ', value: Number(sigma.toPrecision(3)) },
      ...(probes > 0 ? [{ name: w.probes, value: probes }] : [{ name: w.method, value: eigenvalues.method }]),
      { name: w.samples, value: samples },
    ],
    x: { label: 'λ' },
    y: { label: w.density, scale: 'log' },
    grid,
    values: values.map(drawn),
    // from the dense matrix it is exact
    ...(probes > 0 && {
      lower: values.map((value, i) => drawn(value - standardErrors[i])),
      upper: values.map((value, i) => drawn(value + standardErrors[i])),
    }),
    eigenvalues: known,
  }
}

/** The section of a report.
 * @param figures  those to show; both ends are left out where the report shows them already. */
export function curvatureSection(d: ShownSpectrum, figures: readonly Figure[], lang: Language): Section {
  const w = wordsOf(lang)
  const estimate = (label: string, found: Estimate | null): Fact[] =>
    found === null ? [] : [{ label, value: { value: found.value, error: errorOf(found) }, note: found.method }]
  const { morseIndex } = d
  return {
    id: 'curvature',
    title: w.title(w.operators[d.operator]),
    blocks: [
      ...partSentence(d.data.subset, lang).map((text) => ({ kind: 'paragraph' as const, text })),
      {
        kind: 'facts',
        facts: [
          ...estimate(w.trace, d.trace),
          ...estimate(w.frobenius, d.frobeniusNorm),
          ...(d.effectiveRank === null ? [] : [{ label: w.rank, value: d.effectiveRank, note: w.rankNote }]),
          {
            label: w.negative,
            value: `${morseIndex.exact ? '' : `${w.atLeast} `}${morseIndex.value}`,
            note: w.of(d.size, d.eigenvalues.method),
          },
        ],
      },
      ...(figures.length > 0 ? [{ kind: 'figures' as const, figures }] : []),
      ...nearBlocks(d, lang),
      ...(d.layers ? [layerTable(d.layers, lang)] : []),
    ],
  }
}

/** Null where the value is exact. */
function errorOf({ standardError }: Estimate): number | null {
  return standardError > 0 ? standardError : null
}

/** The eigenvalues near a target as a table, with what it does not prove. */
function nearBlocks({ eigenvalues: { near } }: ShownSpectrum, lang: Language): Block[] {
  if (!near) return []
  const w = wordsOf(lang)
  const caption = w.near(formatNumber(near.target, { trim: true }))
  if (near.floor) {
    const { value, count } = near.floor
    const known = w.nearFloor(formatNumber(value, { trim: true }), formatNumber(count))
    return [{ kind: 'facts', facts: [{ label: caption, value: known }] }]
  }
  const notes = [
    ...(near.status === 'exact' ? [] : [w.nearUnproved]),
    ...(near.equal ? [w.nearEqual(formatNumber(near.equal))] : []),
  ]
  const table: Table = {
    kind: 'table',
    caption: notes.length > 0 ? `${caption}${w.stop}${notes.join(' ')}` : caption,
    columns: [{ label: 'λ ± ‖Av − λv‖', align: 'right' }, { label: w.converged }],
    rows: near.pairs.map((pair) => [formatMeasured(pair.value, pair.residualNorm), pair.converged ? w.yes : w.no]),
  }
  return [table]
}

function layerTable(layers: NonNullable<ShownSpectrum['layers']>, lang: Language): Table {
  const w = wordsOf(lang)
  const end = ([pair]: readonly Pair[]): string => (pair ? formatMeasured(pair.value, pair.residualNorm) : '–')
  return {
    kind: 'table',
    caption: w.layers,
    columns: [
      { label: w.layer },
      ...[w.size, w.largest, w.smallest, w.trace].map((label) => ({ label, align: 'right' as const })),
    ],
    rows: layers.map(({ name, size, eigenvalues, trace }) => [
      name,
      size,
      end(eigenvalues.top),
      end(eigenvalues.bottom),
      trace?.value ?? null,
    ]),
  }
}
