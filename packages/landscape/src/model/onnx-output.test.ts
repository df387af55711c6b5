import { constant, decodeModel, encodeModel, evaluate, importOnnx, numbersOf, tensorOf } from '@thalweg/graph'
import type { OnnxAttribute, OnnxModel, OnnxModelToWrite, OnnxNodeToWrite, Tensor } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { modelFromOnnx } from './onnx-model.ts'
import { outputHead, selectOutput } from './onnx-output.ts'

const int = (value: number): OnnxAttribute => ({ kind: 'int', value })

function call(
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNodeToWrite {
  return { op, name: `the ${op}`, inputs, outputs: [output], attributes: new Map(Object.entries(attributes)) }
}

/** x [N × 2] → scores = x W → what the nodes make of them. */
function model(
  nodes: OnnxNodeToWrite[],
  outputs: OnnxModelToWrite['outputs'] = [{ name: 'y', dtype: 'float32', shape: undefined }],
  more: Partial<OnnxModelToWrite> = {},
): OnnxModel {
  return decodeModel(
    encodeModel({
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 2] }],
      outputs,
      initializers: new Map([['W', tensorOf('float64', [2, 3], [1, 2, 3, -1, 0.5, 2])]]),
      nodes: [call('MatMul', ['x', 'W'], 'scores'), ...nodes],
      opset: 13,
      ...more,
    }),
  )
}

const last = (axis: number): Record<string, OnnxAttribute> => ({ axis: int(axis) })
const softmax = call('Softmax', ['scores'], 'y', last(-1))
const sum = call('ReduceSum', ['e', 'axes'], 's', { keepdims: int(1) })
const axes = new Map<string, Tensor>([
  ['W', tensorOf('float64', [2, 3], [1, 2, 3, -1, 0.5, 2])],
  ['axes', tensorOf('int64', [1], [1])],
])

/** Forms in which exporters write the same function, and what it is. */
const written: [string, OnnxNodeToWrite[], string | undefined][] = [
  ['Softmax over the last axis', [softmax], 'softmax'],
  ['Softmax over axis 1', [call('Softmax', ['scores'], 'y', last(1))], 'softmax'],
  ['Softmax over samples', [call('Softmax', ['scores'], 'y', last(0))], undefined],
  ['Softmax behind a cast', [call('Softmax', ['scores'], 'p'), call('Identity', ['p'], 'y')], 'softmax'],
  ['exp of a log-softmax', [call('LogSoftmax', ['scores'], 'l'), call('Exp', ['l'], 'y')], 'softmax'],
  ['exp u / Σ exp u', [call('Exp', ['scores'], 'e'), sum, call('Div', ['e', 's'], 'y')], 'softmax'],
  ['LogSoftmax', [call('LogSoftmax', ['scores'], 'y')], 'log-softmax'],
  ['log of a softmax', [call('Softmax', ['scores'], 'p'), call('Log', ['p'], 'y')], 'log-softmax'],
  [
    'u − log Σ exp u',
    [call('Exp', ['scores'], 'e'), sum, call('Log', ['s'], 'l'), call('Sub', ['scores', 'l'], 'y')],
    'log-softmax',
  ],
  ['Sigmoid', [call('Sigmoid', ['scores'], 'y')], 'sigmoid'],
  ['plain scores', [call('Identity', ['scores'], 'y')], undefined],
  ['a softmax inside (attention)', [call('Softmax', ['scores'], 'p'), call('Mul', ['p', 'scores'], 'y')], undefined],
]

describe('outputHead', () => {
  it.each(written)('%s', (_, nodes, kind) => {
    const head = outputHead(model(nodes, undefined, { initializers: axes }), 'y')
    expect(head?.kind).toBe(kind)
    if (kind) expect(head?.scores).toBe('scores')
  })
})

/** The output for one sample, of the model as a loss would read it. */
function outputOf(m: OnnxModel): number[] {
  const { outputs } = importOnnx(m, { inputs: { x: [1, 2] }, dtype: 'float64' })
  return Array.from(numbersOf(evaluate(Object.values(outputs), { x: tensorOf('float64', [1, 2], [1, 1]) })[0]))
}

