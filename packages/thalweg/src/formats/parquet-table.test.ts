import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { encodeParquet } from './parquet-table.ts'
import { decodeParquet } from './parquet.ts'

const x = { name: 'x', description: 'coordinate', data: Float64Array.of(1.5, 0.1, -0, 1e-310) }
const n = { name: 'n', description: 'count', data: BigInt64Array.of(1n, 2n, -3n, 2n ** 40n) }
const label = { name: 'label', description: 'name', data: ['a', 'ü', '', 'a'] }

describe('a Parquet table', () => {
  it('is read back with the same values and the descriptions', async () => {
    const bytes = await encodeParquet([x, n])
    const { columns } = await decodeParquet(bytes, { file: 'a.parquet' })
    expect(columns.map((column) => [column.name, column.read()])).toEqual([
      ['x', { kind: 'number', values: x.data, integer: false }],
      ['n', { kind: 'number', values: Float64Array.of(1, 2, -3, 2 ** 40), integer: true }],
    ])
    const { key_value_metadata: metadata } = parquetMetadata(bytes.slice().buffer)
    expect(metadata).toContainEqual({ key: 'column.x', value: 'coordinate' })
  })

  it('holds texts, and numbers that are not finite', async () => {
    const v = { name: 'v', description: 'value', data: Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY, 0, 1) }
    const file = (await encodeParquet([label, v])).slice().buffer
    expect(await parquetReadObjects({ file })).toEqual(label.data.map((text, row) => ({ label: text, v: v.data[row] })))
  })

  it('refuses columns of different lengths', async () => {
    await expect(encodeParquet([x, { ...n, data: BigInt64Array.of(1n) }])).rejects.toThrow(
      'column n must have 4 rows, got 1',
    )
  })
})
