import { ShapeError } from '@thalweg/graph'
import { escapeMarkup } from '../report/escape-markup.ts'

/** Points in space, joined to faces or lines, with numbers on each point. */
export interface PolyData {
  /** [n × 3] */
  readonly points: Float64Array
  /** Corners of each face, as positions in `points`. */
  readonly faces?: readonly (readonly number[])[]
  /** Points of each line, in order. */
  readonly lines?: readonly (readonly number[])[]
  /** [n] each, NaN allowed. */
  readonly pointData: Readonly<Record<string, Float64Array>>
}

/** A VTK PolyData file (`.vtp`) for ParaView, float64, arrays as base64 with 64-bit lengths.
 * @throws {ShapeError} if lists do not fit together.
 * Source: VTK file formats, XML formats, "PolyData". */
export function encodeVtp({ points, faces = [], lines = [], pointData }: PolyData): string {
  const count = points.length / 3
  if (!Number.isInteger(count)) throw new ShapeError(`encodeVtp: points need 3 numbers each, got ${points.length}.`)
  for (const [name, values] of Object.entries(pointData))
    if (values.length !== count)
      throw new ShapeError(`encodeVtp: ${name} must have ${count} values, one per point, got ${values.length}.`)
  for (const cell of [...faces, ...lines])
    if (cell.some((k) => !(Number.isInteger(k) && k >= 0 && k < count)))
      throw new ShapeError(`encodeVtp: faces and lines join points 0…${count - 1}, got [${cell}].`)
  const named = Object.entries(pointData).map(([name, values]) => dataArray(values, { Name: name }))
  const piece = {
    NumberOfPoints: count,
    NumberOfVerts: 0,
    NumberOfLines: lines.length,
    NumberOfStrips: 0,
    NumberOfPolys: faces.length,
  }
  return [
    '<?xml version="1.0"?>',
    '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64">',
    '<PolyData>',
    `<Piece${attributes(piece)}>`,
    `<PointData${attributes(named.length > 0 ? { Scalars: Object.keys(pointData)[0] } : {})}>${named.join('')}</PointData>`,
    `<Points>${dataArray(points, { Name: 'Points', NumberOfComponents: 3 })}</Points>`,
    `<Lines>${cells(lines)}</Lines>`,
    `<Polys>${cells(faces)}</Polys>`,
    '</Piece>',
    '</PolyData>',
    '</VTKFile>',
    '',
  ].join('\n')
}

function attributes(list: Readonly<Record<string, string | number>>): string {
  return Object.entries(list)
    .map(([name, value]) => ` ${name}="${escapeMarkup(String(value))}"`)
    .join('')
}

function cells(list: readonly (readonly number[])[]): string {
  let end = 0
  const connectivity = BigInt64Array.from(list.flat(), BigInt)
  const offsets = BigInt64Array.from(list, (cell) => BigInt((end += cell.length)))
  return dataArray(connectivity, { Name: 'connectivity' }) + dataArray(offsets, { Name: 'offsets' })
}

/** Little-endian bytes after their number. */
function dataArray(values: Float64Array | BigInt64Array, names: Readonly<Record<string, string | number>>): string {
  const bytes = Buffer.alloc(8 + values.byteLength)
  bytes.writeBigUInt64LE(BigInt(values.byteLength), 0)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'bigint') bytes.writeBigInt64LE(value, 8 + 8 * i)
    else bytes.writeDoubleLE(value, 8 + 8 * i)
  }
  const type = values instanceof Float64Array ? 'Float64' : 'Int64'
  return `<DataArray${attributes({ type, ...names, format: 'binary' })}>${bytes.toString('base64')}</DataArray>`
}

/** Values over a grid as a surface: the height is the value (finite values only are joined), `values` row-major [ys × xs]. */
export function surfacePolyData(
  xs: Float64Array,
  ys: Float64Array,
  values: Readonly<Record<string, Float64Array>>,
  height: Float64Array,
): PolyData {
  const points = new Float64Array(3 * xs.length * ys.length)
  const faces: number[][] = []
  for (let j = 0; j < ys.length; j++)
    for (let i = 0; i < xs.length; i++) {
      const k = j * xs.length + i
      points.set([xs[i], ys[j], Number.isFinite(height[k]) ? height[k] : 0], 3 * k)
      const corners = [k, k + 1, k + xs.length + 1, k + xs.length]
      const inside = i + 1 < xs.length && j + 1 < ys.length
      if (inside && corners.every((c) => Number.isFinite(height[c]))) faces.push(corners)
    }
  return { points, faces, pointData: values }
}
