import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { describeModel } from '../../src/models/describe-model.ts'
import { openModelFile } from '../../src/models/open-model-file.ts'
import type { ModelChoice } from '../../src/models/open-model-file.ts'
import { fixturePath } from './fixtures.ts'

interface Described {
  readonly parameters: { name: string; role: string; filters: number; uses: number }[]
  readonly constants: { name: string; reason: string }[]
  readonly parameterCount: number
}

function described(
  name: string,
  choice: ModelChoice = {},
): Described & { notes: readonly string[]; lines: readonly string[] } {
  const { data, notes, lines } = describeModel(openModelFile(fixturePath(`${name}.onnx`), choice), choice)
  return { ...(data as Described), notes, lines }
}

describe('the table of parameters', () => {
  it('tells roles, filters and ties', () => {
    const { parameters } = described('language-model')
    const of = (name: string) => parameters.find((p) => p.name === name)
    expect(of('embedding.weight')).toMatchObject({ role: 'embedding', filters: 6, uses: 2 })
    expect(of('block.mlp.0.weight')).toMatchObject({ role: 'weight', filters: 6, uses: 1 })
    expect(of('norm.weight')).toMatchObject({ role: 'scale', filters: 1 })
    expect(of('norm.bias')).toMatchObject({ role: 'shift' })
  })

  it('holds batch-norm statistics constant and says why', () => {
    const { constants, notes, lines } = described('cnn-batch-norm')
    expect(constants.map(({ name, reason }) => [name, reason])).toEqual([
      ['1.running_mean', 'batch-norm statistics'],
      ['1.running_var', 'batch-norm statistics'],
    ])
    expect(notes.join()).toMatch(/stored statistics/)
    expect(lines.join('\n')).toMatch(/batch-norm statistics: 1\.running_mean \[2\]/)
  })

  it('lets the user freeze by pattern and train by name', () => {
    const whole = described('cnn-batch-norm')
    const { parameters, constants } = described('cnn-batch-norm', {
      freeze: ['*.bias', '5.*'],
      train: ['1.running_mean'],
    })
    expect(parameters.map((p) => p.name)).toEqual(['0.weight', '1.weight', '1.running_mean'])
    expect(constants.filter((c) => c.reason === 'frozen').map((c) => c.name)).toEqual(['1.bias', '5.weight', '5.bias'])
    expect(whole.parameterCount).toBe(58)
    expect(() => described('cnn-batch-norm', { freeze: ['layer*'] })).toThrow(
      /freeze: no initializer is named layer\*\. There are: 0\.weight/,
    )
  })

  it('what an inner output does not need is no parameter', () => {
    const { constants, parameters } = described('mlp-gelu', { output: '/0/Gemm_output_0' })
    expect(parameters.map((p) => p.name)).toEqual(['0.weight', '0.bias'])
    expect(constants.map((c) => c.reason)).toEqual(['unused', 'unused'])
    const train = ['2.weight']
    expect(() => described('mlp-gelu', { output: '/0/Gemm_output_0', train })).toThrow(/train: 2\.weight is unused/)
  })

  it('says that float32 weights are widened', () => {
    expect(described('mlp-gelu-float32').notes.join()).toMatch(/float32 in the file and are widened/)
    expect(described('mlp-gelu').notes).toEqual([])
  })

  it('a dropout of nothing is not worth a word', () => {
    expect(described('transformer-encoder').notes).toEqual([])
  })
})

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function thalweg(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--no-warnings', main, ...parameters], { encoding: 'utf8' })
}

describe('the command line', () => {
  it('prints one JSON document', () => {
    const { status, stdout } = thalweg(
      'model',
      'info',
      fixturePath('ends-in-softmax.onnx'),
      '--loss',
      'cross-entropy',
      '--json',
    )
    const document = JSON.parse(stdout) as { command: string; model: Described; warnings: string[] }
    expect([status, document.command, document.model.parameterCount]).toEqual([0, 'model info', 31])
    expect(document.warnings.join()).toMatch(/ends in softmax/)
  })

  it('refuses in one line with status 2', () => {
    const { status, stdout, stderr } = thalweg(
      'model',
      'info',
      fixturePath('with-loss.onnx'),
      '--output',
      'loss',
      '--json',
    )
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^thalweg: \S*with-loss\.onnx: the output 'loss' is a loss .* --output scores .*\n$/)
  })
})
