import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { packageFile } from '../files/package-file.ts'
import { parseExperiment } from './read-experiment.ts'
import { experimentJsonSchema } from './schema.ts'

test('the shipped JSON Schema is the one that checks; `thalweg schema` renews it', () => {
  const shipped: unknown = JSON.parse(readFileSync(packageFile('assets', 'experiment.schema.json'), 'utf8'))
  expect(shipped).toEqual(JSON.parse(JSON.stringify(experimentJsonSchema())))
})

test('defaults are filled in', () => {
  const experiment = parseExperiment(
    'name: a\ndata: { name: xor }\nmodel: { kind: mlp, widths: [2, 2] }\nloss: { name: mse }\n',
    'a.yaml',
  )
  expect(experiment).toMatchObject({
    seed: 0,
    data: { standardize: false, test: 0 },
    loss: { reduction: 'mean', weightDecay: 0 },
    analyses: {
      diagnose: { top: 5, denseLimit: 1000 },
      surface: { x: { from: -1, to: 1, points: 51 }, normalization: 'filter' },
    },
  })
})

test('tags, aliases without end and files without end build nothing', () => {
  expect(() => parseExperiment('name: !!js/function "x"\n', 'a.yaml')).toThrow(/a\.yaml:/)
  const bomb = `a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n`
  expect(() => parseExperiment(bomb, 'a.yaml')).toThrow(/a\.yaml/)
  expect(() => parseExperiment('x'.repeat(2 ** 21), 'a.yaml')).toThrow(/at most/)
  expect(() => parseExperiment('__proto__: { polluted: true }\n', 'a.yaml')).toThrow(/a\.yaml/)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
