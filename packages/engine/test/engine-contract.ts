import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ThalwegError, evaluate, graphOf, input, isFloat, jvp, numbersOf, vjp } from '@thalweg/graph'
import type { Expr, FloatDType, InputExpr, Tensor } from '@thalweg/graph'
import { everyCase, randomTensor, seededNumbers } from '@thalweg/graph/testing'
import type { CaseGraph } from '@thalweg/graph/testing'
import type { Engine } from '../src/index.ts'

/** Largest difference over the largest magnitude of the reference; ∞ where NaN or an infinity differ. */
export function deviation(actual: Tensor, reference: Tensor): number {
  const [a, b] = [numbersOf(actual), numbersOf(reference)]
  let scale = Number.MIN_VALUE
  let largest = 0
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i])) continue
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) return Number.POSITIVE_INFINITY
    largest = Math.max(largest, Math.abs(a[i] - b[i]))
  }
  for (const v of b) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v))
  return largest / scale
}

const tolerances: Readonly<Record<FloatDType, { readonly value: number; readonly derivative: number }>> = {
  float64: { value: 1e-13, derivative: 1e-12 },
  float32: { value: 1e-5, derivative: 1e-4 },
}

/** A case with its derivative graphs as outputs beside the values. */
function withDerivatives(
  { outputs, inputs, values }: CaseGraph,
  dtype: FloatDType,
): CaseGraph & { readonly forward: number } {
  const numbers = seededNumbers(7)
  const extra: InputExpr[] = []
  const all: Record<string, Tensor> = { ...values }
  const fresh = (name: string, like: Expr): InputExpr => {
    const node = input(name, like.dtype, like.shape)
    all[name] = randomTensor(dtype, like.shape, numbers)
    extra.push(node)
    return node
  }
  const floats = inputs.filter((x) => x.dtype === dtype)
  const smooth = outputs.filter((y) => y.dtype === dtype)
  const cotangents = smooth.map((y, i) => fresh(`cotangent${i}`, y))
  const tangents = floats.map((x, i) => [x, fresh(`tangent${i}`, x)] as const)
  const back = smooth.length > 0 && floats.length > 0 ? vjp(smooth, floats, cotangents) : []
  const ahead = smooth.length > 0 && floats.length > 0 ? jvp(smooth, tangents) : []
  return {
    outputs: [...outputs, ...back, ...ahead],
    inputs: [...inputs, ...extra],
    values: all,
    forward: outputs.length,
  }
}

/** What a host cannot run, by case and dtype, with the reason. */
export type KnownGaps = Readonly<Record<string, string>>

/** Every operator, with its derivatives, against the reference interpreter. */
export function describeOperators(name: string, open: () => Promise<Engine>, gaps: KnownGaps = {}, every = 1): void {
  describe(`operators on ${name}`, () => {
    let engine: Engine
    beforeAll(async () => {
      engine = await open()
    })
    afterAll(() => engine.dispose())
    for (const dtype of ['float64', 'float32'] as const)
      for (const [label, operatorCase] of everyCase.filter((_, i) => i % every === 0)) {
        const title = `${label} ${dtype}`
        const gap = gaps[title]
        it(gap ? `${title}: refused, ${gap}` : title, async () => {
          const { outputs, inputs, values, forward } = withDerivatives(operatorCase.build(dtype), dtype)
          const graph = graphOf(Object.fromEntries(outputs.map((y, i) => [`out${i}`, y])), inputs)
          if (gap) {
            await expect(engine.compile(graph).then((e) => e.run(values))).rejects.toThrow(ThalwegError)
            return
          }
          const executable = await engine.compile(graph)
          const results = await executable.run(values)
          await executable.dispose()
          evaluate(outputs, values).forEach((reference, i) => {
            const result = results[`out${i}`]
            expect({ dtype: result.dtype, shape: result.shape }).toEqual({
              dtype: reference.dtype,
              shape: reference.shape,
            })
            const { value, derivative } = tolerances[dtype]
            const bound = !isFloat(result.dtype) ? 0 : i < forward ? value : derivative
            expect(deviation(result, reference), `output ${i}`).toBeLessThanOrEqual(bound)
          })
        })
      }
  })
}
