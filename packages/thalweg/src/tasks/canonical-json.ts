import { DomainError } from '@thalweg/graph'

/** Plain data; numbers are finite. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** The one text of a value: keys in the order of their UTF-16 code units, no spaces, −0 told from 0, keys without a value left out.
 * Equal values have equal texts, and parsing gives the value back.
 * @throws {DomainError} naming the place of what JSON cannot hold: NaN, infinities, functions, class instances. */
export function canonicalJson(value: Json): string {
  return textOf(value, '')
}

function textOf(value: unknown, place: string): string {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw refusal(place, String(value))
      return Object.is(value, -0) ? '-0' : String(value)
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? listText(value, place) : recordText(value, place)
    default:
      throw refusal(place, typeof value)
  }
}

function listText(list: readonly unknown[], place: string): string {
  return `[${Array.from(list, (item, i) => textOf(item, `${place}[${i}]`)).join(',')}]`
}

function recordText(record: object, place: string): string {
  const prototype: unknown = Object.getPrototypeOf(record)
  if (prototype !== Object.prototype && prototype !== null) throw refusal(place, record.constructor.name)
  const parts = Object.entries(record)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${textOf(value, `${place}.${key}`)}`)
  return `{${parts.join(',')}}`
}

function refusal(place: string, got: string): DomainError {
  return new DomainError(`canonicalJson: ${place || 'the value'} must be plain finite data, got ${got}.`)
}
