import { parquetMetadata, parquetRead } from 'hyparquet'
import type { ColumnData, FileMetaData, SchemaElement } from 'hyparquet'
import { FormatError, ThalwegError, UnsupportedError } from '@thalweg/graph'
import { boundedCompressors, checkPages } from './parquet-pages.ts'
import { boundedSize, formatError } from './source.ts'
import type { Source } from './source.ts'
import type { ColumnValues, Table, TableColumn } from './table.ts'
import { checkThriftStruct } from './thrift-check.ts'

const cure = 'Write the file again, or copy it again.'
const footerBytesMax = 2 ** 26

/** A table from a Parquet file with flat columns of numbers, booleans and strings; snappy, gzip, brotli and zstd.
 *
 * @throws {FormatError} if the file is damaged or larger than the limit. Nulls are errors of their column when read.
 * @throws {UnsupportedError} for nested columns. */
export async function decodeParquet(bytes: Uint8Array, source: Source): Promise<Table> {
  try {
    return await decodeTable(bytes, source)
  } catch (error) {
    if (error instanceof ThalwegError) throw error
    // Fields of the wrong type in the footer end in a TypeError somewhere.
    throw formatError(source, 'footer', `cannot be read, ${(error as Error).message}`, cure, error)
  }
}

async function decodeTable(bytes: Uint8Array, source: Source): Promise<Table> {
  const metadata = readFooter(bytes, source)
  const rows = Number(metadata.num_rows)
  const [root, ...elements] = metadata.schema
  if (root === undefined || root.num_children !== elements.length)
    throw new UnsupportedError(
      `${source.file}: columns must be flat, got nested ones. Flatten them, or write each as a column of its own.`,
    )
  if (rows === 0 || elements.length === 0)
    throw formatError(
      source,
      '',
      `a table needs rows and columns, got ${rows} and ${elements.length}`,
      'Give a file with data.',
    )
  if (new Set(elements.map(({ name }) => name)).size !== elements.length)
    throw formatError(source, 'footer', 'column names must differ', cure)
  boundedSize([rows, elements.length], 8, source, 'footer')
  checkGroups(bytes, metadata, elements, source)
  const columns: TableColumn[] = []
  for (const [position, element] of elements.entries()) {
    const place = `column ${position + 1} ('${element.name}')`
    const read = await readColumn(bytes, metadata, element, rows, source, place)
    columns.push({ name: element.name, read })
  }
  return { source, rows, columns }
}

function readFooter(bytes: Uint8Array, source: Source): FileMetaData {
  const fail = (rule: string, cause?: unknown): FormatError => formatError(source, 'footer', rule, cure, cause)
  if (bytes.length < 12) throw fail(`a Parquet file has at least 12 bytes, got ${bytes.length}`)
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true)
  if (length > Math.min(footerBytesMax, bytes.length - 12)) throw fail(`a footer of ${length} bytes does not fit`)
  const footer = bytes.subarray(bytes.length - 8 - length)
  try {
    checkThriftStruct(footer.subarray(0, length), 0)
    // Column statistics are not used, and their conversion must not fail on odd types.
    const parsers = {
      jsonFromBytes: () => undefined,
      geometryFromBytes: () => undefined,
      geographyFromBytes: () => undefined,
    }
    const metadata = parquetMetadata(footer, { parsers, geoparquet: false })
    const { num_rows: rows, row_groups: groups } = metadata
    if (typeof rows !== 'bigint' || rows < 0n || rows > BigInt(Number.MAX_SAFE_INTEGER)) throw fail(`${rows} rows`)
    if (groups.some((group) => typeof group.num_rows !== 'bigint' || group.num_rows < 0n))
      throw fail('a row group has no rows')
    if (groups.reduce((sum, group) => sum + group.num_rows, 0n) !== rows) throw fail('row groups do not add up')
    return metadata
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw fail(`cannot be read, ${(error as Error).message}`, error)
  }
}