describe('selectOutput', () => {
  it.each(written.filter(([, , kind]) => kind === 'softmax'))(
    'cross-entropy reads the scores before %s, and says so',
    (_, nodes) => {
      const { model: chosen, notes } = selectOutput(model(nodes, undefined, { initializers: axes }), {
        loss: 'cross-entropy',
      })
      expect(outputOf(chosen)).toEqual([0, 2.5, 5])
      expect(notes.join()).toMatch(/ends in softmax .* reads 'scores' before it/)
    },
  )

  it('takes the output as it is when the user names it, with a warning', () => {
    const { model: chosen, notes } = selectOutput(model([softmax]), { loss: 'cross-entropy', output: 'y' })
    expect(outputOf(chosen).reduce((a, b) => a + b)).toBeCloseTo(1, 15)
    expect(notes.join()).toMatch(/applied twice, as asked by --output/)
  })

  it('says that log-softmax twice is log-softmax', () => {
    const { model: chosen, notes } = selectOutput(model([call('LogSoftmax', ['scores'], 'y')]), {
      loss: 'cross-entropy',
    })
    expect(outputOf(chosen)[2]).toBeLessThan(0)
    expect(notes.join()).toMatch(/same function, so nothing counts double/)
  })

  it('binary cross-entropy reads the logit before a sigmoid', () => {
    expect(
      outputOf(selectOutput(model([call('Sigmoid', ['scores'], 'y')]), { loss: 'binary-cross-entropy' }).model),
    ).toEqual([0, 2.5, 5])
  })

  it('leaves a softmax to losses that read numbers', () => {
    const { model: chosen, notes } = selectOutput(model([softmax]), { loss: 'mse' })
    expect(outputOf(chosen).reduce((a, b) => a + b)).toBeCloseTo(1, 15)
    expect(notes).toEqual([])
  })

  it.each([
    ['negative-log-likelihood', softmax, /'the Softmax'.*reads logarithms.*--loss cross-entropy/],
    ['binary-cross-entropy', softmax, /'the Softmax'.*probabilities.*--loss cross-entropy/],
    ['cross-entropy', call('Sigmoid', ['scores'], 'y'), /'the Sigmoid'.*--loss binary-cross-entropy/],
    ['hinge', call('Sigmoid', ['scores'], 'y'), /'the Sigmoid'.*margins.*--output NAME/],
  ])('refuses %s of what contradicts it, naming node and cure', (loss, node, message) => {
    expect(() => selectOutput(model([node]), { loss })).toThrow(message)
    expect(selectOutput(model([node]), { loss, output: 'y' }).notes.join()).toMatch(/as asked, although/)
  })

  it('warns of a likelihood without normalization', () => {
    expect(
      selectOutput(model([call('Identity', ['scores'], 'y')]), { loss: 'negative-log-likelihood' }).notes.join(),
    ).toMatch(/no lower bound/)
  })

  const labels = { name: 'labels', dtype: 'int64', shape: ['N'] } as const
  const withLoss = (outputs: OnnxModelToWrite['outputs']): OnnxModel =>
    model([call('SoftmaxCrossEntropyLoss', ['scores', 'labels'], 'loss')], outputs, {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 2] }, labels],
    })

  it('refuses an output that is a loss and offers the scores', () => {
    expect(() => selectOutput(withLoss([{ name: 'loss', dtype: 'float32', shape: [] }]), {})).toThrow(
      /output 'loss' is a loss \(node 'the SoftmaxCrossEntropyLoss'.*--output scores/,
    )
  })

  it('takes the only output that is not a loss, and then needs no labels', () => {
    const both = withLoss([
      { name: 'loss', dtype: 'float32', shape: [] },
      { name: 'scores', dtype: 'float32', shape: ['N', 3] },
    ])
    const chosen = selectOutput(both, { loss: 'cross-entropy' })
    expect(chosen.model.inputs.map((i) => i.name)).toEqual(['x'])
    expect(chosen.notes.join()).toMatch(/Of 2 outputs 'scores'/)
  })

  it('lists the outputs when several are candidates', () => {
    const two = model(
      [softmax],
      [
        { name: 'y', dtype: 'float32', shape: ['N', 3] },
        { name: 'scores', dtype: 'float32', shape: ['N', 3] },
      ],
    )
    expect(() => selectOutput(two, {})).toThrow(
      /several outputs: y \[N × 3\], scores \[N × 3\]\. Choose one by --output NAME/,
    )
  })

  it('takes any tensor inside by name and lists what there is otherwise', () => {
    expect(outputOf(selectOutput(model([softmax]), { output: 'scores' }).model)).toEqual([0, 2.5, 5])
    expect(() => selectOutput(model([softmax]), { output: 'logits' })).toThrow(
      /no tensor is named 'logits'.*Outputs: y.*scores/,
    )
  })
})

describe('weights that are not finite', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('%d: the model is refused, unless the user holds them', (value) => {
    const initializers = new Map([['W', tensorOf('float64', [2, 3], [1, 2, value, -1, 0.5, 2])]])
    const file = model([call('Relu', ['scores'], 'y')], undefined, { initializers })
    expect(() => modelFromOnnx(file, { name: 'm' })).toThrow(
      `parameter W must be finite, got ${value} at element 2. Training had diverged`,
    )
    expect(modelFromOnnx(file, { name: 'm', freeze: ['W'] }).parameters).toEqual([])
  })
})

describe('a model for exactly one sample', () => {
  const fixed = (nodes: OnnxNodeToWrite[], batch: number): OnnxModel =>
    model(nodes, undefined, { inputs: [{ name: 'x', dtype: 'float32', shape: [batch, 2] }], initializers: axes })

  it('is run sample by sample, even where its nodes would mix samples', () => {
    // softmax over axis 0 of one sample is 1 everywhere; over a batch it would couple the samples
    const m = modelFromOnnx(fixed([call('Softmax', ['scores'], 'y', last(0))], 1), { name: 'm' })
    const x = tensorOf('float64', [2, 2], [1, 1, 3, 4])
    const w = tensorOf('float64', [2, 3], [1, 2, 3, -1, 0.5, 2])
    const out = m.forward([constant(w)], [constant(x)])
    expect(Array.from(numbersOf(evaluate([out])[0]))).toEqual([1, 1, 1, 1, 1, 1])
    expect(m.outputShape).toEqual([3])
  })

  it('is refused for another fixed number of samples, with the cure', () => {
    expect(() => modelFromOnnx(fixed([softmax], 4), { name: 'm' })).toThrow(
      /batches of exactly 4 samples.*dynamic_axes/,
    )
  })
})
