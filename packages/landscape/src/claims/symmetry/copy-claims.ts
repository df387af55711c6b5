import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { xor } from '../../data/planar.ts'
import { valuesAt } from '../../loss/loss-batch.ts'
import type { Loss } from '../../loss/loss.ts'
import { mlp } from '../../model/mlp.ts'
import { parameterRanges } from '../../model/model.ts'
import type { Model } from '../../model/model.ts'
import { weightMatching } from '../../symmetry/matching.ts'
import { linearPath } from '../../symmetry/barrier.ts'
import {
  invertPermutation,
  permutationCopies,
  permutationSymmetry,
  permuteUnits,
  randomPermutation,
  symmetricCopies,
} from '../../symmetry/permutation-symmetry.ts'
import { adam } from '../../train/adam.ts'
import { train } from '../../train/train.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { partCounter, withLosses } from '../with-losses.ts'

export const symmetryTopic = 'Symmetries and barriers'
const topic = symmetryTopic

async function trained(loss: Loss, seed: number, steps: number): Promise<Float64Array> {
  return (await train({ loss, optimizer: adam(), learningRate: 0.01, steps, seed })).theta
}

const copies = 40

interface CopyRun {
  /** Largest change of an output over the copies, relative to the largest output. */
  readonly outputChange: number
  readonly loss: number
  readonly gradientChange: number
  /** Losses half-way to each copy. */
  readonly midpoints: readonly number[]
  /** Along the line to the first copy. */
  readonly line: { readonly t: readonly number[]; readonly values: readonly number[] }
  readonly count: bigint
}

function copyRun(context: ClaimContext, part: () => void): Promise<CopyRun> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const dataset = gaussianMixture({ samples: 200, classes: 3, dimension: 4, separation: 2, seed })
    const model = mlp({ widths: [4, 6, 5, 3], activation: 'tanh' })
    const loss = make(model, dataset, { name: 'cross-entropy', reduction: 'mean' })
    const theta = await trained(loss, seed, 500)
    part()
    const symmetry = permutationSymmetry(model)
    const outputs = await loss.outputs(theta)
    const { value, gradient } = await loss.valueAndGradient(theta)
    let [outputChange, gradientChange] = [0, 0]
    const midpoints: number[] = []
    let line: CopyRun['line'] = { t: [], values: [] }
    for (let i = 0; i < copies; i++) {
      const permutation = randomPermutation(symmetry, copies * seed + i)
      const copy = permuteUnits(model, symmetry, theta, permutation)
      const there = await loss.outputs(copy)
      outputChange = Math.max(outputChange, largestChange(outputs, there))
      const moved = (await loss.valueAndGradient(copy)).gradient
      const back = permuteUnits(model, symmetry, moved, invertPermutation(permutation))
      gradientChange = Math.max(gradientChange, largestChange(gradient, back))
      const path = await linearPath((thetas, count) => valuesAt(loss, thetas, count), theta, copy, 25)
      midpoints.push(path.values[12])
      if (i === 0) line = { t: [...path.t], values: [...path.values] }
    }
    part()
    return { outputChange, gradientChange, loss: value, midpoints, line, count: permutationCopies(symmetry) }
  })
}

function largestChange(a: Float64Array, b: Float64Array): number {
  let [change, size] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    change = Math.max(change, Math.abs(a[i] - b[i]))
    size = Math.max(size, Math.abs(a[i]))
  }
  return change / size
}

async function runCopies(context: ClaimContext): Promise<ClaimFinding> {
  const run = await copyRun(context, partCounter(context, 2))
  const measurements = [
    atMost('largest relative change of an output over 40 copies', run.outputChange, 1e-12),
    atMost('largest relative change of the gradient, permuted back', run.gradientChange, 1e-10),
    near('number of copies, widths 6 and 5', Number(run.count), 720 * 120, 0),
  ]
  return copyFinding(run, measurements, 'Exchanging hidden units changes nothing but the order of sums.')
}

