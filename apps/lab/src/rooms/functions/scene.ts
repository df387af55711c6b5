import {
  adam,
  expressionObjective,
  findMany,
  finders,
  gradientDescent,
  hessianSpectrum,
  judgeCritical,
  norm,
  randomStream,
  sgd,
  testFunctions,
} from '@thalweg/landscape'
import type { ExpressionObjective, FinderName, Optimizer, TestFunction, VerdictKind } from '@thalweg/landscape'
import { grad, graphOf, input, numbersOf, tensor } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'

/** Functions that are shown, the clearest first. */
export const functionNames = [
  'simple-saddle',
  'himmelblau',
  'monkey-saddle',
  'peano',
  'rosenbrock',
  'beale',
  'styblinski-tang',
  'sine',
  'gradient-flat',
] as const
export type FunctionName = (typeof functionNames)[number]

function functionNamed(name: FunctionName): TestFunction {
  return testFunctions[name]
}

/** A function of the plane as an objective; to be disposed. */
function objectiveNamed(engine: Engine, name: FunctionName): ExpressionObjective {
  return expressionObjective({ engine, name, size: 2, build: functionNamed(name).build })
}

async function withObjective<T>(
  engine: Engine,
  name: FunctionName,
  use: (objective: ExpressionObjective) => Promise<T>,
): Promise<T> {
  const objective = objectiveNamed(engine, name)
  try {
    return await use(objective)
  } finally {
    await objective.dispose()
  }
}

/** Values on a square of the plane, row-major [y × x]. */
export interface PatchScene {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly values: Float64Array
}

async function patchOf(
  objective: ExpressionObjective,
  [cx, cy]: readonly number[],
  half: number,
  nodes: number,
): Promise<PatchScene> {
  const axis = (center: number): Float64Array =>
    Float64Array.from({ length: nodes }, (_, i) => center - half + (2 * half * i) / (nodes - 1))
  const [x, y] = [axis(cx), axis(cy)]
  const thetas = new Float64Array(2 * nodes * nodes)
  for (let j = 0; j < nodes; j++) for (let i = 0; i < nodes; i++) thetas.set([x[i], y[j]], 2 * (j * nodes + i))
  return { x, y, values: await objective.values(thetas, nodes * nodes) }
}

/** A verdict, with the maximum told apart from saddles by its inertia. */
export type PointKind = VerdictKind | 'maximum'

export interface CriticalPointScene {
  readonly theta: readonly [number, number]
  readonly value: number
  readonly kind: PointKind
  readonly eigenvalues: readonly number[]
  readonly gradientNorm: number
}

export interface FunctionScene extends PatchScene {
  readonly name: FunctionName
  readonly formula: string
  readonly domain: readonly [number, number]
  readonly points: readonly CriticalPointScene[]
  /** How the searches for critical points ended. */
  readonly outcomes: Readonly<Record<string, number>>
}

const mapNodes = 121
const startsPerAxis = 6

/** The map of a function and the critical points that searches from a grid of starts find on it. */
export async function functionScene(engine: Engine, name: FunctionName): Promise<FunctionScene> {
  return withObjective(engine, name, async (objective) => {
    const { domain, formula } = functionNamed(name)
    const middle = (domain[0] + domain[1]) / 2
    const half = (domain[1] - domain[0]) / 2
    const patch = await patchOf(objective, [middle, middle], half, mapNodes)
    return { name, formula, domain, ...patch, ...(await criticalPoints(objective, functionNamed(name))) }
  })
}

async function criticalPoints(
  objective: ExpressionObjective,
  { domain: [low, high], known }: TestFunction,
): Promise<Pick<FunctionScene, 'points' | 'outcomes'>> {
  const starts: Float64Array[] = []
  for (let i = 0; i < startsPerAxis; i++)
    for (let j = 0; j < startsPerAxis; j++)
      starts.push(Float64Array.of(...[i, j].map((k) => low + ((high - low) * (k + 0.47)) / startsPerAxis)))
  const scale = high - low
  const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
    Math.hypot(a[0] - b[0], a[1] - b[1]) < 2e-3 * scale
  const { points, outcomes } = await findMany(objective, starts, { same, maxIterations: 200 })
  // Where the Hessian is singular searches end beside the point: what is known exactly is judged there.
  const exact = known
    .filter(({ theta, accuracy }) => theta.length === 2 && accuracy < 1e-10)
    .map(({ theta }) => Float64Array.from(theta))
  const found = points
    .map(({ theta }) => theta)
    .filter((theta) => theta.every((t) => t > low - 1e-9 * scale && t < high + 1e-9 * scale))
    .filter((theta) => !exact.some((other) => same(theta, other)))
  const scenes: CriticalPointScene[] = []
  for (const theta of [...exact, ...found]) scenes.push(await judged(objective, theta))
  scenes.sort((a, b) => a.value - b.value)
  return { points: scenes, outcomes }
}

