import { describe, expect, it } from 'vitest'
import { constant, input } from '../core/expr.ts'
import type { Expr, InputExpr } from '../core/expr.ts'
import { range } from '../core/shape.ts'
import { numbersOf, sizeOf, tensorOf } from '../core/tensor.ts'
import type { Tensor } from '../core/tensor.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { reduceSum } from '../build/reduction.ts'
import { everyCase, floatInputs, randomTensor, seededNumbers, weightedSum } from '../testing/index.ts'
import type { OperatorCase } from '../testing/index.ts'
import { vmap } from '../transform/batch.ts'
import { jvp } from '../transform/forward.ts'
import { grad } from '../transform/reverse.ts'

type Values = Readonly<Record<string, Tensor>>

const nameOf = (x: InputExpr): string => x.attributes.name

/** The tensors of one name of many value sets, end to end, under a leading axis. */
function stackTensors(tensors: readonly Tensor[], leading: readonly number[] = [tensors.length]): Tensor {
  const numbers = tensors.flatMap((t) => Array.from(numbersOf(t)))
  return tensorOf(tensors[0].dtype, [...leading, ...tensors[0].shape], numbers)
}

/** Stand-ins for the stacks of some inputs. */
function stacksOf(inputs: readonly InputExpr[], prefix: string, leading: readonly number[]): InputExpr[] {
  return inputs.map((x) => input(`${prefix}${nameOf(x)}`, x.dtype, [...leading, ...x.shape]))
}

/** Some inputs taken from other seeds, the rest from seed 0. */
function mixed(base: Values, others: readonly Values[], names: readonly string[]): Values[] {
  return others.map((other) => ({ ...base, ...Object.fromEntries(names.map((name) => [name, other[name]])) }))
}

function expectStack(
  actual: readonly Tensor[],
  runs: readonly (readonly Tensor[])[],
  leading: readonly number[],
): void {
  actual.forEach((value, i) => {
    const expected = stackTensors(
      runs.map((run) => run[i]),
      leading,
    )
    expect(value.dtype).toBe(expected.dtype)
    expect(value.shape).toEqual(expected.shape)
    const [a, b] = [numbersOf(value), numbersOf(expected)]
    const scale = b.reduce((m, x) => Math.max(m, Number.isFinite(x) ? Math.abs(x) : 0), 1)
    const far = a.findIndex((x, k) => !Object.is(x, b[k]) && !(Math.abs(x - b[k]) <= 1e-12 * scale))
    expect(far < 0 ? [] : [far, a[far], b[far]]).toEqual([])
  })
}

/** All that are not empty. */
function subsets<T>(all: readonly T[]): T[][] {
  return range(2 ** all.length - 1).map((k) => all.filter((_, i) => ((k + 1) >> i) & 1))
}

/** Compares vmap over `chosen` with as many separate evaluations. */
function expectLoop(
  c: OperatorCase,
  outputs: readonly Expr[],
  inputs: readonly InputExpr[],
  chosen: readonly InputExpr[],
): void {
  const names = chosen.map(nameOf)
  const base = c.build('float64').values
  const others = [1, 2, 3].map((seed) => c.build('float64', seed).values)
  const stacks = stacksOf(chosen, 'stack:', [3])
  const batched = vmap(
    outputs,
    chosen.map((x, i) => [x, stacks[i]]),
  )
  const stacked = Object.fromEntries(
    chosen.map((x) => [`stack:${nameOf(x)}`, stackTensors(others.map((o) => o[nameOf(x)]))]),
  )
  expect(inputs).toEqual(expect.arrayContaining([...chosen]))
  expectStack(
    evaluate(batched, { ...base, ...stacked }),
    mixed(base, others, names).map((v) => evaluate(outputs, v)),
    [3],
  )
}

