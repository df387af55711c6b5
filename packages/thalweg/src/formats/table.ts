import { FormatError } from '@thalweg/graph'
import type { Source } from './source.ts'

/** A column of numbers, or of texts as indices into their distinct values. */
export type ColumnValues =
  | {
      readonly kind: 'number'
      readonly values: Float64Array /** Every value was written as an integer. */
      readonly integer: boolean
    }
  | { readonly kind: 'text'; readonly codes: Int32Array; readonly levels: readonly string[] }

export interface TableColumn {
  readonly name: string
  /** @throws {FormatError} at the column's first missing or wrong value: only columns that are used need be complete. */
  readonly read: () => ColumnValues
}

/** A rectangular table with named columns of equal length. */
export interface Table {
  readonly source: Source
  readonly rows: number
  readonly columns: readonly TableColumn[]
}

/** Collects one column of text fields: numbers or texts, whichever the first field is. Once a field is missing or of the
 * other kind, that is remembered as the column's defect and the rest is ignored. */
export class ColumnBuilder {
  readonly #describe: (row: number) => string
  #defect: FormatError | undefined
  #numeric: boolean | undefined
  #integer = true
  #numbers = new Float64Array(64)
  #codes = new Int32Array(64)
  readonly #levels = new Map<string, number>()
  #length = 0

  /** @param describe  the place of a row of this column, for messages. */
  constructor(describe: (row: number) => string) {
    this.#describe = describe
  }

  add(field: string, row: number): void {
    if (this.#defect) return
    const text = field.trim()
    const value = isNumber(text) ? Number(text) : Number.NaN
    if (Number.isNaN(value) && isMissing(text))
      return this.#fail(row, `a value is missing, got '${text}'`, 'Remove the row, or fill in a value.')
    this.#numeric ??= !Number.isNaN(value)
    if (!this.#numeric) this.#addText(text)
    else if (Number.isFinite(value)) this.#addNumber(value, text)
    else this.#fail(row, `the column is numeric, got '${text}'`, 'Mend the value, or remove the row or the column.')
    this.#length++
  }

  finish(): () => ColumnValues {
    return () => {
      if (this.#defect) throw this.#defect
      if (this.#numeric === false)
        return { kind: 'text', codes: this.#codes.slice(0, this.#length), levels: [...this.#levels.keys()] }
      return { kind: 'number', values: this.#numbers.slice(0, this.#length), integer: this.#integer }
    }
  }

  #fail(row: number, rule: string, cure: string): void {
    this.#defect = new FormatError(`${this.#describe(row)}: ${rule}. ${cure}`, { row })
  }

  #addNumber(value: number, text: string): void {
    if (this.#integer && !/^[+-]?\d+$/.test(text)) this.#integer = false
    if (this.#length === this.#numbers.length) this.#numbers = grown(this.#numbers, new Float64Array(2 * this.#length))
    this.#numbers[this.#length] = value
  }

  #addText(text: string): void {
    let code = this.#levels.get(text)
    if (code === undefined) {
      code = this.#levels.size
      this.#levels.set(text, code)
    }
    if (this.#length === this.#codes.length) this.#codes = grown(this.#codes, new Int32Array(2 * this.#length))
    this.#codes[this.#length] = code
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Decimal notation only: no hexadecimal, no grouping, no infinity. */
export function isNumber(text: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)
}

/** What pandas reads as missing, and UCI's question mark. */
export function isMissing(text: string): boolean {
  return text === '' || text === '?' || /^(?:-?nan|n\/?a|null|none|<na>|#n\/a)$/i.test(text)
}
