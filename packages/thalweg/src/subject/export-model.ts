import { extname, resolve } from 'node:path'
import { DomainError } from '@thalweg/graph'
import type { FloatDType } from '@thalweg/graph'
import type { DerivativeName, DerivativeOptions, DerivativeValue, Model } from '@thalweg/landscape'
import { openAnyModel } from '../experiment/open-any-model.ts'
import { writeFileAtomic } from '../files/write-atomic.ts'
import { exportDerivative } from '../models/export-derivative.ts'
import { openSubject } from './subject.ts'
import type { SubjectArgument } from './subject.ts'

export interface ExportArgument {
  readonly subject: SubjectArgument
  readonly what: DerivativeName
  /** `.onnx` file; the parameters go into the `.npz` of the same name. */
  readonly out: string
  readonly batch?: number
  readonly dtype: FloatDType
  readonly parameters: 'flat' | 'named'
}

export interface ExportedFiles {
  readonly files: readonly string[]
  readonly inputs: readonly DerivativeValue[]
  readonly outputs: readonly DerivativeValue[]
  readonly warnings: readonly string[]
}

/** Writes a model's outputs, its loss or a derivative as an ONNX file, and the point θ beside it. Only what hangs on a loss
 * needs data, and of the data only the kind of targets matters.
 * @throws {DomainError} if a file that it reads would be overwritten; what `openSubject` throws. */
export async function exportModel(argument: ExportArgument): Promise<ExportedFiles> {
  const { what, out, batch = 1, dtype, parameters } = argument
  const beside = `${out.slice(0, -extname(out).length)}.npz`
  refuseOwnInputs([out, beside], argument.subject)
  const { model, theta, warnings, ...loss } = await subjectOf(argument)
  const file = exportDerivative(what, theta, { model, ...loss, batch, dtype, parameters })
  await writeFileAtomic(out, file.bytes)
  await writeFileAtomic(beside, file.parameters)
  return { files: [out, beside], inputs: file.inputs, outputs: file.outputs, warnings }
}

/** Files of one name often lie together: the parameters of `m.onnx` would replace the data `m.npz`. */
function refuseOwnInputs(written: readonly string[], { model, data = [] }: SubjectArgument): void {
  const read = new Set([model, ...data].map((path) => resolve(path)))
  const lost = written.find((path) => read.has(resolve(path)))
  if (lost !== undefined)
    throw new DomainError(`--out: ${lost} would be overwritten, but it is what the export reads. Use another name.`)
}

type Exported = Pick<DerivativeOptions, 'spec' | 'weightDecay' | 'targets' | 'weighted'> & {
  readonly model: Model
  readonly theta: Float64Array
  readonly warnings: readonly string[]
}

async function subjectOf({ subject, what }: ExportArgument): Promise<Exported> {
  const lossless = what === 'outputs' || what === 'jvp'
  if (lossless && subject.data === undefined && extname(subject.model).toLowerCase() === '.onnx') {
    const { model } = await openAnyModel(subject.model, subject)
    // any loss of numbers will do: neither the outputs nor J v contain it
    const targets = { dtype: 'float64', shape: [1, ...model.outputShape] } as const
    return {
      model,
      theta: model.initialize(subject.seed),
      spec: { name: 'squared', reduction: 'sum' },
      targets,
      warnings: model.notes,
    }
  }
  const { model, theta, dataset, spec, weightDecay, warnings } = await openSubject(subject)
  const { targets, sampleWeights } = dataset
  return { model, theta, spec, weightDecay, targets, weighted: sampleWeights !== undefined, warnings }
}