async function runMidpoints(context: ClaimContext): Promise<ClaimFinding> {
  const run = await copyRun(context, partCounter(context, 2))
  const higher = run.midpoints.filter((value) => value > run.loss).length
  const measurements = [
    near('copies (of 40) whose midpoint with the network has a higher loss', higher, copies, 0),
    atLeast('least loss of a midpoint over that of the network', Math.min(...run.midpoints) / run.loss, 1.1),
    { name: 'loss of the network', measured: run.loss },
  ]
  return copyFinding(run, measurements, 'Between two equal minima the loss is higher, so it is not convex.')
}

function copyFinding(run: CopyRun, measurements: ClaimFinding['measurements'], what: string): ClaimFinding {
  const least = Math.min(...run.midpoints)
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `${what} Outputs of 40 of the ${run.count} copies agree to ${run.outputChange.toExponential(1)}; the network has loss ${run.loss.toPrecision(3)}, the midpoints ${least.toPrecision(3)} or more.`,
    measurements,
    figure: {
      title: 'Loss on the line from a network to its own permuted copy',
      xLabel: 't',
      yLabel: 'loss',
      yScale: 'log',
      series: [{ name: 'loss', mark: 'line', x: run.line.t, y: run.line.values }],
      levels: [{ label: 'at both ends', value: run.loss }],
    },
  }
}

/** θ of a network with one hidden layer after a signed permutation of its units. */
function signedCopy(model: Model, theta: Float64Array, order: readonly number[], signs: number): Float64Array {
  const out = theta.slice()
  const [w, b, v] = parameterRanges(model)
  const units = order.length
  const inputs = w.parameter.shape[1]
  const outputs = v.parameter.shape[0]
  order.forEach((from, to) => {
    const sign = signs & (1 << to) ? -1 : 1
    for (let i = 0; i < inputs; i++) out[w.start + to * inputs + i] = sign * theta[w.start + from * inputs + i]
    out[b.start + to] = sign * theta[b.start + from]
    for (let r = 0; r < outputs; r++) out[v.start + r * units + to] = sign * theta[v.start + r * units + from]
  })
  return out
}

function ordersOf(count: number): number[][] {
  if (count === 0) return [[]]
  return ordersOf(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => [...order.slice(0, at), count - 1, ...order.slice(at)]),
  )
}

async function runSignedCopies(context: ClaimContext): Promise<ClaimFinding> {
  const unitCounts = [1, 2, 3, 4]
  const part = partCounter(context, unitCounts.length)
  const found: { distinct: number; predicted: number; change: number }[] = []
  for (const units of unitCounts) {
    const model = mlp({ widths: [2, units, 2], activation: 'tanh' })
    found.push(
      await withLosses(context, async (make) => {
        const loss = make(model, xor({ signed: true }), { name: 'cross-entropy', reduction: 'mean' })
        const theta = model.initialize(context.seed)
        const outputs = await loss.outputs(theta)
        const seen = new Set<string>()
        let change = 0
        for (const order of ordersOf(units))
          for (let signs = 0; signs < 1 << units; signs++) {
            const copy = signedCopy(model, theta, order, signs)
            seen.add(copy.join())
            change = Math.max(change, largestChange(outputs, await loss.outputs(copy)))
          }
        return { distinct: seen.size, predicted: Number(symmetricCopies(model)), change }
      }),
    )
    part()
  }
  const measurements = [
    ...unitCounts.map((units, i) =>
      near(`different copies with ${units} units: 2ⁿ n!`, found[i].distinct, found[i].predicted, 0),
    ),
    atMost('largest relative change of an output', Math.max(...found.map(({ change }) => change)), 1e-12),
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `All ${found[3].distinct} = 2⁴·4! signed permutations of four tanh units are different points with the same function.`,
    measurements,
    figure: {
      title: 'Copies of a network with one tanh layer',
      xLabel: 'hidden units',
      yLabel: 'different parameter vectors with one function',
      yScale: 'log',
      series: [
        { name: 'counted', mark: 'points', x: unitCounts, y: found.map(({ distinct }) => distinct) },
        { name: '2ⁿ n!', mark: 'line', x: unitCounts, y: found.map(({ predicted }) => predicted) },
      ],
    },
  }
}

const plantedWidths = [8, 32, 128] as const

