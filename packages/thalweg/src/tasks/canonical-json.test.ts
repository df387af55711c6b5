import { DomainError } from '@thalweg/graph'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import type { Json } from './canonical-json.ts'
import { taskKey } from './task.ts'

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>

test('parsing gives the value back, and equal values have equal texts', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value)
      expect(JSON.parse(text)).toEqual(value)
      expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
    }),
    { seed: 8 },
  )
})

test('keys are in one order, −0 is no 0, what has no value is left out', () => {
  expect(canonicalJson({ b: [-0, 0, 1e21, 0.1], a: { d: undefined, c: null } })).toBe(
    '{"a":{"c":null},"b":[-0,0,1e+21,0.1]}',
  )
  expect(Object.is((JSON.parse(canonicalJson([-0])) as number[])[0], -0)).toBe(true)
})

test.each([
  [{ a: [0, Number.NaN] }, /\.a\[1\] must be plain finite data, got NaN/],
  [{ a: Number.POSITIVE_INFINITY }, /got Infinity/],
  [{ a: new Date(0) }, /got Date/],
  [[() => 1], /got function/],
])('%o is refused', (value, message) => {
  expect(() => canonicalJson(value as unknown as Json)).toThrow(DomainError)
  expect(() => canonicalJson(value as unknown as Json)).toThrow(message)
})

test('a key hangs on everything that decides the result, and on nothing else', () => {
  const task = { kind: 'k', version: 1, inputs: { a: 1, b: 2 }, blobs: { x: '0' }, fingerprint: 'f' }
  const key = taskKey(task)
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  expect(taskKey({ fingerprint: 'f', blobs: { x: '0' }, inputs: { b: 2, a: 1 }, version: 1, kind: 'k' })).toBe(key)
  const changes = [{ kind: 'l' }, { version: 2 }, { inputs: { a: 1 } }, { blobs: { x: '1' } }, { fingerprint: 'g' }]
  const others = changes.map((change) => taskKey({ ...task, ...change }))
  expect(new Set([key, ...others]).size).toBe(6)
})
