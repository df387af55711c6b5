import { extname } from 'node:path'
import { FormatError, sizeOf } from '@thalweg/graph'
import { parameterCount } from '@thalweg/landscape'
import type { Model } from '@thalweg/landscape'
import { loadExperimentData, loadExperimentModel, openModel, readExperiment } from './load-experiment.ts'

/** A model from an `.onnx` file, or the one that an experiment describes (at its seed).
 * @throws {FormatError} for anything else. */
export async function openAnyModel(source: string): Promise<Model> {
  const extension = extname(source).toLowerCase()
  if (extension === '.onnx') return openModel(source)
  if (extension !== '.yaml' && extension !== '.yml')
    throw new FormatError(`${source}: a model is an .onnx file or an experiment (.yaml). Check the path.`)
  const experiment = await readExperiment(source)
  const { train } = await loadExperimentData(experiment.data, source, experiment.seed)
  return loadExperimentModel(experiment.model, source, train)
}

export interface ModelDescription {
  readonly data: object
  readonly lines: readonly string[]
  readonly notes: readonly string[]
}

/** The table of parameters, and what goes in and out. */
export function describeModel(model: Model): ModelDescription {
  const rows = model.parameters.map((p) => ({
    name: p.name,
    shape: p.shape,
    role: p.role,
    filters: p.outputAxis === null ? 1 : p.shape[p.outputAxis],
    size: sizeOf(p.shape),
  }))
  const width = Math.max(4, ...rows.map((r) => r.name.length))
  return {
    data: {
      name: model.name,
      inputs: model.inputs,
      outputShape: model.outputShape,
      architecture: model.architecture,
      parameterCount: parameterCount(model),
      parameters: rows,
    },
    notes: model.notes,
    lines: [
      `${model.name}: ${parameterCount(model)} parameters in ${rows.length} tensors`,
      ...model.inputs.map((i) => `input  ${i.name} ${i.dtype} [n${i.shape.map((d) => ` × ${d}`).join('')}]`),
      `output [n${model.outputShape.map((d) => ` × ${d}`).join('')}]`,
      '',
      `${'name'.padEnd(width)}  ${'shape'.padEnd(18)} ${'role'.padEnd(10)} ${'filters'.padStart(7)} ${'size'.padStart(9)}`,
      ...rows.map(
        (r) => `${r.name.padEnd(width)}  ${`[${r.shape.join(' × ')}]`.padEnd(18)} ${r.role.padEnd(10)} ${String(r.filters).padStart(7)} ${String(r.size).padStart(9)}`,
      ),
      ...model.notes.map((n) => `note: ${n}`),
    ],
  }
}
