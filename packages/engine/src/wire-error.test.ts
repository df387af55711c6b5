import { serialize, deserialize } from 'node:v8'
import { expect, it } from 'vitest'
import { DomainError, InvariantError, ShapeError, TaskError, ThalwegError, UnsupportedError } from '@thalweg/graph'
import { errorFromWire, errorToWire } from './wire-error.ts'

const travel = (error: unknown): ThalwegError => errorFromWire(deserialize(serialize(errorToWire(error))))

it.each([ShapeError, DomainError, UnsupportedError, TaskError])('%o comes back as its class', (Class) => {
  const error = new Class('here: rule, got 3. Cure.', { got: 3 })
  const back = travel(error)
  expect(back).toBeInstanceOf(Class)
  expect(back).toMatchObject({ message: error.message, code: error.code, details: { got: 3 }, stack: error.stack })
})

it('takes a foreign error for a bug of ours', () => {
  expect(travel(new TypeError('x is not a function'))).toBeInstanceOf(InvariantError)
  expect(travel('text').message).toBe('text')
})
