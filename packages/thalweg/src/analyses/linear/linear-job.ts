import { DomainError, numbersOf, sizeOf } from '@thalweg/graph'
import { builtinDatasets, linearProblemFromRows, linearReport, matrix, sampleCount } from '@thalweg/landscape'
import type { Dataset, LinearReport, Matrix } from '@thalweg/landscape'
import { writeFileAtomic } from '../../files/write-atomic.ts'
import type { Selection } from '../../formats/dataset-from-arrays.ts'
import { loadData } from '../../formats/load-data.ts'
import type { Language } from '../../report/scene.ts'
import { ladderFigure } from './linear-section.ts'
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
  readonly model: { readonly path: null; readonly parameters: number }
  readonly dtype: 'float64'
  readonly data: object
  readonly loss: object
  readonly warnings: readonly string[]
}

/** All critical points of a deep linear network on a data set, in closed form, each kind verified on a representative. */
export async function linearJob(argument: LinearArgument): Promise<LinearDocument> {
  const { data, input, target, widths } = argument
  const dataset = await loadValues(data.length === 1 ? data[0] : data, { input, target }, widths[widths.length - 1])
  const document = linearDocument(dataset, data.join(','), argument)
  if (argument.figure !== undefined) {
    const { renderSvg } = await import('../../report/render-svg.ts')
    await writeFileAtomic(argument.figure, renderSvg(ladderFigure(document, argument.lang)))
  }
  return document
}

/** The same of data that are loaded. */
export function linearDocument(
  dataset: Dataset,
  path: string,
  { widths, limit }: Pick<LinearArgument, 'widths' | 'limit'>,
): LinearDocument {
  const inputs = Object.values(dataset.inputs)
  if (inputs.length !== 1)
    throw new DomainError(
      `linear: needs one input, got ${Object.keys(dataset.inputs).join(', ')}. Choose one by --input.`,
    )
  const problem = linearProblemFromRows(rowsOf(inputs[0]), targetRows(dataset), widths, {
    sampleWeights: dataset.sampleWeights,
  })
  const report = linearReport(problem, { limit })
  return {
    model: { path: null, parameters: parametersOf(widths) },
    dtype: 'float64',
    data: { path, samples: sampleCount(dataset) },
    loss: { name: 'half-sum-squares', reduction: 'sum', value: report.globalMinimum },
    ...report,
    warnings: [...report.assumptions.warnings, ...notesOf(report, dataset)],
  }
}

/** Files are read as regression, unless their one column of targets is class labels and the network has an output for each;
 * a built-in classification stays one. */
async function loadValues(source: string | readonly string[], selection: Selection, outputs: number): Promise<Dataset> {
  const builtin = typeof source === 'string' && Object.hasOwn(builtinDatasets, source.split(':', 1)[0])
  if (builtin) return loadData(source, selection)
  const values = await loadData(source, { ...selection, task: 'regression' })
  if (outputs === 1 || sizeOf(values.targets.shape.slice(1)) > 1) return values
  const labels = await loadData(source, { ...selection, classCount: outputs })
  return labels.task === 'classification' ? labels : values
}

function parametersOf(widths: readonly number[]): number {
  return widths.slice(1).reduce((sum, w, i) => sum + w * widths[i], 0)
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
