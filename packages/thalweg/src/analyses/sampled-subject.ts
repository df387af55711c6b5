import { randomStream, sampleCount, subset } from '@thalweg/landscape'
import { subjectJson } from '../subject/subject.ts'
import type { Subject } from '../subject/subject.ts'

/** Which part of the data stood in for all of them. */
export interface SampledPart {
  readonly samples: number
  readonly of: number
  readonly seed: number
}

export interface SampledSubject {
  readonly subject: Subject
  /** Null where all data are used. */
  readonly part: SampledPart | null
}

/** The subject on `samples` of its data, drawn by the seed without replacement; itself where that is not less than all.
 * The loss on a part is another function than the loss on all: a warning says so. */
export function sampledSubject(subject: Subject, samples: number | undefined, seed: number): SampledSubject {
  const n = sampleCount(subject.dataset)
  if (samples === undefined || samples >= n) return { subject, part: null }
  const drawn = randomStream(seed, 'samples').permutation(n).slice(0, samples).sort()
  const warning = `Computed on ${samples} of the ${n} samples, drawn with seed ${seed}: another function than the loss on all of them, with other eigenvalues and critical points.`
  return {
    subject: { ...subject, dataset: subset(subject.dataset, drawn), warnings: [...subject.warnings, warning] },
    part: { samples, of: n, seed },
  }
}

/** What a report says of a part; nothing where all data were used. */
export function partSentence(part: SampledPart | undefined, lang: 'en' | 'zh'): string[] {
  if (!part) return []
  const { samples, of, seed } = part
  return lang === 'zh'
    ? [`仅在 ${of} 个样本中由种子 ${seed} 抽取的 ${samples} 个上计算：这与全部样本上的损失是不同的函数。`]
    : [
        `Computed on ${samples} of ${of} samples, drawn with seed ${seed}: another function than the loss on all of them.`,
      ]
}

/** `subjectJson`, with the part of the data named where it is one. */
export function sampledJson({ subject, part }: SampledSubject, lossValue: number, dtype: string): object {
  const head = subjectJson(subject, lossValue, dtype) as { readonly data: object }
  return part === null ? head : { ...head, data: { ...head.data, subset: part } }
}