async function judged(objective: ExpressionObjective, theta: Float64Array): Promise<CriticalPointScene> {
  const { verdict, inertia } = await judgeCritical(objective, theta)
  const { value, gradient } = await objective.valueAndGradient(theta)
  const { values } = await hessianSpectrum(objective.at(theta).hessian)
  return {
    theta: [theta[0], theta[1]],
    value,
    kind: inertia.negative === 2 ? 'maximum' : verdict,
    eigenvalues: [...values].sort((a, b) => a - b),
    gradientNorm: norm(gradient),
  }
}

/** A question: the neighborhood of a critical point. */
export interface QuizScene extends PatchScene {
  readonly name: FunctionName
  readonly point: CriticalPointScene
}

/** Points that teach something, by the function and the kind that is wanted there. */
const deck: readonly (readonly [FunctionName, PointKind])[] = [
  ['simple-saddle', 'strict-saddle'],
  ['himmelblau', 'global-minimum'],
  ['monkey-saddle', 'non-strict-saddle'],
  ['himmelblau', 'maximum'],
  ['peano', 'non-strict-saddle'],
  ['styblinski-tang', 'local-minimum'],
  ['beale', 'strict-saddle'],
  ['rosenbrock', 'global-minimum'],
]

export const quizLength: number = deck.length

/** Question number `index` of a deck shuffled by the seed. The answer is what the search and the verdict say, not the
 * deck: where that kind is not found the first point is asked about. */
export async function quizScene(engine: Engine, index: number, seed: number): Promise<QuizScene> {
  const [name, wanted] = deck[shuffled(deck.length, seed)[index % deck.length]]
  return withObjective(engine, name, async (objective) => {
    const { domain } = functionNamed(name)
    const { points } = await criticalPoints(objective, functionNamed(name))
    const point = points.find(({ kind }) => similar(kind, wanted)) ?? points[0]
    const patch = await patchOf(objective, point.theta, (domain[1] - domain[0]) / 14, 61)
    return { name, point, ...patch }
  })
}

/** A test function has no certificate, so its global minima are judged local minima. */
function similar(a: PointKind, b: PointKind): boolean {
  const plain = (kind: PointKind): PointKind => (kind === 'global-minimum' ? 'local-minimum' : kind)
  return plain(a) === plain(b)
}

function shuffled(count: number, seed: number): number[] {
  const keys = randomStream(seed, 'rooms/functions quiz', 0).uniforms(count)
  return Array.from({ length: count }, (_, i) => i).sort((a, b) => keys[a] - keys[b])
}

export const racers = ['gradient-descent', 'momentum', 'adam', 'newton', 'saddle-free-newton'] as const
export type Racer = (typeof racers)[number]

export interface RacePath {
  readonly racer: Racer
  /** θ after 0, 1, … steps, x and y in turn. */
  readonly path: Float64Array
  readonly values: Float64Array
  /** Learning rate; null for those that have none. */
  readonly rate: number | null
  readonly end: 'running' | 'arrived' | 'left'
}

export interface RaceInput {
  readonly name: FunctionName
  readonly start: readonly [number, number]
  readonly steps: number
  /** Step size of the first-order methods in units of 1/|λ|max at the start (Adam: of a fiftieth of the map). */
  readonly rate: number
}

