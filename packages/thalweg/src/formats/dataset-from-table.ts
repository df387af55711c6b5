import { DomainError, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { makeDataset } from '@thalweg/landscape'
import type { Dataset, Task } from '@thalweg/landscape'
import { labelsOf } from './dataset-from-arrays.ts'
import type { Provenance, Selection } from './dataset-from-arrays.ts'
import { parseInputs } from './named-inputs.ts'
import { boundedSize } from './source.ts'
import type { Table, TableColumn } from './table.ts'

/** A data set from a table: features in the order of the columns, float64 [n × features]. The target is the last column
 * unless `selection` says otherwise; an input `NAME=a,b` takes the columns a and b.
 *
 * Integers and texts are classes (texts sorted, their names kept), other numbers are regression targets.
 * @throws {DomainError} listing the columns, if a chosen one is not there or does not fit.
 * @throws {FormatError} at the first missing or wrong value of a column that is used. */
export function datasetFromTable(table: Table, selection: Selection, provenance: Provenance): Dataset {
  const { columns, source } = table
  const target = selection.target === undefined ? columns[columns.length - 1] : columnNamed(table, selection.target)
  const chosen = selection.input
    ? parseInputs(selection.input).map(({ name, key }) => ({
        name,
        columns: key.split(',').map((column) => columnNamed(table, column.trim())),
      }))
    : [{ name: 'x', columns: columns.filter((column) => column !== target) }]
  const inputs = chosen.map(({ name, columns: features }) => {
    if (features.length === 0)
      throw new DomainError(`${source.file}: needs a feature beside the target, got 1 column. Is the delimiter right?`)
    return [name, featuresOf(table, features)] as const
  })
  const { targets, task, classNames } = targetsOf(table, target, selection.task)
  const classCount = task === 'classification' && classNames === undefined ? selection.classCount : undefined
  return makeDataset({ inputs: Object.fromEntries(inputs), targets, task, classCount, classNames, ...provenance })
}

function columnNamed(table: Table, name: string): TableColumn {
  const found = table.columns.find((column) => column.name === name)
  if (!found) {
    const names = table.columns.slice(0, 50).map((column) => column.name)
    const more = table.columns.length > 50 ? ', …' : ''
    throw new DomainError(`${table.source.file}: no column '${name}'. The columns are: ${names.join(', ')}${more}.`)
  }
  return found
}

function featuresOf(table: Table, columns: readonly TableColumn[]): Tensor {
  const { rows, source } = table
  const width = columns.length
  const data = new Float64Array(boundedSize([rows, width], 8, source, ''))
  columns.forEach((column, j) => {
    const values = column.read()
    if (values.kind === 'text')
      throw new DomainError(
        `${source.file}, column '${column.name}': features must be numbers, got '${values.levels[0]}'. ` +
          'Encode or remove the column, or choose columns with --input x=a,b and --target c.',
      )
    for (let i = 0; i < rows; i++) data[i * width + j] = values.values[i]
  })
  return tensor('float64', [rows, width], data)
}

function targetsOf(
  table: Table,
  column: TableColumn,
  wanted: Task | undefined,
): { targets: Tensor; task: Task; classNames?: readonly string[] } {
  const where = `${table.source.file}, column '${column.name}'`
  const values = column.read()
  if (values.kind === 'text') {
    if (wanted === 'regression')
      throw new DomainError(`${where}: regression needs numbers, got '${values.levels[0]}'. Choose another --target.`)
    const classNames = [...values.levels].sort()
    const position = new Map(classNames.map((name, i) => [name, BigInt(i)]))
    const labels = BigInt64Array.from(values.codes, (code) => position.get(values.levels[code]) as bigint)
    return { targets: tensor('int64', [table.rows], labels), task: 'classification', classNames }
  }
  const task = wanted ?? (values.integer ? 'classification' : 'regression')
  if (task === 'classification') return { targets: labelsOf(values.values, where), task }
  return { targets: tensor('float64', [table.rows, 1], values.values), task }
}