describe('vmap', () => {
  const withInputs = everyCase.filter(([, c]) => c.build('float64').inputs.length > 0)
  const differentiable = withInputs.filter(([, c]) => floatInputs(c.build('float64')).length > 0)

  describe.each(withInputs)('of %s', (_, c: OperatorCase) => {
    const { inputs, outputs } = c.build('float64')

    it('is a loop, whichever inputs are batched', () => {
      for (const chosen of subsets(inputs)) expectLoop(c, outputs, inputs, chosen)
    })

    it('can be nested', () => {
      expectNested(c, inputs, inputs)
      expectNested(c, inputs.slice(0, 1), inputs.slice(-1))
    })
  })

  describe.each(differentiable)('of derivatives of %s', (_, c: OperatorCase) => {
    const { inputs, outputs, values } = c.build('float64')
    const xs = floatInputs({ inputs, outputs, values })
    const loss = weightedSum(outputs, 'float64')
    const gradients = grad(loss, xs)

    it('is a loop, whichever inputs are batched', () => {
      const products = jvp(
        gradients,
        xs.map((x) => [x, x]),
      )
      for (const chosen of subsets(inputs)) expectLoop(c, [...gradients, ...products], inputs, chosen)
    })

    it('comes before them as well as after: grad and jvp of vmap are vmap of grad and jvp', () => {
      const others = [1, 2].map((seed) => c.build('float64', seed).values)
      const stacks = stacksOf(xs, 'stack:', [2])
      const pairs = xs.map((x, i) => [x, stacks[i]] as const)
      const losses = vmap([loss], pairs)[0]
      const fed = {
        ...values,
        ...Object.fromEntries(xs.map((x) => [`stack:${nameOf(x)}`, stackTensors(others.map((o) => o[nameOf(x)]))])),
      }
      const runs = mixed(values, others, xs.map(nameOf))
      expectStack(
        evaluate(grad(reduceSum(losses), stacks), fed),
        runs.map((v) => evaluate(gradients, v)),
        [2],
      )
      const numbers = seededNumbers(3)
      const directions = xs.map((x) => constant(randomTensor('float64', x.shape, numbers)))
      const wide = directions.map((d) => constant(stackTensors([d.attributes.value, d.attributes.value])))
      const moved = evaluate(
        jvp(
          [losses],
          stacks.map((s, i) => [s, wide[i]]),
        ),
        fed,
      )
      expectStack(
        moved,
        runs.map((v) =>
          evaluate(
            jvp(
              [loss],
              xs.map((x, i) => [x, directions[i]]),
            ),
            v,
          ),
        ),
        [2],
      )
    })
  })
})

/** vmap over 2 of vmap over 3; inputs in both sets carry both axes. */
function expectNested(c: OperatorCase, inner: readonly InputExpr[], outer: readonly InputExpr[]): void {
  const { inputs, outputs, values } = c.build('float64')
  const at = (chosen: readonly InputExpr[]): InputExpr[] =>
    chosen.map((x) => inputs.find((y) => nameOf(y) === nameOf(x))!)
  const [ins, outs] = [at(inner), at(outer)]
  const innerStacks = stacksOf(ins, 'inner:', [3])
  const once = vmap(
    outputs,
    ins.map((x, i) => [x, innerStacks[i]]),
  )
  const moving = outs.map((x) => innerStacks[ins.indexOf(x)] ?? x)
  const outerStacks = moving.map((x) => input(`outer:${nameOf(x)}`, x.dtype, [2, ...x.shape]))
  const twice = vmap(
    once,
    moving.map((x, i) => [x, outerStacks[i]]),
  )
  const other = (i: number, j: number): Values => c.build('float64', 1 + 3 * i + j).values
  const value = (x: InputExpr, i: number, j: number): Tensor => {
    const [isInner, isOuter] = [ins.includes(x), outs.includes(x)]
    if (!isInner && !isOuter) return values[nameOf(x)]
    return other(isOuter ? i : 0, isInner ? j : 0)[nameOf(x)]
  }
  const pairs = [0, 1].flatMap((i) => [0, 1, 2].map((j) => [i, j] as const))
  const runs = pairs.map(([i, j]) =>
    evaluate(outputs, Object.fromEntries(inputs.map((x) => [nameOf(x), value(x, i, j)]))),
  )
  const fed: Record<string, Tensor> = { ...values }
  for (const x of ins) fed[`inner:${nameOf(x)}`] = stackTensors([0, 1, 2].map((j) => value(x, 0, j)))
  outs.forEach((x, k) => {
    const isInner = ins.includes(x)
    const cells = isInner ? pairs.map(([i, j]) => value(x, i, j)) : [0, 1].map((i) => value(x, i, 0))
    fed[nameOf(outerStacks[k])] = stackTensors(cells, isInner ? [2, 3] : [2])
  })
  expect(sizeOf(twice[0].shape)).toBe(6 * sizeOf(outputs[0].shape))
  expectStack(evaluate(twice, fed), runs, [2, 3])
}