/** Optimizers that start at one point, each with its own steps. */
export async function raceScene(engine: Engine, race: RaceInput): Promise<readonly RacePath[]> {
  return withObjective(engine, race.name, async (objective) => {
    const { domain } = functionNamed(race.name)
    const half = (domain[1] - domain[0]) / 2
    const start = Float64Array.of(...race.start)
    const curvature = await largestCurvature(objective, start)
    const rate = race.rate / curvature
    return [
      await ruleRace(engine, race, 'gradient-descent', gradientDescent(), rate),
      await ruleRace(engine, race, 'momentum', sgd({ momentum: 0.9 }), rate / 4),
      await ruleRace(engine, race, 'adam', adam(), (race.rate * half) / 25),
      await finderRace(objective, race, 'newton', 'damped-newton'),
      await finderRace(objective, race, 'saddle-free-newton', 'saddle-free-newton'),
    ]
  })
}

async function largestCurvature(objective: ExpressionObjective, at: Float64Array): Promise<number> {
  const { values } = await hessianSpectrum(objective.at(at).hessian)
  return Math.max(1e-3, ...values.map(Math.abs))
}

/** Whether a path has left what is shown by far. */
function outside(name: FunctionName, theta: Float64Array): boolean {
  const [low, high] = functionNamed(name).domain
  const middle = (low + high) / 2
  return !theta.every((t) => Math.abs(t - middle) < 1.6 * (high - low))
}

/** Steps of a rule of the training module, on the function itself instead of a loss. */
async function ruleRace(
  engine: Engine,
  { name, start, steps }: RaceInput,
  racer: Racer,
  optimizer: Optimizer,
  rate: number,
): Promise<RacePath> {
  const theta = input('theta', 'float64', [2])
  const loss = functionNamed(name).build(theta)
  const [gradient] = grad(loss, [theta])
  const state = optimizer.slots.map(({ kind }, i) => input(`state_${i}`, 'float64', kind === 'vector' ? [2] : []))
  const coefficients = optimizer.coefficients(rate, 1).map((_, i) => input(`coefficient_${i}`, 'float64', []))
  const next = optimizer.step({ theta, gradient, loss, state, coefficients, noise: null })
  const memory = Object.fromEntries(next.state.map((expr, i) => [`next_${i}`, expr]))
  const executable = await engine.compile(graphOf({ loss, gradient, theta: next.theta, ...memory }))
  const values: Record<string, ReturnType<typeof tensor>> = { theta: tensor('float64', [2], Float64Array.of(...start)) }
  optimizer.slots.forEach(({ kind, start: value }, i) => {
    const shape = kind === 'vector' ? [2] : []
    values[`state_${i}`] = tensor('float64', shape, new Float64Array(kind === 'vector' ? 2 : 1).fill(value))
  })
  const path: number[] = []
  const losses: number[] = []
  let end: RacePath['end'] = 'running'
  for (let step = 0; step <= steps && end === 'running'; step++) {
    optimizer.coefficients(rate, step + 1).forEach((value, i) => {
      values[`coefficient_${i}`] = tensor('float64', [], Float64Array.of(value))
    })
    const here = numbersOf(values.theta)
    const result = await executable.run(values)
    path.push(...here)
    losses.push(numbersOf(result.loss)[0])
    values.theta = result.theta
    optimizer.slots.forEach((_, i) => (values[`state_${i}`] = result[`next_${i}`]))
    if (outside(name, numbersOf(result.theta))) end = 'left'
    else if (norm(numbersOf(result.gradient)) < 1e-9) end = 'arrived'
  }
  await executable.dispose()
  return { racer, path: Float64Array.from(path), values: Float64Array.from(losses), rate, end }
}

/** Steps of a finder, one at a time so that the path is seen. */
async function finderRace(
  objective: ExpressionObjective,
  { name, start, steps }: RaceInput,
  racer: Racer,
  finder: FinderName,
): Promise<RacePath> {
  let theta = Float64Array.of(...start)
  const path: number[] = [...theta]
  const values: number[] = [await objective.value(theta)]
  let end: RacePath['end'] = 'running'
  for (let step = 0; step < steps && end === 'running'; step++) {
    const result = await finders[finder](objective, theta, { maxIterations: 1, gradientTolerance: 1e-9 })
    if (result.iterations === 0) end = 'arrived'
    else {
      theta = result.theta as Float64Array<ArrayBuffer>
      path.push(...theta)
      values.push(result.value)
      if (outside(name, theta)) end = 'left'
    }
  }
  return { racer, path: Float64Array.from(path), values: Float64Array.from(values), rate: null, end }
}
