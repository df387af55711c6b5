import { FormatError, InvariantError } from '@thalweg/graph'
import { expect, test } from 'vitest'
import { cutHead, withHead } from './headed-bytes.ts'
import { decodePlainData, encodePlainData } from './plain-data.ts'

test('numbers that JSON lacks and arrays come back to the bit', () => {
  const value = {
    a: [Number.NaN, Number.NEGATIVE_INFINITY, -0, 0.1, null, 'text', true],
    b: { c: Float64Array.of(1, Number.NaN, -0, 5e-324), d: undefined },
  }
  const back = decodePlainData(encodePlainData(value), 'here') as typeof value
  expect(back).toEqual({ a: value.a, b: { c: value.b.c } })
  expect(Object.is(back.a[2], -0)).toBe(true)
  expect(Object.is(back.b.c[2], -0)).toBe(true)
})

test('what is no plain data is our bug, what is no JSON somebody else’s', () => {
  expect(() => encodePlainData({ a: new Map() })).toThrow(InvariantError)
  expect(() => decodePlainData('{"a":', 'run/file')).toThrow(FormatError)
})

test('a head and bytes come apart again', () => {
  const [head, body] = cutHead(withHead({ a: 'line\nbreak' }, Uint8Array.of(10, 0, 123)), 'here')
  expect(head).toEqual({ a: 'line\nbreak' })
  expect(Array.from(body)).toEqual([10, 0, 123])
  expect(() => cutHead(new TextEncoder().encode('{"a":1}'), 'there')).toThrow(/there: must begin with a line of JSON/)
})
