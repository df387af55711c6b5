import { describe, expect, it } from 'vitest'
import { DomainError, ShapeError } from '../core/errors.ts'
import { constant, input } from '../core/expr.ts'
import type { Expr, InputExpr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { numbersOf, tensorOf } from '../core/tensor.ts'
import type { FloatDType, Tensor } from '../core/tensor.ts'
import { graphOf } from '../core/traversal.ts'
import { gelu, silu } from '../build/activation.ts'
import { averagePool, conv, matmul, maxPool } from '../build/contraction.ts'
import { add, cast, cos, exp, greater, mul, neg, relu, sin, softplus, sub, tanh } from '../build/elementwise.ts'
import { oneHot } from '../build/indexing.ts'
import { batchNormalization } from '../build/normalization.ts'
import { argMax, innerProduct, logSoftmax, reduceMean, reduceSum } from '../build/reduction.ts'
import { expand, flatten, reshape, transpose } from '../build/structure.ts'
import { evaluate } from '../interpret/evaluate.ts'
import {
  adjointDefect,
  centralDifference,
  differenceDefect,
  flatObjective,
  norm,
  operatorCases,
  compositeCases,
  floatInputs,
  randomTensor,
  randomVector,
  seededNumbers,
  taylorOrder,
  weightedSum,
} from '../testing/index.ts'
import { vmap } from './batch.ts'
import { jvp } from './forward.ts'
import { partition } from './linearize.ts'
import { grad, vjp } from './reverse.ts'
import { simplify } from './simplify.ts'

const scalarOf = (value: number): Expr => constant(tensorOf('float64', [], [value]))
const numberAt = (e: Expr, values: Readonly<Record<string, Tensor>>): number => numbersOf(evaluate([e], values)[0])[0]

interface Network {
  readonly loss: Expr
  readonly theta: InputExpr
  readonly values: Readonly<Record<string, Tensor>>
}

/** Cross-entropy of a 3-4-3 network on 5 samples as a function of its 31 parameters, one flat vector. */
function network(dtype: FloatDType, activation: (x: Expr) => Expr = tanh): Network {
  const numbers = seededNumbers(11)
  const theta = input('theta', dtype, [31])
  const x = constant(randomTensor(dtype, [5, 3], numbers))
  const labels = constant(tensorOf('int64', [5], [0, 2, 1, 1, 0]))
  const piece = (start: number, shape: readonly number[]): Expr =>
    reshape(
      make('Slice', [theta], { starts: [start], ends: [start + shape.reduce((p, d) => p * d, 1)], steps: [1] }),
      shape,
    )
  const hidden = activation(add(matmul(x, piece(0, [3, 4])), piece(12, [4])))
  const logits = add(matmul(hidden, piece(16, [4, 3])), piece(28, [3]))
  const loss = neg(reduceMean(reduceSum(mul(oneHot(labels, 3, dtype), logSoftmax(logits)), [1])))
  return { loss, theta, values: { theta: randomTensor(dtype, [31], numbers, -1, 1) } }
}

/** All rows of the Hessian at once: the Hessian-vector product batched over the identity. */
function denseHessian({ loss, theta }: Network): Expr {
  const [p] = theta.shape
  const v = input('v', theta.dtype, theta.shape)
  const identity = constant(
    tensorOf(
      theta.dtype,
      [p, p],
      Array.from({ length: p * p }, (_, i) => (i % (p + 1) === 0 ? 1 : 0)),
    ),
  )
  return vmap(jvp(grad(loss, [theta]), [[theta, v]]), [[v, identity]])[0]
}

describe('a small network with cross-entropy', () => {
  it.each([
    ['tanh', tanh],
    ['softplus', softplus],
    ['gelu', gelu],
    ['silu', silu],
  ] as const)('has the derivatives of its finite differences: %s', (_, activation) => {
    const { loss, theta, values } = network('float64', (x) => activation(x))
    const f = flatObjective(loss, [theta], values)
    expect(differenceDefect(f.value, f.gradient(f.theta), f.theta)).toBeLessThan(1e-6)
    const { hessianTimes: __, ...first } = f
    expect(Math.abs(taylorOrder(first, f.theta, { spread: 0.5 }) - 2)).toBeLessThan(0.05)
    expect(Math.abs(taylorOrder(f, f.theta, { spread: 0.5 }) - 3)).toBeLessThan(0.05)
  })

  it('has a dense Hessian whose rows are Hessian-vector products and differences of gradients', () => {
    const net = network('float64')
    const f = flatObjective(net.loss, [net.theta], net.values)
    const [p] = net.theta.shape
    const hessian = numbersOf(evaluate([denseHessian(net)], net.values)[0])
    for (let i = 0; i < p; i++) {
      const row = hessian.subarray(i * p, (i + 1) * p)
      const unit = new Float64Array(p)
      unit[i] = 1
      const product = f.hessianTimes(f.theta, unit)
      expect(norm(row.map((h, k) => h - product[k]))).toBeLessThanOrEqual(1e-15 * Math.max(1, norm(row)) * 10)
      const differences = centralDifference((theta) => f.gradient(theta)[i], f.theta)
      expect(norm(differences.map((d, k) => d - row[k]))).toBeLessThan(1e-6 * norm(row))
      row.forEach((h, k) => expect(Math.abs(h - hessian[k * p + i])).toBeLessThan(30 * 2 ** -53 * norm(hessian)))
    }
  })

  it('has the same Hessian however it is composed', () => {
    const { loss, theta, values } = network('float64')
    const numbers = seededNumbers(12)
    const [u, v] = [randomTensor('float64', [31], numbers), randomTensor('float64', [31], numbers)].map(constant)
    const gradient = grad(loss, [theta])
    const forwardOverReverse = jvp(gradient, [[theta, v]])[0]
    const reverseOverReverse = vjp(gradient, [theta], [v])[0]
    const reverseOverForward = grad(jvp([loss], [[theta, v]])[0], [theta])[0]
    const forwardOverForward = jvp(jvp([loss], [[theta, v]]), [[theta, u]])[0]
    const [a, b, c, d] = evaluate(
      [forwardOverReverse, reverseOverReverse, reverseOverForward, forwardOverForward],
      values,
    ).map(numbersOf)
    for (const other of [b, c]) expect(norm(a.map((h, i) => h - other[i]))).toBeLessThan(1e-14 * norm(a))
    expect(Math.abs(d[0] - a.reduce((s, h, i) => s + h * numbersOf(u.attributes.value)[i], 0))).toBeLessThan(
      1e-13 * Math.abs(d[0]) + 1e-15,
    )
  })

  it('computes nearly the same in float32', () => {
    const [wide, narrow] = (['float64', 'float32'] as const).map((dtype) => {
      const { loss, theta, values } = network(dtype)
      return evaluate([loss, ...grad(loss, [theta])], values).map(numbersOf)
    })
    expect(Math.abs(narrow[0][0] - wide[0][0])).toBeLessThan(1e-5 * Math.abs(wide[0][0]))
    expect(norm(narrow[1].map((g, i) => g - wide[1][i]))).toBeLessThan(2e-3 * norm(wide[1]))
  })
})

describe('a small convolutional network', () => {
  const numbers = seededNumbers(13)
  const x = constant(randomTensor('float64', [2, 1, 6, 6], numbers))
  const w1 = input('w1', 'float64', [2, 1, 3, 3])
  const w2 = input('w2', 'float64', [4, 1, 2, 2])
  const scale = input('scale', 'float64', [2])
  const statistics = [randomTensor('float64', [2], numbers), randomTensor('float64', [2], numbers, 0.5, 1)].map(
    constant,
  )
  const first = conv(x, w1, { padsBegin: [1, 1], strides: [2, 1] })
  const normal = softplus(
    batchNormalization(first, scale, constant(tensorOf('float64', [2], [0.1, -0.2])), statistics[0], statistics[1]),
  )
  const second = conv(maxPool(normal, [2, 2], { strides: [1, 2] }), w2, { groups: 2 })
  const logits = flatten(averagePool(tanh(second), [1, 2]))
  const loss = neg(reduceMean(make('Slice', [logSoftmax(logits)], { starts: [0, 1], ends: [2, 2], steps: [1, 1] })))
  const inputs = [w1, w2, scale]
  const values = Object.fromEntries(
    inputs.map((i) => [i.attributes.name, randomTensor('float64', i.shape, numbers, 0.2, 1)]),
  )
  const f = flatObjective(loss, inputs, values)

  it('has right derivatives', () => {
    expect(differenceDefect(f.value, f.gradient(f.theta), f.theta)).toBeLessThan(1e-6)
    expect(Math.abs(taylorOrder(f, f.theta, { step: 1e-3 }) - 3)).toBeLessThan(0.05)
    const [u, v] = [randomVector(f.theta.length, numbers), randomVector(f.theta.length, numbers)]
    expect(adjointDefect(u, f.hessianTimes(f.theta, u), v, f.hessianTimes(f.theta, v))).toBeLessThan(30)
  })

  it('gives per-sample gradients by vmap over parameters that are batched', () => {
    const stacks = inputs.map((i) => input(`${i.attributes.name}s`, 'float64', [3, ...i.shape]))
    const gradients = vmap(
      [
        ...grad(loss, inputs),
        ...jvp(
          grad(loss, inputs),
          inputs.map((i) => [i, i]),
        ),
      ],
      inputs.map((i, k) => [i, stacks[k]]),
    )
    const runs = [0, 1, 2].map(() =>
      Object.fromEntries(inputs.map((i) => [i.attributes.name, randomTensor('float64', i.shape, numbers, 0.2, 1)])),
    )
    const fed = Object.fromEntries(
      inputs.map(({ shape, attributes: { name } }) => [
        `${name}s`,
        tensorOf(
          'float64',
          [3, ...shape],
          runs.flatMap((r) => Array.from(numbersOf(r[name]))),
        ),
      ]),
    )
    const together = evaluate(gradients, fed).map(numbersOf)
    runs.forEach((run, b) => {
      const alone = evaluate(
        [
          ...grad(loss, inputs),
          ...jvp(
            grad(loss, inputs),
            inputs.map((i) => [i, i]),
          ),
        ],
        run,
      ).map(numbersOf)
      alone.forEach((expected, k) => {
        const part = together[k].subarray(b * expected.length, (b + 1) * expected.length)
        expect(norm(part.map((g, i) => g - expected[i]))).toBeLessThan(1e-13 * Math.max(1, norm(expected)))
      })
    })
  })
})

const smoothCases = [
  ...(
    [
      'Exp',
      'Tanh',
      'Erf',
      'Softplus',
      'Atan',
      'Pow',
      'Div',
      'Softmax',
      'LogSoftmax',
      'ReduceLogSumExp',
      'MatMul',
      'Conv',
    ] as const
  ).map((name) => [name, operatorCases[name][0]] as const),
  ...(['gelu', 'mish', 'layerNormalization', 'reduceProd', 'reduceL2'] as const).map(
    (name) => [name, compositeCases[name][0]] as const,
  ),
]

describe('third derivatives along a direction', () => {
  it.each(smoothCases)('of %s are the differences of second ones', (_, c) => {
    const built = c.build('float64')
    const xs = floatInputs(built)
    const loss = weightedSum(
      built.outputs.map((y) => mul(y, sin(y))),
      'float64',
    )
    const numbers = seededNumbers(7)
    const vs = xs.map((x) => constant(randomTensor('float64', x.shape, numbers, -1, 1)))
    const along = (outputs: readonly Expr[]): Expr[] =>
      jvp(
        outputs,
        xs.map((x, i) => [x, vs[i]]),
      )
    const second = along(along([loss]))
    const exact = numberAt(along(second)[0], built.values)
    const secondAt = (t: number): number => {
      const moved = Object.fromEntries(
        xs.map((x, i) => {
          const { name } = x.attributes
          const v = numbersOf(vs[i].attributes.value)
          return [
            name,
            tensorOf(
              'float64',
              x.shape,
              numbersOf(built.values[name]).map((a, k) => a + t * v[k]),
            ),
          ]
        }),
      )
      return numberAt(second[0], { ...built.values, ...moved })
    }
    const h = 1e-5
    const slope = (secondAt(h) - secondAt(-h)) / (2 * h)
    expect(Math.abs(slope - exact)).toBeLessThan(1e-6 * Math.max(Math.abs(exact), Math.abs(secondAt(0))))
  })

  it('are exact for e^x sin x up to the sixth', () => {
    const x = input('x', 'float64', [])
    let f = mul(exp(x), sin(x))
    const expected = (n: number, at: number): number => 2 ** (n / 2) * Math.exp(at) * Math.sin(at + (n * Math.PI) / 4)
    for (let n = 1; n <= 6; n++) {
      f = n % 2 ? grad(f, [x])[0] : jvp([f], [[x, scalarOf(1)]])[0]
      f = Object.values(simplify(graphOf({ f })).outputs)[0]
      expect(Math.abs(numberAt(f, { x: tensorOf('float64', [], [0.7]) }) - expected(n, 0.7))).toBeLessThan(1e-13)
    }
  })
})

describe('what does not depend', () => {
  const x = input('x', 'float64', [2])
  const z = input('z', 'float64', [3])
  const values = { x: tensorOf('float64', [2], [1, 2]), z: tensorOf('float64', [3], [1, 2, 3]) }

  it('has zero derivatives of the right type', () => {
    const [gx, gz] = grad(reduceSum(exp(x)), [x, z])
    expect(gz.shape).toEqual([3])
    expect(Array.from(numbersOf(evaluate([gz], values)[0]))).toEqual([0, 0, 0])
    expect(gx.op).not.toBe('Add')
    const [still] = jvp([sin(x)], [[z, z]])
    expect(Array.from(numbersOf(evaluate([still], values)[0]))).toEqual([0, 0])
    const [discrete] = grad(reduceSum(cast(argMax(x, 0), 'float64')), [x])
    expect(Array.from(numbersOf(evaluate([discrete], values)[0]))).toEqual([0, 0])
    const truths = expand(greater(x, 1), [3, 2])
    const [ofBools] = vjp([truths], [x], [truths])
    expect(Array.from(numbersOf(evaluate([ofBools], values)[0]))).toEqual([0, 0])
  })

  it('is not computed: the zero of an output that never moves is a constant', () => {
    const [still] = jvp([exp(x)], [[z, z]])
    expect(simplify(graphOf({ still })).outputs['still'].op).toBe('Constant')
  })

  it('is repeated by vmap', () => {
    const [same] = vmap([exp(x)], [[z, constant(tensorOf('float64', [2, 3], [1, 2, 3, 4, 5, 6]))]])
    expect(same.shape).toEqual([2, 2])
    const e = [Math.exp(1), Math.exp(2)]
    expect(Array.from(numbersOf(evaluate([same], values)[0]))).toEqual([...e, ...e])
  })

  it('is computed once by vmap and shared', () => {
    const shared = exp(x)
    const [y] = vmap([mul(shared, reduceSum(z))], [[z, input('zs', 'float64', [4, 3])]])
    expect(y.inputs[0]).toBe(shared)
  })
})

describe('any node may be a variable', () => {
  const x = input('x', 'float64', [])
  const inner = sin(x)
  const outer = mul(inner, add(x, inner))
  const values = { x: tensorOf('float64', [], [0.3]) }
  const s = Math.sin(0.3)

  it('in grad and jvp, others held', () => {
    const [d, dx] = grad(outer, [inner, x])
    expect(numberAt(d, values)).toBeCloseTo(0.3 + 2 * s, 14)
    expect(numberAt(dx, values)).toBeCloseTo(s, 14)
    const [t] = jvp([outer], [[inner, scalarOf(1)]])
    expect(numberAt(t, values)).toBeCloseTo(0.3 + 2 * s, 14)
    const [both] = jvp(
      [outer],
      [
        [inner, scalarOf(1)],
        [x, scalarOf(2)],
      ],
    )
    expect(numberAt(both, values)).toBeCloseTo(0.3 + 4 * s, 14)
  })

  it('in vmap', () => {
    const [y] = vmap([outer], [[inner, constant(tensorOf('float64', [2], [1, 2]))]])
    expect(Array.from(numbersOf(evaluate([y], values)[0]))).toEqual([1.3, 4.6])
    const both = [inner, x].map((node, i) => [node, constant(tensorOf('float64', [2], [1 + i, 2]))] as const)
    expect(Array.from(numbersOf(evaluate(vmap([outer], both), values)[0]))).toEqual([3, 8])
  })

  it('adds the directions of a node that is named twice', () => {
    const [t] = jvp(
      [cos(x)],
      [
        [x, scalarOf(1)],
        [x, scalarOf(2)],
      ],
    )
    expect(numberAt(t, values)).toBeCloseTo(-3 * s, 14)
  })

  it('is itself an output', () => {
    expect(numberAt(grad(x, [x])[0], values)).toBe(1)
    expect(numberAt(jvp([x], [[x, scalarOf(5)]])[0], values)).toBe(5)
  })
})

describe('errors', () => {
  const x = input('x', 'float64', [2])
  const i = input('i', 'int64', [2])

  it('name what is expected', () => {
    expect(() => grad(x, [x])).toThrow('grad: the output must be a scalar, got [2]. Reduce it, or use vjp.')
    expect(() => grad(reduceSum(i), [x])).toThrow(DomainError)
    expect(() => vjp([x], [i], [x])).toThrow(/vjp: derivatives need floating-point values, got int64\[2\]/)
    expect(() => jvp([x], [[i, i]])).toThrow(/jvp: derivatives need floating-point values, got int64\[2\]/)
    expect(() => vjp([x], [x], [])).toThrow(/vjp: cotangent 0 must be float64\[2\], got none/)
    expect(() => vjp([x], [x], [reduceSum(x)])).toThrow(ShapeError)
    expect(() => jvp([x], [[x, cast(x, 'float32')]])).toThrow(
      /jvp: the direction must be float64\[2\] as its node, got float32\[2\]/,
    )
    expect(() => vmap([x], [[x, x]])).toThrow(/vmap: the stack must be float64\[2,2\], got float64\[2\]/)
    expect(() => vmap([x], [])).toThrow(ShapeError)
    expect(() => vmap([x], [[x, scalarOf(1)]])).toThrow(ShapeError)
  })

  it('of the interpreter name the input', () => {
    expect(() => evaluate([x], {})).toThrow('evaluate: input x has no value. Pass one.')
    expect(() => evaluate([x], { x: tensorOf('float64', [3], [1, 2, 3]) })).toThrow(
      /input x must be float64\[2\], got float64\[3\]/,
    )
    expect(() =>
      evaluate([make('Gather', [x, i], { axis: 0 })], {
        x: tensorOf('float64', [2], [1, 2]),
        i: tensorOf('int64', [2], [0, 2]),
      }),
    ).toThrow('Gather: index must be in 0…1, got 2.')
    const quotient = make('Div', [i, i], {})
    expect(() => evaluate([quotient], { i: tensorOf('int64', [2], [1, 0]) })).toThrow(DomainError)
  })
})

describe('graphs 5000 deep', () => {
  it('overflow no stack', () => {
    const x = input('x', 'float64', [2])
    let y: Expr = x
    for (let k = 0; k < 5000; k++)
      y = k % 5 === 4 ? reshape(transpose(reshape(y, [1, 2]), [1, 0]), [2]) : k % 2 ? sin(y) : sub(relu(y), 0.001)
    const [g] = grad(reduceSum(y), [x])
    const v = input('v', 'float64', [2])
    const [h] = jvp([g], [[x, v]])
    const [stack] = vmap([h], [[v, constant(tensorOf('float64', [2, 2], [1, 0, 0, 1]))]])
    const small = simplify(graphOf({ y, g, stack }))
    const parts = partition(graphOf({ h }), [v])
    expect(Object.keys(parts.late.outputs)).toEqual(['h'])
    const results = evaluate(Object.values(small.outputs), { x: tensorOf('float64', [2], [0.5, 1]) })
    expect(results.every((t) => numbersOf(t).every(Number.isFinite))).toBe(true)
  })

  it('also where one value feeds the next twice: shared, not unfolded', () => {
    const x = input('x', 'float64', [])
    let y: Expr = x
    for (let k = 0; k < 200; k++) y = mul(y, add(y, 1))
    const [g] = grad(y, [x])
    expect(numberAt(innerProduct(g, g), { x: tensorOf('float64', [], [0]) })).toBe(1)
  })
})
