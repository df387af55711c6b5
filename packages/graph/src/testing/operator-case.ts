import { input } from '../core/expr.ts'
import type { Expr, InputExpr } from '../core/expr.ts'
import { sizeOf, tensorOf } from '../core/tensor.ts'
import type { FloatDType, Shape, Tensor } from '../core/tensor.ts'
import { randomTensor, seededNumbers } from './seeded-numbers.ts'
import type { SeededNumbers } from './seeded-numbers.ts'

/** Something to compute, with values to compute it at. */
export interface CaseGraph {
  readonly outputs: readonly Expr[]
  readonly inputs: readonly InputExpr[]
  readonly values: Readonly<Record<string, Tensor>>
}

/** One use of an operator or builder. Another seed gives other values for the same graph; both float dtypes get the
 * same numbers. Values keep away from kinks, so that finite differences mean something. */
export interface OperatorCase {
  readonly name: string
  /** Rounded on the way (a cast to float32): finite differences mean nothing. */
  readonly rounded: boolean
  readonly build: (dtype: FloatDType, seed?: number) => CaseGraph
}

/** Least distance of a value from a kink. */
const clearance = 0.06

/** Declares the inputs of a case and draws their values. */
export class CaseInputs {
  readonly dtype: FloatDType
  readonly inputs: InputExpr[] = []
  readonly values: Record<string, Tensor> = {}
  readonly #numbers: SeededNumbers

  constructor(dtype: FloatDType, seed: number) {
    this.dtype = dtype
    this.#numbers = seededNumbers(seed)
  }

  #add(value: Tensor): InputExpr {
    const name = `x${this.inputs.length}`
    const node = input(name, value.dtype, value.shape)
    this.inputs.push(node)
    this.values[name] = value
    return node
  }

  /** Uniform in [low, high). */
  float(shape: Shape, low = -1.5, high = 1.5): InputExpr {
    return this.#add(randomTensor(this.dtype, shape, this.#numbers, low, high))
  }

  /** Uniform, but apart from the places where the function has a kink. */
  avoiding(kinks: readonly number[], shape: Shape, low = -1.5, high = 1.5): InputExpr {
    const draw = (): number => {
      const x = this.#numbers.uniform(low, high)
      return kinks.some((k) => Math.abs(x - k) < clearance) ? draw() : x
    }
    return this.#add(
      tensorOf(
        this.dtype,
        shape,
        Array.from({ length: sizeOf(shape) }, () => Math.fround(draw())),
      ),
    )
  }

  /** All elements apart from each other: 0.2·k for a random order of k, centered. */
  distinct(shape: Shape): InputExpr {
    const n = sizeOf(shape)
    const order = Array.from({ length: n }, (_, i) => i)
    for (let i = n - 1; i > 0; i--) {
      const j = this.#numbers.integer(i + 1)
      ;[order[i], order[j]] = [order[j], order[i]]
    }
    return this.#add(
      tensorOf(
        this.dtype,
        shape,
        order.map((k) => Math.fround(0.2 * (k - n / 2))),
      ),
    )
  }

  /** Multiples of 0.4 plus an offset: inputs with offsets 0 and 0.2 never tie. */
  spaced(shape: Shape, offset = 0): InputExpr {
    const values = Array.from({ length: sizeOf(shape) }, () =>
      Math.fround(0.4 * (this.#numbers.integer(9) - 4) + offset),
    )
    return this.#add(tensorOf(this.dtype, shape, values))
  }

  /** int64 in low … high−1. */
  integers(shape: Shape, low: number, high: number): InputExpr {
    const values = Array.from({ length: sizeOf(shape) }, () => low + this.#numbers.integer(high - low))
    return this.#add(tensorOf('int64', shape, values))
  }

  bool(shape: Shape): InputExpr {
    return this.#add(
      tensorOf(
        'bool',
        shape,
        Array.from({ length: sizeOf(shape) }, () => this.#numbers.integer(2)),
      ),
    )
  }
}

type Build = (given: CaseInputs) => Expr | readonly Expr[]

export function operatorCase(name: string, build: Build, rounded = false): OperatorCase {
  return {
    name,
    rounded,
    build(dtype, seed = 0) {
      const given = new CaseInputs(dtype, seed)
      const built = build(given)
      const outputs = Array.isArray(built) ? (built as readonly Expr[]) : [built as Expr]
      return { outputs, inputs: given.inputs, values: given.values }
    },
  }
}
