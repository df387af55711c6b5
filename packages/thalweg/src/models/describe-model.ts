import { sizeOf } from '@thalweg/graph'
import type { OnnxModel } from '@thalweg/graph'
import { chooseParameters, parameterCount } from '@thalweg/landscape'
import type { Parameter } from '@thalweg/landscape'
import type { ModelChoice, OpenedModel } from './open-model-file.ts'

export interface ModelDescription {
  readonly data: object
  readonly lines: readonly string[]
  readonly notes: readonly string[]
}

interface ParameterRow {
  readonly name: string
  readonly shape: readonly number[]
  readonly role: string
  /** How many filters (output units) normalization sees, and the axis that counts them. */
  readonly filters: number
  readonly filterAxis: number | null
  readonly size: number
  /** Nodes that read it; more than one means tied weights. */
  readonly uses: number
  readonly elementType?: string
}

/** The table of parameters, what is held constant and why, and what goes in and out. */
export function describeModel({ model, file }: OpenedModel, choice: ModelChoice = {}): ModelDescription {
  const rows = model.parameters.map((p) => rowOf(p, file))
  const constants = file
    ? chooseParameters(file, choice).constants.map((c) => ({
        ...c,
        shape: file.initializers.get(c.name)!.tensor.shape,
      }))
    : []
  const notes = [...model.notes, ...tieNotes(rows)]
  const count = parameterCount(model)
  return {
    data: {
      name: model.name,
      inputs: model.inputs,
      outputShape: model.outputShape,
      architecture: model.architecture,
      parameterCount: count,
      parameters: rows,
      constants,
      ...(file && { file: fileData(file) }),
    },
    notes,
    lines: [
      `${model.name}: ${counted(count, 'parameter')} in ${counted(rows.length, 'tensor')}`,
      ...model.inputs.map((i) => `input   ${i.name} ${i.dtype} [n${i.shape.map((d) => ` × ${d}`).join('')}]`),
      `output  ${file ? `${file.outputs[0].name} ` : ''}[n${model.outputShape.map((d) => ` × ${d}`).join('')}]`,
      ...(file
        ? [`file    ${file.producer || 'unknown producer'}, operator set ${file.opset}, ${file.nodes.length} nodes`]
        : []),
      '',
      ...table(rows),
      ...constantLines(constants),
      ...notes.map((n) => `note: ${n}`),
    ],
  }
}

/** `1 tensor`, `2 tensors`. */
function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function rowOf(p: Parameter, file: OnnxModel | undefined): ParameterRow {
  return {
    name: p.name,
    shape: p.shape,
    role: p.role,
    filters: p.outputAxis === null ? 1 : p.shape[p.outputAxis],
    filterAxis: p.outputAxis,
    size: sizeOf(p.shape),
    uses: file ? usesOf(file, p.name) : 1,
    ...(file && { elementType: file.initializers.get(p.name)!.elementType }),
  }
}

/** Nodes that read a value, those behind an Identity too: exporters write ties in both ways. */
function usesOf(file: OnnxModel, name: string): number {
  return file.nodes.reduce((count, node) => {
    if (!node.inputs.includes(name)) return count
    return count + (node.op === 'Identity' ? usesOf(file, node.outputs[0]) : 1)
  }, 0)
}

/** Some exporters merge equal tensors, such as the unit scales of untrained norms. */
function tieNotes(rows: readonly ParameterRow[]): string[] {
  const vectors = rows.filter((r) => r.uses > 1 && ['bias', 'scale', 'shift'].includes(r.role))
  return vectors.length === 0
    ? []
    : [
        `${vectors.map((r) => r.name).join(', ')}: one tensor serves several nodes and is one parameter here. If these were separate in training, the exporter merged equal values: export after training, when they differ.`,
      ]
}

function table(rows: readonly ParameterRow[]): string[] {
  const width = Math.max(4, ...rows.map((r) => r.name.length))
  const line = (name: string, shape: string, role: string, filters: string, size: string, tied: string): string =>
    `${name.padEnd(width)}  ${shape.padEnd(18)} ${role.padEnd(10)} ${filters.padStart(7)} ${size.padStart(9)}  ${tied}`.trimEnd()
  return [
    line('name', 'shape', 'role', 'filters', 'size', ''),
    ...rows.map((r) =>
      line(
        r.name,
        `[${r.shape.join(' × ')}]`,
        r.role,
        String(r.filters),
        String(r.size),
        r.uses > 1 ? `tied, ${r.uses} uses` : '',
      ),
    ),
  ]
}

function constantLines(constants: readonly { name: string; shape: readonly number[]; reason: string }[]): string[] {
  if (constants.length === 0) return []
  const reasons = [...new Set(constants.map((c) => c.reason))]
  return [
    '',
    'held constant (change with --train NAME, --freeze NAME):',
    ...reasons.map(
      (reason) =>
        `  ${reason}: ${constants
          .filter((c) => c.reason === reason)
          .map((c) => `${c.name} [${c.shape.join(' × ')}]`)
          .join(', ')}`,
    ),
    '',
  ]
}

function fileData(file: OnnxModel): object {
  const operators: Record<string, number> = {}
  for (const { op } of file.nodes) operators[op] = (operators[op] ?? 0) + 1
  const { producer, opset, irVersion } = file
  return { producer, opset, irVersion, output: file.outputs[0].name, nodes: file.nodes.length, operators }
}
