import { constants } from 'node:buffer'
import papaparse from 'papaparse'
import { formatError } from './source.ts'
import type { Source } from './source.ts'
import { ColumnBuilder, isMissing, isNumber } from './table.ts'
import type { Table } from './table.ts'

export interface CsvOptions {
  /** Whether the first row names the columns; default: decided by its content. */
  readonly header?: boolean
}

/** A table from comma-separated text in UTF-8; tabs, semicolons and bars are found by themselves. Blank lines are skipped.
 *
 * The first row is a header if all of it is not numeric, or it has a text above a number: `a,b,label / 1,2,cat` has
 * one, `1,2,cat / 3,4,dog` has none. Columns without a header are named 1, 2, ….
 *
 * @throws {FormatError} for other encodings, unbalanced quotes, rows of different lengths, names that are empty or
 * repeat, or no data. Wrong and missing values are errors of their column when it is read. */
export function decodeCsv(bytes: Uint8Array, source: Source, options: CsvOptions = {}): Table {
  const text = decodeText(bytes, source)
  const reader = new CsvReader(source, options)
  // Blank lines stay in, so that rows are numbered as an editor does; they would mislead the search for the delimiter.
  const { delimiter } = papaparse.parse(text.slice(0, 2 ** 20), { preview: 10, skipEmptyLines: true }).meta
  papaparse.parse(text, {
    delimiter,
    step: ({ data, errors }) => {
      const error = errors.find(({ type }) => type === 'Quotes')
      if (error)
        throw formatError(source, `row ${reader.row + 1}`, error.message.replace(/\.$/, ''), 'Balance the quotes.')
      reader.add(data)
    },
  })
  return reader.finish()
}

function decodeText(bytes: Uint8Array, source: Source): string {
  if (bytes.length >= constants.MAX_STRING_LENGTH)
    throw formatError(
      source,
      '',
      `CSV may have ${constants.MAX_STRING_LENGTH} bytes, got ${bytes.length}`,
      'Convert it to .npz or .parquet.',
    )
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw formatError(source, '', 'CSV must be text in UTF-8, got other bytes', 'Save it as UTF-8.', error)
  }
}

class CsvReader {
  /** Number of the last record read, counted from 1, blank lines included. */
  row = 0
  readonly #source: Source
  readonly #options: CsvOptions
  #first: readonly string[] | undefined
  #firstRow = 0
  #names: readonly string[] | undefined
  #builders: ColumnBuilder[] = []
  #rows = 0

  constructor(source: Source, options: CsvOptions) {
    this.#source = source
    this.#options = options
  }

  add(fields: readonly string[]): void {
    this.row++
    if (fields.length === 1 && fields[0].trim() === '') return
    if (this.#first === undefined) {
      this.#first = fields
      this.#firstRow = this.row
      return
    }
    if (fields.length !== this.#first.length)
      throw formatError(
        this.#source,
        `row ${this.row}`,
        `every row must have ${this.#first.length} fields like the first, got ${fields.length}`,
        'Mend the row, or quote fields that contain the delimiter.',
      )
    if (this.#names === undefined) this.#start(this.#first, fields)
    this.#addRow(fields, this.row)
  }

  finish(): Table {
    if (this.#names === undefined && this.#first !== undefined) this.#start(this.#first, undefined)
    if (this.#names === undefined || this.#rows === 0)
      throw formatError(this.#source, '', 'a table needs at least one row of data, got none', 'Give a file with data.')
    const columns = this.#names.map((name, i) => ({ name, read: this.#builders[i].finish() }))
    return { source: this.#source, rows: this.#rows, columns }
  }

  /** Decides about the header, with the first data row where there is one. */
  #start(first: readonly string[], second: readonly string[] | undefined): void {
    const texts = first.map((field) => !isNumber(field.trim()) && !isMissing(field.trim()))
    const above = second?.some((field, i) => texts[i] && isNumber(field.trim()))
    const allTexts = first.every((field, i) => texts[i] || field.trim() === '')
    const header = this.#options.header ?? (above || allTexts)
    this.#names = header ? this.#checkNames(first) : first.map((_, i) => `${i + 1}`)
    this.#builders = this.#names.map((name, i) => {
      const column = header ? `column ${i + 1} ('${name}')` : `column ${i + 1}`
      return new ColumnBuilder((row) => `${this.#source.file}, row ${row}, ${column}`)
    })
    if (!header) this.#addRow(first, this.#firstRow)
  }

  #checkNames(first: readonly string[]): string[] {
    const names = first.map((field) => field.trim())
    const seen = new Set<string>()
    names.forEach((name, i) => {
      const place = `row ${this.#firstRow}, column ${i + 1}`
      if (name === '')
        throw formatError(
          this.#source,
          place,
          'a column needs a name, got an empty one (the index that pandas writes?)',
          'Name or remove the column: to_csv(…, index=False).',
        )
      if (seen.has(name))
        throw formatError(this.#source, place, `column names must differ, got '${name}' twice`, 'Rename one.')
      seen.add(name)
    })
    return names
  }

  #addRow(fields: readonly string[], row: number): void {
    for (let i = 0; i < fields.length; i++) this.#builders[i].add(fields[i], row)
    this.#rows++
  }
}
