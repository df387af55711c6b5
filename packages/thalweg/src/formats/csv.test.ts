import { FormatError } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { decodeCsv } from './csv.ts'
import type { CsvOptions } from './csv.ts'
import { cutsWithoutFormatError } from './fixtures/reading.ts'
import type { ColumnValues } from './table.ts'

const source = { file: 'test.csv' }
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function parse(text: string, options: CsvOptions = {}): Record<string, number[] | string[]> {
  const { columns } = decodeCsv(bytesOf(text), source, options)
  const plain = (values: ColumnValues): number[] | string[] =>
    values.kind === 'number' ? Array.from(values.values) : Array.from(values.codes, (code) => values.levels[code])
  return Object.fromEntries(columns.map((column) => [`_${column.name}`, plain(column.read())]))
}

describe('csv', () => {
  it('decides about the header', () => {
    expect(parse('a,b\n1,2\n3,4\n')).toEqual({ _a: [1, 3], _b: [2, 4] })
    expect(parse('1,2\n3,4')).toEqual({ _1: [1, 3], _2: [2, 4] })
    expect(parse('5.1,setosa\n6.2,virginica\n')).toEqual({ _1: [5.1, 6.2], _2: ['setosa', 'virginica'] })
    expect(parse('x,kind\n5.1,setosa\n')).toEqual({ _x: [5.1], _kind: ['setosa'] })
    expect(parse('0,1,target\n5,6,7\n')).toEqual({ _0: [5], _1: [6], _target: [7] })
    expect(parse('1,2\n3,4', { header: true })).toEqual({ _1: [3], _2: [4] })
    expect(parse('a,b\nc,d', { header: false })).toEqual({ _1: ['a', 'c'], _2: ['b', 'd'] })
  })

  it('finds delimiters, quotes, line ends, marks and blank lines', () => {
    expect(parse('a\tb\n1\t2\n')).toEqual({ _a: [1], _b: [2] })
    expect(parse('a;b\n1.5;2\n')).toEqual({ _a: [1.5], _b: [2] })
    expect(parse('a|b\r\n1|2\r\n3|4\r\n')).toEqual({ _a: [1, 3], _b: [2, 4] })
    expect(parse('\ufeffa,b\n\n1, 2 \n\n3,4\n\n\n')).toEqual({ _a: [1, 3], _b: [2, 4] })
    expect(parse('"a, b","c ""d"""\n"1","x\ny"\n')).toEqual({ '_a, b': [1], '_c "d"': ['x\ny'] })
    expect(parse('a,__proto__\n1,2\n')).toEqual({ _a: [1], ___proto__: [2] })
  })

  it('reads numbers strictly', () => {
    expect(parse('a,b\n+1.,-.5e-3\n1E5,007\n')).toEqual({ _a: [1, 1e5], _b: [-0.0005, 7] })
    for (const odd of ['0x10', '1e', '1,5', 'Infinity', '1_000', '1 000', '1e999', 'true'])
      expect(() => parse(`a;b\n1;2\n3;${odd}\n`), odd).toThrow(
        `test.csv, row 3, column 2 ('b'): the column is numeric, got '${odd}'`,
      )
  })

  it('knows columns of integers', () => {
    const { columns } = decodeCsv(bytesOf('a,b,c\n1,1.0,-1\n2,2,+3\n'), source)
    expect(columns.map((column) => column.read()).map((v) => v.kind === 'number' && v.integer)).toEqual([
      true,
      false,
      true,
    ])
  })

  it('names row and column of a missing value, once the column is used', () => {
    for (const missing of ['', '?', 'NA', 'nan', 'NaN', 'null', 'None', 'n/a']) {
      const { columns } = decodeCsv(bytesOf(`a,b,c\n1,2,3\n4,${missing},6\n`), source)
      expect(columns[0].read()).toMatchObject({ kind: 'number' })
      expect(() => columns[1].read()).toThrow(FormatError)
      expect(() => columns[1].read()).toThrow(`test.csv, row 3, column 2 ('b'): a value is missing, got '${missing}'`)
    }
    expect(() => parse('1,2\n\n3,\n')).toThrow('row 3, column 2: a value is missing')
  })

  it('refuses ragged rows, bad names, quotes and encodings, and empty tables', () => {
    const cases: [string, string][] = [
      ['a,b\n1,2\n3\n', 'row 3: every row must have 2 fields like the first, got 1'],
      ['a,b\n1,2,3\n', 'row 2: every row must have 2 fields'],
      ['a,a\n1,2\n', "row 1, column 2: column names must differ, got 'a' twice"],
      [',a\n0,2\n', 'row 1, column 1: a column needs a name'],
      ['', 'needs at least one row of data'],
      ['\n\n', 'needs at least one row of data'],
      ['a,b\n', 'needs at least one row of data'],
      ['a,b\n"1,2\n3,4\n', 'Balance the quotes'],
      ['a,b\n"1"x,2\n', 'Balance the quotes'],
    ]
    for (const [text, message] of cases) {
      expect(() => parse(text), JSON.stringify(text)).toThrow(FormatError)
      expect(() => parse(text), JSON.stringify(text)).toThrow(message)
    }
    expect(() => decodeCsv(Uint8Array.of(0x61, 0xff, 0x0a), source)).toThrow('must be text in UTF-8')
    expect(() => decodeCsv(Uint8Array.of(0x61, 0, 0x2c, 0), source)).toThrow(FormatError)
  })

  it('takes long tables and text columns with many levels', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `${i},k${i % 700}`)
    const columns = parse(`n,k\n${rows.join('\n')}`)
    expect(columns._n).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    expect(columns._k[4999]).toBe('k99')
  })

  it('gives a table or a FormatError wherever the text is cut', async () => {
    const bytes = bytesOf('a;"b";é\n1.5;2;"x"\n-3e2;4;y\n')
    const offenders = await cutsWithoutFormatError(bytes, (cut) => decodeCsv(cut, source).columns.map((c) => c.read()))
    expect(offenders.filter((text) => !text.endsWith('decoded'))).toEqual([])
  })
})
