import { describe, expect, it } from 'vitest'
import { matchArrays } from './match-arrays.ts'

const inputs = (...names: string[]): { name: string }[] => names.map((name) => ({ name }))

describe('matchArrays', () => {
  it.each([
    ['x and y', inputs('input'), ['y', 'x'], {}, { input: ['input=x'], target: 'y' }],
    [
      'arrays called as the inputs',
      inputs('left', 'right'),
      ['right', 'left', 'labels'],
      {},
      { input: ['left=left', 'right=right'], target: 'labels' },
    ],
    [
      'the only array left',
      inputs('input.1'),
      ['images', 'labels'],
      { target: 'labels' },
      { input: ['input.1=images'], target: 'labels' },
    ],
    [
      'what the user says',
      inputs('a'),
      ['p', 'q', 'r'],
      { input: ['a=q'], target: 'p' },
      { input: ['a=q'], target: 'p' },
    ],
    ['weights are no targets', inputs('x'), ['x', 't', 'w'], { sampleWeights: 'w' }, { input: ['x=x'], target: 't' }],
    ['an input of the name y', inputs('y'), ['y', 't'], {}, { input: ['y=y'], target: 't' }],
  ])('%s', (_, model, names, choice, expected) => {
    expect(matchArrays(model, names, choice, 'f.npz')).toEqual(expected)
  })

  it.each([
    [
      'several candidates for one input',
      inputs('input'),
      ['a', 'b', 'y'],
      {},
      /no array is clearly the model input input\. It holds a, b, y\. Say which by --input input=KEY/,
    ],
    ['an input without array', inputs('a', 'b'), ['a', 'y'], {}, /model input b\..*--input b=KEY/],
    ['several candidates for the targets', inputs('x'), ['x', 's', 't'], {}, /clearly the targets.*--target KEY/],
    ['an unknown input', inputs('x'), ['x', 'y'], { input: ['z=x'] }, /no input 'z'. Its inputs are: x/],
    ['an unknown array', inputs('x'), ['x', 'y'], { target: 'labels' }, /no array 'labels'\. It holds x, y/],
  ])('%s is an error that lists the choices', (_, model, names, choice, message) => {
    expect(() => matchArrays(model, names, choice, 'f.npz')).toThrow(message)
  })
})
