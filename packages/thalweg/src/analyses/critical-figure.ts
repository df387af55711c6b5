import { verdictName } from '@thalweg/landscape'
import type { FindManyResult, VerdictKind } from '@thalweg/landscape'
import type { ScatterPlot } from '../report/scene.ts'
import type { Subject } from '../subject/subject.ts'
import type { Language } from './diagnosis-document.ts'

const words = {
  en: {
    title: 'Index against loss',
    loss: 'loss',
    index: 'share of negative eigenvalues',
    points: 'critical points',
    starts: 'starts',
    caption: 'Each mark is a critical point, those that are one modulo symmetry once.',
  },
  zh: {
    title: '指数与损失',
    loss: '损失',
    index: '负特征值所占比例',
    points: '临界点个数',
    starts: '起点个数',
    caption: '每个标记是一个临界点；因对称性而相同的点只画一次。',
  },
} as const

/** Index against loss (Dauphin et al. 2014, Fig. 1), one group per verdict. */
export function indexFigure({ points, searches }: FindManyResult, subject: Subject, lang: Language): ScatterPlot {
  const w = words[lang]
  const kinds = [...new Set(points.map(({ verdict }): VerdictKind => verdict))].sort()
  return {
    kind: 'scatter-plot',
    lang,
    title: `${w.title} — ${subject.model.name}`,
    caption: w.caption,
    settings: [
      { name: w.points, value: points.length },
      { name: w.starts, value: searches.length },
    ],
    x: { label: w.loss },
    y: { label: w.index, format: 'percent' },
    groups: kinds.map((kind) => {
      const of = points.filter(({ verdict }) => verdict === kind)
      return {
        name: verdictName(kind, lang),
        x: of.map(({ loss }) => loss),
        y: of.map(({ indexFraction }) => indexFraction),
      }
    }),
  }
}
