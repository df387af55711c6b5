import {
  abs,
  add,
  cos,
  div,
  exp,
  mul,
  pow,
  range,
  reduceMean,
  reduceProd,
  reduceSum,
  selectAt,
  sin,
  sliceAxis,
  sqrt,
  sub,
  tensorOf,
  constant,
} from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'

/** A point where the gradient is known to vanish. */
export interface KnownCriticalPoint {
  readonly theta: readonly number[]
  readonly value: number
  readonly kind: 'global-minimum' | 'local-minimum' | 'strict-saddle' | 'non-strict-saddle' | 'maximum'
  /** Digits to which `theta` is given: how far it may lie from the critical point. */
  readonly accuracy: number
}

/** An analytic function on which finders and verdicts are tried. */
export interface TestFunction {
  readonly name: string
  readonly formula: string
  /** Number of variables; `any` grows with the number asked for (at least `sizeMin`). */
  readonly size: number | 'any'
  readonly sizeMin: number
  /** Where it is usually looked at, the same interval for every variable. */
  readonly domain: readonly [number, number]
  build(theta: Expr): Expr
  /** Critical points of the smallest size. */
  readonly known: readonly KnownCriticalPoint[]
}

const at = (theta: Expr, i: number): Expr => selectAt(theta, 0, i)
const square = (x: Expr): Expr => mul(x, x)
const plane = (f: (x: Expr, y: Expr) => Expr) => (theta: Expr) => f(at(theta, 0), at(theta, 1))
const sizeOfTheta = (theta: Expr): number => theta.shape[0]
const head = (theta: Expr): Expr => sliceAxis(theta, 0, 0, sizeOfTheta(theta) - 1)
const tail = (theta: Expr): Expr => sliceAxis(theta, 0, 1, sizeOfTheta(theta))

const exact = 1e-12
const printed = 1e-5

function origin(kind: KnownCriticalPoint['kind'], size: number, value = 0): KnownCriticalPoint {
  return { theta: new Array<number>(size).fill(0), value, kind, accuracy: exact }
}

/** Levy: w = 1 + (x − 1)/4, sin²πw₁ + Σ (w−1)²(1 + 10 sin²(πw+1)) + (w_n−1)²(1 + sin²2πw_n). */
function levy(theta: Expr): Expr {
  const w = add(1, mul(sub(theta, 1), 0.25))
  const first = at(w, 0)
  const last = at(w, sizeOfTheta(theta) - 1)
  const inner = head(w)
  const middle = mul(square(sub(inner, 1)), add(1, mul(10, square(sin(add(mul(Math.PI, inner), 1))))))
  const end = mul(square(sub(last, 1)), add(1, square(sin(mul(2 * Math.PI, last)))))
  return add(add(square(sin(mul(Math.PI, first))), reduceSum(middle)), end)
}

function griewank(theta: Expr): Expr {
  const n = sizeOfTheta(theta)
  const roots = constant(
    tensorOf(
      'float64',
      [n],
      range(n).map((i) => Math.sqrt(i + 1)),
    ),
  )
  return add(sub(div(reduceSum(square(theta)), 4000), reduceProd(cos(div(theta, roots)))), 1)
}

/** −20 exp(−0.2 √mean x²) − exp(mean cos 2πx) + 20 + e: its minimum is a kink of the square root, not a smooth point. */
function ackley(theta: Expr): Expr {
  const well = mul(-20, exp(mul(-0.2, sqrt(reduceMean(square(theta))))))
  return add(sub(well, exp(reduceMean(cos(mul(2 * Math.PI, theta))))), 20 + Math.E)
}

const beale = plane((x, y) => {
  const term = (target: number, power: number): Expr => square(add(target, sub(mul(x, pow(y, power)), x)))
  return add(add(term(1.5, 1), term(2.25, 2)), term(2.625, 3))
})

function himmelblauPoint(x: number, y: number, value: number, kind: KnownCriticalPoint['kind']): KnownCriticalPoint {
  return { theta: [x, y], value, kind, accuracy: printed }
}

const styblinskiRoot = -2.903534027771177
const styblinskiOther = 2.746802770990837
const styblinskiTop = 0.15673125678034
const styblinskiOf = (x: number): number => (x ** 4 - 16 * x * x + 5 * x) / 2

