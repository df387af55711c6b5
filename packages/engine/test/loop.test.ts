import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { add, cast, div, grad, graphOf, input, matmul, mul, reduceMean, sub, tanh, tensorOf } from '@thalweg/graph'
import type { FloatDType, InputExpr, Tensor } from '@thalweg/graph'
import { randomTensor, seededNumbers } from '@thalweg/graph/testing'
import type { Engine, LoopProgram, Values } from '../src/index.ts'
import { childHost, hosts } from './hosts.ts'

/** Gradient descent on a small regression with momentum; the rate falls with the step. */
function descent(dtype: FloatDType): { program: LoopProgram; constants: Values; start: Record<string, Tensor> } {
  const numbers = seededNumbers(3)
  const x = input('x', dtype, [20, 3])
  const y = input('y', dtype, [20, 2])
  const rate = input('rate', dtype, [])
  const w = input('w', dtype, [3, 2])
  const velocity = input('velocity', dtype, [3, 2])
  const step = input('step', 'int64', [])
  const residual = sub(tanh(matmul(x, w)), y)
  const loss = reduceMean(mul(residual, residual))
  const [slope] = grad(loss, [w])
  const nextVelocity = sub(mul(velocity, 0.9), mul(slope, div(rate, add(cast(step, dtype), 1))))
  return {
    program: {
      carried: [w, velocity],
      next: [add(w, nextVelocity), nextVelocity],
      step,
      records: { loss, step2: mul(step, step), w0: w },
      inputs: [x, y, rate],
    },
    constants: {
      x: randomTensor(dtype, [20, 3], numbers),
      y: randomTensor(dtype, [20, 2], numbers),
      rate: tensorOf(dtype, [], [0.5]),
    },
    start: { w: randomTensor(dtype, [3, 2], numbers), velocity: tensorOf(dtype, [3, 2], new Float64Array(6)) },
  }
}

describe.each([...hosts, childHost])('loops on $name', ({ open }) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await open()
  })
  afterAll(() => engine.dispose())

  it.each(['float64', 'float32'] as const)('equal stepping one by one, bit for bit, %s', async (dtype) => {
    const { program, constants, start } = descent(dtype)
    const loop = await engine.compileLoop(program)
    const { carried, records } = await loop.run({ ...constants, ...start }, 7)
    const single = await engine.compile(
      graphOf({ w_next: program.next[0], v_next: program.next[1], loss: program.records['loss'] }),
    )
    let state = start
    const losses: number[] = []
    for (let t = 0; t < 7; t++) {
      const step = tensorOf('int64', [], [t])
      const out = await single.run({ ...constants, ...state, step })
      losses.push(Number(out['loss'].data[0]))
      state = { w: out['w_next'], velocity: out['v_next'] }
    }
    expect(carried['w'].data).toEqual(state['w'].data)
    expect(carried['velocity'].data).toEqual(state['velocity'].data)
    expect(records['loss'].shape).toEqual([7])
    expect([...(records['loss'].data as Float64Array)]).toEqual(losses)
    expect(losses[6]).toBeLessThan(losses[0])
    expect([...(records['step2'].data as BigInt64Array)]).toEqual([0n, 1n, 4n, 9n, 16n, 25n, 36n])
    expect(records['w0'].shape).toEqual([7, 3, 2])
    expect((records['w0'].data as Float64Array).slice(0, 6)).toEqual(start['w'].data)
  })

  it('splits into calls: 3 steps and 4 steps are 7, when the step index is carried', async () => {
    const { program, constants, start } = descent('float64')
    const clock = input('clock', 'int64', [])
    const momentum = mul(program.carried[1], 0.9)
    const timed: LoopProgram = {
      ...program,
      carried: [...program.carried, clock],
      next: [add(program.carried[0], momentum), momentum, add(clock, cast(input('one', 'int64', []), 'int64'))],
      records: {},
      inputs: [],
    }
    const one = timed.next[2].inputs[1] as InputExpr
    const loop = await engine.compileLoop({ ...timed, inputs: [one] })
    const begin = { ...constants, ...start, clock: tensorOf('int64', [], [0]), one: tensorOf('int64', [], [1]) }
    const whole = await loop.run(begin, 7)
    const first = await loop.run(begin, 3)
    const second = await loop.run({ ...begin, ...first.carried }, 4)
    expect(second.carried).toEqual(whole.carried)
    expect(second.carried['clock'].data).toEqual(BigInt64Array.of(7n))
  })

  it('zero steps change nothing and record nothing', async () => {
    const { program, constants, start } = descent('float32')
    const loop = await engine.compileLoop(program, { constants })
    const { carried, records } = await loop.run(start, 0)
    expect(carried['w'].data).toEqual(start['w'].data)
    expect(records['loss'].shape).toEqual([0])
    expect(records['w0'].shape).toEqual([0, 3, 2])
    await expect(loop.run(start, -1)).rejects.toThrow(/steps must be a non-negative integer/)
  })

  it('constants give the same bits as inputs', async () => {
    const { program, constants, start } = descent('float64')
    const [free, baked] = [await engine.compileLoop(program), await engine.compileLoop(program, { constants })]
    expect(await baked.run(start, 5)).toEqual(await free.run({ ...constants, ...start }, 5))
  })
})