async function runPlanted(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(context, plantedWidths.length)
  const runs: { wrong: number; sweeps: number; change: number }[] = []
  for (const width of plantedWidths) {
    const model = mlp({ widths: [10, width, width, 8], activation: 'relu' })
    const dataset = gaussianMixture({ samples: 100, classes: 8, dimension: 10, seed: context.seed })
    runs.push(
      await withLosses(context, async (make) => {
        const loss = make(model, dataset, { name: 'cross-entropy', reduction: 'mean' })
        const symmetry = permutationSymmetry(model)
        const theta = model.initialize(context.seed)
        const planted = randomPermutation(symmetry, context.seed)
        const copy = permuteUnits(model, symmetry, theta, planted)
        const match = weightMatching(model, theta, copy, { symmetry, seed: context.seed })
        const wanted = invertPermutation(planted)
        const wrong = match.permutation.reduce(
          (sum, order, g) => sum + order.filter((u, i) => u !== wanted[g][i]).length,
          0,
        )
        const change = largestChange(await loss.outputs(theta), await loss.outputs(match.theta))
        return { wrong, sweeps: match.sweeps, change }
      }),
    )
    part()
  }
  const measurements = [
    near(
      'units that are not where they belong, all widths',
      runs.reduce((sum, { wrong }) => sum + wrong, 0),
      0,
      0,
    ),
    atMost('largest relative change of an output', Math.max(...runs.map(({ change }) => change)), 1e-12),
    { ...atMost('most sweeps', Math.max(...runs.map(({ sweeps }) => sweeps)), 8), literature: 'reference run: 2 to 4' },
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Weight matching recovers every planted permutation of networks 10-w-w-8, w = 8, 32, 128, in ${runs.map(({ sweeps }) => sweeps).join(', ')} sweeps.`,
    measurements,
    figure: {
      title: 'Recovering a planted permutation',
      xLabel: 'width',
      yLabel: 'sweeps',
      xScale: 'log',
      series: [{ name: 'sweeps', mark: 'points', x: [...plantedWidths], y: runs.map(({ sweeps }) => sweeps) }],
    },
  }
}

const ainsworth = (place: string): Claim['source'] => ({
  text: 'Ainsworth, Hayase & Srinivasa 2023',
  place,
  reference: 'arXiv:2209.04836',
})

export const copyClaims: readonly Claim[] = [
  {
    id: '0.6',
    topic,
    statement: 'Exchanging two hidden units gives equal minima: a network has ∏ n_h! copies with the same function.',
    source: { text: 'Hecht-Nielsen 1990' },
    experiment:
      'A trained tanh network 4-6-5-3 and 40 of its 86 400 permuted copies: outputs and gradients on 200 samples.',
    expected: 'holds',
    estimateSeconds: 0.3,
    run: runCopies,
  },
  {
    id: 'S-3',
    topic,
    statement:
      'Half-way between a network and its own permuted copy the loss is higher than at both: it is not convex.',
    source: { text: 'Goodfellow, Bengio & Courville 2016', place: '§8.2.2' },
    experiment: 'The midpoints of the trained network of 0.6 and its 40 copies.',
    expected: 'holds',
    estimateSeconds: 0.3,
    run: runMidpoints,
  },
  {
    id: 'symmetric-copies',
    topic,
    statement: 'With an odd activation a layer of n units has 2ⁿ n! copies: signs come on top of orders.',
    source: { text: 'Chen, Lu & Hecht-Nielsen 1993; Sussmann 1992' },
    experiment: 'All signed permutations of the units of tanh networks 2-n-2, n = 1 … 4: different θ, equal outputs.',
    expected: 'holds',
    remark: 'ReLU units have positive rescalings on top, continuous families instead of copies.',
    estimateSeconds: 0.1,
    run: runSignedCopies,
  },
  {
    id: 'S-1',
    topic,
    statement: 'Weight matching finds a planted permutation of the hidden units.',
    source: ainsworth('Algorithm 1, matching of weights'),
    experiment: 'Random ReLU networks 10-w-w-8, w = 8, 32, 128, against a randomly permuted copy.',
    expected: 'holds',
    remark:
      'For copies of one network. Between independently trained networks the problem is NP-hard and only a local optimum is found.',
    estimateSeconds: 0.2,
    run: runPlanted,
  },
]
