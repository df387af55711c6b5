import { parameterCount, sampleCount } from '@thalweg/landscape'
import type { Diagnosis } from '@thalweg/landscape'
import { renderReport } from '../../report/render-report.ts'
import type { Section, VerdictCard } from '../../report/report.ts'
import type { Figure } from '../../report/scene.ts'
import { packageVersion } from '../../runs/manifest.ts'
import type { Subject } from '../../subject/subject.ts'
import { allWarnings } from './diagnosis-document.ts'
import type { Language } from '../../report/scene.ts'

const words = {
  en: {
    spectrum: 'Spectrum',
    eigenvalues: 'Extreme eigenvalues of the Hessian',
    count: 'Inertia',
    loss: 'Loss',
    gradient: 'Gradient norm',
    negative: 'Negative eigenvalues',
    atLeast: 'at least',
    sign: 'sign',
    number: 'number',
    curve: 'Loss along the descent',
    model: 'Model',
    data: 'Data',
    parameters: 'parameters',
    samples: 'samples',
    method: 'method',
    products: 'products',
  },
  zh: {
    spectrum: '谱',
    eigenvalues: '黑塞矩阵的极端特征值',
    count: '惯性指数',
    loss: '损失',
    gradient: '梯度范数',
    negative: '负特征值个数',
    atLeast: '至少',
    sign: '符号',
    number: '个数',
    curve: '沿下降曲线的损失',
    model: '模型',
    data: '数据',
    parameters: '个参数',
    samples: '个样本',
    method: '方法',
    products: '乘积数',
  },
} as const

/** The page of a diagnosis: verdict, evidence, both ends of the spectrum. */
export function diagnosisReport(subject: Subject, diagnosis: Diagnosis, verdict: VerdictCard, lang: Language): string {
  const w = words[lang]
  const { inertia, loss, gradientNorm } = diagnosis
  return renderReport({
    lang,
    title: subject.model.name,
    subtitle: `${parameterCount(subject.model)} ${w.parameters} · ${subject.dataset.name}, ${sampleCount(subject.dataset)} ${w.samples}`,
    verdict,
    facts: [
      { label: w.loss, value: loss, note: `${subject.spec.name}, ${subject.spec.reduction}` },
      { label: w.gradient, value: gradientNorm },
      { label: w.negative, value: inertia.exact ? String(inertia.negative) : `${w.atLeast} ${inertia.negative}` },
    ],
    warnings: allWarnings(subject.warnings, diagnosis, lang),
    sections: [spectrumSection(diagnosis, lang)],
    settings: [
      {
        title: w.model,
        rows: [
          { name: 'path', value: subject.path },
          { name: 'parameters', value: parameterCount(subject.model) },
        ],
      },
      {
        title: w.data,
        rows: [
          { name: 'path', value: subject.dataPath },
          { name: 'digest', value: subject.dataset.digest.slice(0, 16) },
        ],
      },
    ],
    versions: [{ name: 'thalweg', value: packageVersion() }],
    command: `thalweg diagnose ${subject.path}`,
  })
}

/** Both ends of the spectrum with their residuals. */
export function eigenvalueFigure({ eigenvalues, cost }: Diagnosis, lang: Language): Figure {
  return {
    kind: 'eigenvalue-stems',
    lang,
    title: words[lang].eigenvalues,
    settings: [
      { name: words[lang].method, value: `${eigenvalues.method}, float64` },
      { name: words[lang].products, value: cost.products },
    ],
    y: { label: 'λ' },
    top: eigenvalues.top,
    bottom: eigenvalues.bottom,
  }
}

/** Eigenvalues as a figure and the inertia as a table. */
export function spectrumSection(diagnosis: Diagnosis, lang: Language): Section {
  const w = words[lang]
  const { inertia, eigenvalues } = diagnosis
  const bound = (count: number): string => (inertia.exact ? String(count) : `≥ ${count}`)
  return {
    id: 'spectrum',
    title: w.spectrum,
    blocks: [
      { kind: 'figures', figures: [eigenvalueFigure(diagnosis, lang)] },
      {
        kind: 'table',
        caption: `${w.count}, |λ| ≤ ${inertia.threshold.toExponential(1)} = 0`,
        columns: [{ label: w.sign }, { label: w.number, align: 'right' }],
        rows: [
          ['λ < 0', bound(inertia.negative)],
          ['λ = 0', inertia.exact ? String(inertia.zero) : '—'],
          ['λ > 0', bound(inertia.positive)],
        ],
      },
      {
        kind: 'table',
        columns: [
          { label: 'λ', align: 'right' },
          { label: '‖Hv − λv‖', align: 'right' },
        ],
        rows: [...eigenvalues.top, ...eigenvalues.bottom.toReversed()].map((p) => [p.value, p.residualNorm]),
      },
    ],
  }
}