const list: readonly TestFunction[] = [
  {
    name: 'rosenbrock',
    formula: 'Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²',
    size: 'any',
    sizeMin: 2,
    domain: [-2, 2],
    build: (theta) =>
      reduceSum(add(mul(100, square(sub(tail(theta), square(head(theta))))), square(sub(1, head(theta))))),
    known: [{ theta: [1, 1], value: 0, kind: 'global-minimum', accuracy: exact }],
  },
  {
    name: 'ackley',
    formula: '−20 exp(−0.2 √(mean x²)) − exp(mean cos 2πx) + 20 + e',
    size: 'any',
    sizeMin: 2,
    domain: [-5, 5],
    build: ackley,
    known: [],
  },
  {
    name: 'rastrigin',
    formula: '10 n + Σ xᵢ² − 10 cos 2πxᵢ',
    size: 'any',
    sizeMin: 1,
    domain: [-5.12, 5.12],
    build: (theta) =>
      add(reduceSum(sub(square(theta), mul(10, cos(mul(2 * Math.PI, theta))))), 10 * sizeOfTheta(theta)),
    known: [
      origin('global-minimum', 1),
      { theta: [0.99495864], value: 0.99495906, kind: 'local-minimum', accuracy: printed },
    ],
  },
  {
    name: 'griewank',
    formula: '1 + Σ xᵢ²/4000 − ∏ cos(xᵢ/√i)',
    size: 'any',
    sizeMin: 2,
    domain: [-10, 10],
    build: griewank,
    known: [origin('global-minimum', 2)],
  },
  {
    name: 'levy',
    formula: 'sin²πw₁ + Σ (wᵢ − 1)²(1 + 10 sin²(πwᵢ + 1)) + (wₙ − 1)²(1 + sin²2πwₙ), w = 1 + (x − 1)/4',
    size: 'any',
    sizeMin: 2,
    domain: [-10, 10],
    build: levy,
    known: [{ theta: [1, 1], value: 0, kind: 'global-minimum', accuracy: exact }],
  },
  {
    name: 'schwefel',
    formula: '418.9828872724339 n − Σ xᵢ sin √|xᵢ|',
    size: 'any',
    sizeMin: 1,
    domain: [-500, 500],
    build: (theta) => sub(418.9828872724339 * sizeOfTheta(theta), reduceSum(mul(theta, sin(sqrt(abs(theta)))))),
    known: [{ theta: [420.968746], value: 0, kind: 'global-minimum', accuracy: printed }],
  },
  {
    name: 'beale',
    formula: '(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²',
    size: 2,
    sizeMin: 2,
    domain: [-4.5, 4.5],
    build: beale,
    known: [
      { theta: [3, 0.5], value: 0, kind: 'global-minimum', accuracy: exact },
      { theta: [0, 1], value: 14.203125, kind: 'strict-saddle', accuracy: exact },
    ],
  },
  {
    name: 'himmelblau',
    formula: '(x² + y − 11)² + (x + y² − 7)²',
    size: 2,
    sizeMin: 2,
    domain: [-5, 5],
    build: plane((x, y) => add(square(sub(add(square(x), y), 11)), square(sub(add(x, square(y)), 7)))),
    known: [
      himmelblauPoint(3, 2, 0, 'global-minimum'),
      himmelblauPoint(-2.805118, 3.131312, 0, 'global-minimum'),
      himmelblauPoint(-3.77931, -3.283186, 0, 'global-minimum'),
      himmelblauPoint(3.584428, -1.848126, 0, 'global-minimum'),
      himmelblauPoint(-0.270845, -0.923039, 181.616522, 'maximum'),
      himmelblauPoint(0.086678, 2.884255, 67.71915, 'strict-saddle'),
      himmelblauPoint(3.385154, 0.073852, 13.311926, 'strict-saddle'),
      himmelblauPoint(-3.073026, -0.081353, 104.015163, 'strict-saddle'),
      himmelblauPoint(-0.127961, -1.953715, 178.337239, 'strict-saddle'),
    ],
  },
  {
    name: 'monkey-saddle',
    formula: 'x³ − 3xy²',
    size: 2,
    sizeMin: 2,
    domain: [-1, 1],
    build: plane((x, y) => sub(mul(x, square(x)), mul(3, mul(x, square(y))))),
    known: [origin('non-strict-saddle', 2)],
  },
  {
    name: 'simple-saddle',
    formula: '5x² − y²',
    size: 2,
    sizeMin: 2,
    domain: [-1, 1],
    build: plane((x, y) => sub(mul(5, square(x)), square(y))),
    known: [origin('strict-saddle', 2)],
  },
  {
    name: 'peano',
    formula: '(y − x²)(y − 2x²)',
    size: 2,
    sizeMin: 2,
    domain: [-1, 1],
    build: plane((x, y) => mul(sub(y, square(x)), sub(y, mul(2, square(x))))),
    known: [origin('non-strict-saddle', 2)],
  },
  {
    name: 'sine',
    formula: 'Σ sin xᵢ',
    size: 'any',
    sizeMin: 1,
    domain: [-6, 6],
    build: (theta) => reduceSum(sin(theta)),
    known: [
      { theta: [-Math.PI / 2], value: -1, kind: 'global-minimum', accuracy: exact },
      { theta: [Math.PI / 2], value: 1, kind: 'maximum', accuracy: exact },
    ],
  },
  {
    name: 'styblinski-tang',
    formula: '½ Σ xᵢ⁴ − 16xᵢ² + 5xᵢ',
    size: 'any',
    sizeMin: 1,
    domain: [-5, 5],
    build: (theta) => mul(0.5, reduceSum(add(sub(pow(theta, 4), mul(16, square(theta))), mul(5, theta)))),
    known: [
      { theta: [styblinskiRoot], value: styblinskiOf(styblinskiRoot), kind: 'global-minimum', accuracy: exact },
      { theta: [styblinskiOther], value: styblinskiOf(styblinskiOther), kind: 'local-minimum', accuracy: exact },
      { theta: [styblinskiTop], value: styblinskiOf(styblinskiTop), kind: 'maximum', accuracy: exact },
    ],
  },
  {
    name: 'gradient-flat',
    formula: '0.2x + x³/3 + y²: no critical point, but ∇L ∈ ker H wherever x = 0',
    size: 2,
    sizeMin: 2,
    domain: [-2, 2],
    build: plane((x, y) => add(add(mul(0.2, x), div(pow(x, 3), 3)), square(y))),
    known: [],
  },
  {
    name: 'valley',
    formula: '(x² + y² − 1)²: a circle of minima, a maximum inside',
    size: 2,
    sizeMin: 2,
    domain: [-2, 2],
    build: plane((x, y) => square(sub(add(square(x), square(y)), 1))),
    known: [{ theta: [1, 0], value: 0, kind: 'global-minimum', accuracy: exact }, origin('maximum', 2, 1)],
  },
]

/** All test functions by name. */
export const testFunctions: Readonly<Record<string, TestFunction>> = Object.fromEntries(list.map((f) => [f.name, f]))
