import { ShapeError } from '@thalweg/graph'

/** One column of a tidy table. NaN stays NaN; int64 holds whole numbers. */
export interface Column {
  readonly name: string
  /** What it is, with its unit; travels in the file, under the column's name. */
  readonly description: string
  readonly data: Float64Array | BigInt64Array | readonly string[]
}

/** A Parquet file with one row per position of the columns. The descriptions are key-value metadata `column.NAME`, which
 * pyarrow shows as `schema.metadata`.
 * @throws {ShapeError} if columns differ in length. */
export async function encodeParquet(columns: readonly Column[]): Promise<Uint8Array> {
  const rows = columns[0]?.data.length ?? 0
  const uneven = columns.find(({ data }) => data.length !== rows)
  if (uneven)
    throw new ShapeError(`encodeParquet: column ${uneven.name} must have ${rows} rows, got ${uneven.data.length}.`)
  const { parquetWriteBuffer } = await import('hyparquet-writer')
  const typeOf = ({ data }: Column): 'DOUBLE' | 'INT64' | 'STRING' =>
    data instanceof Float64Array ? 'DOUBLE' : data instanceof BigInt64Array ? 'INT64' : 'STRING'
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: columns.map((column) => ({
        name: column.name,
        data: column.data as Float64Array,
        type: typeOf(column),
        nullable: false,
      })),
      kvMetadata: columns.map(({ name, description }) => ({ key: `column.${name}`, value: description })),
    }),
  )
}