/** Every row group must hold every column once, inside the file, with pages that decode to the promised rows. */
function checkGroups(bytes: Uint8Array, metadata: FileMetaData, elements: SchemaElement[], source: Source): void {
  for (const [g, group] of metadata.row_groups.entries()) {
    const fail = (rule: string): FormatError => formatError(source, `row group ${g}`, rule, cure)
    if (group.columns.length !== elements.length)
      throw fail(`must hold ${elements.length} columns, got ${group.columns.length}`)
    for (const [c, { meta_data: column, file_path: path }] of group.columns.entries()) {
      const element = elements[c]
      if (path) throw fail('data in other files cannot be read')
      if (
        column?.path_in_schema.length !== 1 ||
        column.path_in_schema[0] !== element.name ||
        column.type !== element.type
      )
        throw fail(`column ${c + 1} must be '${element.name}'`)
      if (
        element.type === 'FIXED_LEN_BYTE_ARRAY' &&
        !((element.type_length ?? 0) > 0 && (element.type_length ?? 0) <= 64)
      )
        throw fail(`column '${element.name}' has values of ${element.type_length} bytes`)
      if (element.repetition_type === 'REPEATED')
        throw new UnsupportedError(`${source.file}: column '${element.name}' holds lists. Write each item as a column.`)
      const start = Number(column.dictionary_page_offset || column.data_page_offset)
      const end = start + Number(column.total_compressed_size)
      if (!(start >= 4 && end >= start && end <= bytes.length - 8))
        throw fail(`column '${element.name}' leaves the file`)
      checkPages(bytes.subarray(start, end), column, element, Number(group.num_rows), source)
    }
  }
}

async function readColumn(
  bytes: Uint8Array,
  metadata: FileMetaData,
  element: SchemaElement,
  rows: number,
  source: Source,
  place: string,
): Promise<() => ColumnValues> {
  const builder = new ParquetColumn(rows, isInteger(element), source, place)
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end = bytes.length) =>
      bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end) as ArrayBuffer,
  }
  try {
    const onChunk = ({ columnData, rowStart }: ColumnData): void => builder.add(columnData, rowStart)
    await parquetRead({
      file,
      metadata,
      columns: [element.name],
      compressors: boundedCompressors,
      geoparquet: false,
      onChunk,
    })
  } catch (error) {
    throw formatError(source, place, `cannot be read, ${(error as Error).message}`, cure, error)
  }
  return builder.finish()
}

function isInteger({ type, converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  const decimal = converted === 'DECIMAL' || logical?.type === 'DECIMAL'
  return !decimal && (type === 'INT32' || type === 'INT64' || type === 'BOOLEAN')
}

/** Values of one column as they arrive, in any order of row groups. */
class ParquetColumn {
  readonly #numbers: Float64Array
  readonly #texts: (string | undefined)[] = []
  readonly #fail: (row: number, rule: string, cure: string) => FormatError
  readonly #integer: boolean
  #filled = 0
  #defect: { readonly row: number; readonly error: FormatError } | undefined

  constructor(rows: number, integer: boolean, source: Source, place: string) {
    this.#numbers = new Float64Array(rows)
    this.#integer = integer
    this.#fail = (row, rule, mend) => formatError(source, `row ${row + 1}, ${place}`, rule, mend)
  }

  add(values: ArrayLike<unknown>, rowStart: number): void {
    for (let i = 0; i < values.length && rowStart + i < this.#numbers.length; i++) this.#put(rowStart + i, values[i])
    this.#filled += values.length
  }

  finish(): () => ColumnValues {
    return () => {
      if (this.#defect) throw this.#defect.error
      const rows = this.#numbers.length
      if (this.#filled < rows) throw this.#fail(this.#filled, `holds ${this.#filled} of ${rows} values`, cure)
      if (this.#texts.length === 0) return { kind: 'number', values: this.#numbers, integer: this.#integer }
      const levels = new Map<string, number>()
      const codes = Int32Array.from({ length: rows }, (_, row) => {
        const text = this.#texts[row]
        if (text === undefined) throw this.#fail(row, 'mixes texts and numbers', cure)
        if (!levels.has(text)) levels.set(text, levels.size)
        return levels.get(text) as number
      })
      return { kind: 'text', codes, levels: [...levels.keys()] }
    }
  }

  #put(row: number, value: unknown): void {
    if (typeof value === 'string') this.#texts[row] = value
    else if (typeof value === 'number') {
      this.#numbers[row] = value
      if (!Number.isFinite(value))
        this.#reject(row, `values must be finite, got ${value}`, 'Remove the row, or fill in a value.')
    } else if (typeof value === 'bigint') {
      this.#numbers[row] = Number(value)
      if (!Number.isSafeInteger(this.#numbers[row]))
        this.#reject(row, `integers must be below 2^53, got ${value}`, 'Save floats.')
    } else if (typeof value === 'boolean') this.#numbers[row] = value ? 1 : 0
    else if (value === null || value === undefined)
      this.#reject(row, 'a value is missing (null)', 'Remove the row, or fill in a value.')
    else this.#reject(row, 'values must be numbers, booleans or strings', 'Convert or remove the column.')
  }

  /** Remembers the defect with the lowest row. */
  #reject(row: number, rule: string, mend: string): void {
    if (this.#defect === undefined || row < this.#defect.row) this.#defect = { row, error: this.#fail(row, rule, mend) }
  }
}
