import { FormatError, UnsupportedError } from '@thalweg/graph'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { cutsWithoutFormatError, damageWithForeignError, fixture, sampleValues } from './fixtures/reading.ts'
import { decodeParquet } from './parquet.ts'
import type { ColumnValues, Table } from './table.ts'

const source = { file: 'test.parquet', maxBytes: 2 ** 20 }
const n = 300

function plain(values: ColumnValues): (number | string)[] {
  return values.kind === 'number' ? Array.from(values.values) : Array.from(values.codes, (code) => values.levels[code])
}

const columnsOf = (table: Table): Record<string, (number | string)[]> =>
  Object.fromEntries(table.columns.map((column) => [column.name, plain(column.read())]))

const expected: Record<string, (number | string)[]> = {
  float: sampleValues(n),
  double: sampleValues(n).map((v) => v / 4),
  int: sampleValues(n),
  long: sampleValues(n),
  byte: sampleValues(n, 'unsigned'),
  flag: sampleValues(n, 'bool'),
  text: sampleValues(n).map((v) => `class ${v}`),
}

describe('parquet', () => {
  it.each(['none', 'snappy', 'gzip', 'zstd', 'brotli', 'plain', 'required'])(
    'reads what Arrow writes: %s',
    async (name) => {
      const table = await decodeParquet(fixture(`${name}.parquet`), source)
      expect(columnsOf(table)).toEqual(expected)
      expect(table.rows).toBe(n)
      const integers = table.columns.filter((column) => {
        const values = column.read()
        return values.kind === 'number' && values.integer
      })
      expect(integers.map((column) => column.name)).toEqual(['int', 'long', 'byte', 'flag'])
    },
  )

  it('reads delta and byte-split encodings', async () => {
    const { text: _, flag: __, ...numbers } = expected
    expect(columnsOf(await decodeParquet(fixture('delta.parquet'), source))).toEqual(numbers)
  })

  it('reads what hyparquet-writer writes', async () => {
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'a', data: [1.5, -2, 3], type: 'DOUBLE' },
        { name: 'b', data: [1, 0, 1], type: 'INT32' },
      ],
    })
    expect(columnsOf(await decodeParquet(new Uint8Array(bytes), source))).toEqual({ a: [1.5, -2, 3], b: [1, 0, 1] })
  })

  it('names row and column of a null or NaN, once the column is used', async () => {
    const table = await decodeParquet(fixture('nulls.parquet'), source)
    const gap = table.columns[7]
    expect(() => gap.read()).toThrow(FormatError)
    expect(() => gap.read()).toThrow("test.parquet, row 8, column 8 ('gap'): a value is missing (null)")
    expect(plain(table.columns[0].read())).toEqual(expected.float)
    const nan = parquetWriteBuffer({ columnData: [{ name: 'a', data: [1, Number.NaN], type: 'DOUBLE' }] })
    const [column] = (await decodeParquet(new Uint8Array(nan), source)).columns
    expect(() => column.read()).toThrow("row 2, column 1 ('a'): values must be finite, got NaN")
  })

  it('refuses nested columns and tables beyond the limit', async () => {
    await expect(decodeParquet(fixture('nested.parquet'), source)).rejects.toThrow(UnsupportedError)
    await expect(decodeParquet(fixture('snappy.parquet'), { ...source, maxBytes: 1000 })).rejects.toThrow(
      'an array may take 1000 bytes, got shape [300,7]',
    )
  })

  it('ends in a FormatError wherever the file is cut', async () => {
    expect(await cutsWithoutFormatError(fixture('required.parquet'), (bytes) => decodeParquet(bytes, source))).toEqual(
      [],
    )
  })

  it.each(['required', 'nulls', 'delta', 'gzip'])(
    'ends in our own errors whatever byte is damaged: %s',
    async (name) => {
      const options = { step: name === 'required' ? 5 : 31, values: [0, 0x7f, 0xff] }
      const offenders = await damageWithForeignError(
        fixture(`${name}.parquet`),
        async (bytes) => (await decodeParquet(bytes, source)).columns.map((column) => column.read()),
        options,
      )
      expect(offenders).toEqual([])
    },
  )

  it('survives runs that claim a billion values', async () => {
    // Dictionary indices of 'none.parquet' are runs; every place where a run header may stand gets a huge one.
    const bytes = fixture('none.parquet')
    const run = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f)
    const slow: number[] = []
    for (let at = 4; at < 3000; at += 7) {
      const hostile = bytes.slice()
      hostile.set(run, at)
      try {
        await decodeParquet(hostile, source)
      } catch (error) {
        if (!(error instanceof FormatError)) slow.push(at)
      }
    }
    expect(slow).toEqual([])
  })
})
