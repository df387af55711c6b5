import { DomainError, numbersOf } from '@thalweg/graph'
import { builtinDatasets, linearProblemFromRows, linearReport, matrix, sampleCount } from '@thalweg/landscape'
import type { Dataset, LinearReport, Matrix } from '@thalweg/landscape'
import { writeFileAtomic } from '../files/write-atomic.ts'
import type { Selection } from '../formats/dataset-from-arrays.ts'
import { loadData } from '../formats/load-data.ts'
import type { LadderLevel, ValueLadder } from '../report/scene.ts'
import type { Language } from './diagnosis-document.ts'
import { rowsOf } from './linear-theory.ts'

export interface LinearArgument {
  readonly data: readonly string[]
  readonly input?: readonly string[]
  readonly target?: string
  readonly widths: readonly number[]
  readonly limit?: number
  /** SVG of the ladder of critical values. */
  readonly figure?: string
  readonly lang: Language
}

export type LinearDocument = LinearReport & {
  readonly data: object
  readonly loss: object
  readonly warnings: readonly string[]
}

/** All critical points of a deep linear network on a data set, in closed form, each kind verified on a representative. */
export async function linearJob(argument: LinearArgument): Promise<LinearDocument> {
  const { data, input, target, widths } = argument
  const dataset = await loadValues(data.length === 1 ? data[0] : data, { input, target })
  const inputs = Object.values(dataset.inputs)
  if (inputs.length !== 1)
    throw new DomainError(
      `linear: needs one input, got ${Object.keys(dataset.inputs).join(', ')}. Choose one by --input.`,
    )
  const problem = linearProblemFromRows(rowsOf(inputs[0]), targetRows(dataset), widths, {
    sampleWeights: dataset.sampleWeights,
  })
  const report = linearReport(problem, { limit: argument.limit })
  if (argument.figure !== undefined) {
    const { renderSvg } = await import('../report/render-svg.ts')
    await writeFileAtomic(argument.figure, renderSvg(ladder(report, argument.lang)))
  }
  return {
    data: { path: data.join(','), samples: sampleCount(dataset) },
    loss: { name: 'half-sum-squares', reduction: 'sum', value: report.globalMinimum },
    ...report,
    warnings: [...report.assumptions.warnings, ...notesOf(report, dataset)],
  }
}

/** Files are read as regression; a built-in classification stays one. */
async function loadValues(source: string | readonly string[], selection: Selection): Promise<Dataset> {
  const builtin = typeof source === 'string' && Object.hasOwn(builtinDatasets, source.split(':', 1)[0])
  return loadData(source, { ...selection, ...(!builtin && { task: 'regression' as const }) })
}

/** Targets as rows; class labels one-hot. */
function targetRows({ targets, classCount }: Dataset): Matrix {
  if (targets.dtype !== 'int64' || classCount === undefined) return rowsOf(targets)
  const labels = numbersOf(targets)
  const hot = new Float64Array(labels.length * classCount)
  labels.forEach((label, i) => {
    hot[i * classCount + label] = 1
  })
  return matrix(labels.length, classCount, hot)
}

function notesOf({ verification }: LinearReport, dataset: Dataset): string[] {
  const { rescaled, disagreements } = verification
  return [
    ...(dataset.task === 'classification' ? ['Class labels are one-hot targets here.'] : []),
    ...(rescaled > 0
      ? [
          `The data are badly scaled: the inertia of ${rescaled} representatives was taken in units in which X has singular values 1. It is the same in the given units, where eigenvalues differ by too many powers of ten.`,
        ]
      : []),
    ...disagreements.map((text) => `Theory and measurement disagree at ${text}.`),
  ]
}

/** Critical values as rungs, equal kinds of one value on one rung. */
function ladder(report: LinearReport, lang: Language): ValueLadder {
  return {
    kind: 'value-ladder',
    lang,
    title: `Critical values of a linear network, widths ${report.widths.join('-')}`,
    caption: 'Loss of every class of critical points; S is the set of eigenvalues of Σ that the class keeps.',
    settings: [
      { name: 'loss', value: '½ Σ‖ŷ − y‖²' },
      { name: 'classes', value: report.classCount },
    ],
    y: { label: 'loss' },
    levels: report.classes.slice(0, 40).map((each): LadderLevel => {
      const canonical = each.representatives.find((r) => r.canonical)
      return {
        value: each.loss,
        label: `{${each.subset.join(', ')}}`,
        kind: each.kinds.length > 1 ? 'both-saddles' : each.kinds[0],
        ...(canonical?.inertia && { inertia: canonical.inertia }),
      }
    }),
  }
}
