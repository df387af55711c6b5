import { FormatError, InvariantError } from '@thalweg/graph'

/* Results of ours as JSON that gives them back: numbers that JSON lacks and float64 arrays are written as tagged objects. */

const numberTag = '$number'
const arrayTag = '$float64'

/** @throws {InvariantError} for what is not plain data: functions, maps, instances of classes. */
export function encodePlainData(value: unknown): string {
  return JSON.stringify(tagged(value, 'value'))
}

function tagged(value: unknown, place: string): unknown {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : tagNumber(value)
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (value instanceof Float64Array)
    return { [arrayTag]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  if (Array.isArray(value)) return value.map((item, i) => tagged(item, `${place}[${i}]`))
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tagged(item, `${place}.${key}`)]))
  throw new InvariantError(`encodePlainData: ${place} must be plain data, got ${typeof value}.`)
}

function tagNumber(value: number): object {
  return { [numberTag]: Object.is(value, -0) ? '-0' : String(value) }
}

/** @throws {FormatError} if the text is not what `encodePlainData` wrote. */
export function decodePlainData(text: string, where: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) => untagged(value)) as unknown
  } catch (error) {
    throw new FormatError(`${where}: not data of a run; it may be damaged. Remove it.`, {}, error)
  }
}

function untagged(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Object.hasOwn(value, numberTag)) return Number((value as Record<string, string>)[numberTag])
  if (!Object.hasOwn(value, arrayTag)) return value
  const bytes = Buffer.from((value as Record<string, string>)[arrayTag], 'base64')
  // a copy: the numbers of a view would have to begin at a multiple of eight
  return new Float64Array(Uint8Array.from(bytes).buffer)
}
