import { gaussianMixture } from '../../data/gaussian-mixture.ts'
import { split } from '../../data/split.ts'
import { valuesAt } from '../../loss/loss-batch.ts'
import { mlp } from '../../model/mlp.ts'
import { topEigenvalue } from '../../surface/sharpness.ts'
import { adam } from '../../train/adam.ts'
import type { Optimizer } from '../../train/optimizer.ts'
import { sgd } from '../../train/sgd.ts'
import { trainMany } from '../../train/train-many.ts'
import type { Claim, ClaimContext, ClaimFinding } from '../claim.ts'
import { allMet, atLeast } from '../claim.ts'
import { deviation, mean } from '../sample-statistics.ts'
import { partCounter, rowOf, startsOf, withLosses } from '../with-losses.ts'
import { trainingTopic as topic } from './source.ts'

/** Two learning rates per optimizer, a factor of eight apart. */
const optimizers: readonly { name: string; optimizer: Optimizer; rates: readonly [number, number] }[] = [
  { name: 'SGD', optimizer: sgd(), rates: [0.05, 0.4] },
  { name: 'momentum', optimizer: sgd({ momentum: 0.9 }), rates: [0.01, 0.08] },
  { name: 'Adam', optimizer: adam(), rates: [0.001, 0.008] },
]
const batchSizes = [16, 256] as const
const repeats = 4
const epochs = 100

interface Cell {
  readonly optimizer: number
  readonly rate: number
  readonly batch: number
  /** ln λ_max and test loss of each start. */
  readonly sharpness: readonly number[]
  readonly test: readonly number[]
}

function cells(context: ClaimContext, part: () => void): Promise<Cell[]> {
  return withLosses(context, async (make) => {
    const { seed } = context
    const data = gaussianMixture({ samples: 1256, classes: 4, dimension: 8, separation: 2.5, seed })
    const { train: shown, test } = split(data, 256 / 1256, { seed })
    const model = mlp({ widths: [8, 20, 4], activation: 'relu' })
    const loss = make(model, shown, { name: 'cross-entropy', reduction: 'mean' })
    const held = make(model, test, { name: 'cross-entropy', reduction: 'mean' })
    const starts = startsOf(model, 1000 * seed, repeats)
    const thetas = new Float64Array([...starts, ...starts])
    const found: Cell[] = []
    for (const [o, { optimizer, rates }] of optimizers.entries())
      for (const [b, batchSize] of batchSizes.entries()) {
        const ends = await trainMany({
          ...{ loss, thetas, optimizer, batchSize, seed, onProgress: context.throwIfStopped },
          steps: (epochs * 256) / batchSize,
          learningRates: Float64Array.from({ length: 2 * repeats }, (_, i) => rates[Math.floor(i / repeats)]),
        })
        const tests = (await valuesAt(held, ends.thetas, 2 * repeats)).values
        for (const rate of [0, 1]) {
          const sharpness: number[] = []
          for (let i = rate * repeats; i < (rate + 1) * repeats; i++)
            sharpness.push(
              Math.log((await topEigenvalue(loss, rowOf(ends.thetas, loss.size, i), { tolerance: 1e-3 })).value),
            )
          found.push({
            optimizer: o,
            rate,
            batch: b,
            sharpness,
            test: [...tests.subarray(rate * repeats, (rate + 1) * repeats)],
          })
        }
        part()
      }
    return found
  })
}

type Factor = 'optimizer' | 'rate' | 'batch'
type Measure = 'sharpness' | 'test'

/** Mean over pairs of cells that differ in one factor only of |difference of their means|, over the spread between starts. */
function effect(all: readonly Cell[], factor: Factor, measure: Measure): number {
  const others = (['optimizer', 'rate', 'batch'] as const).filter((f) => f !== factor)
  const differences: number[] = []
  for (const [i, a] of all.entries())
    for (const b of all.slice(i + 1))
      if (a[factor] !== b[factor] && others.every((f) => a[f] === b[f]))
        differences.push(Math.abs(mean(a[measure]) - mean(b[measure])))
  return mean(differences) / mean(all.map((cell) => deviation(cell[measure])))
}

async function runCauses(context: ClaimContext): Promise<ClaimFinding> {
  const all = await cells(context, partCounter(context, optimizers.length * batchSizes.length))
  const factors: readonly Factor[] = ['rate', 'optimizer', 'batch']
  const names = { rate: 'learning rate (× 8)', optimizer: 'optimizer', batch: 'batch size (16, 256)' }
  const measurements = [
    ...factors.map((f) =>
      atLeast(`effect on ln λ_max over the spread of starts: ${names[f]}`, effect(all, f, 'sharpness'), 1.5),
    ),
    ...factors.map((f) =>
      atLeast(`effect on the test loss over the spread of starts: ${names[f]}`, effect(all, f, 'test'), 1.5),
    ),
    {
      name: 'λ_max over all cells',
      measured: `${Math.exp(Math.min(...all.map((c) => mean(c.sharpness)))).toPrecision(2)} … ${Math.exp(Math.max(...all.map((c) => mean(c.sharpness)))).toPrecision(2)}`,
    },
    {
      name: 'test loss over all cells',
      measured: `${Math.min(...all.map((c) => mean(c.test))).toPrecision(3)} … ${Math.max(...all.map((c) => mean(c.test))).toPrecision(3)}`,
    },
  ]
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `From the same starts λ_max and test loss at the end differ by ${factors.map((f) => `${effect(all, f, 'sharpness').toFixed(1)} and ${effect(all, f, 'test').toFixed(1)} (${names[f]})`).join(', ')} times the spread between starts.`,
    measurements,
    figure: {
      title: 'Where training ends, by optimizer, learning rate and batch size',
      xLabel: 'ln λ_max at the end',
      yLabel: 'test loss at the end',
      yScale: 'log',
      series: optimizers.flatMap(({ name, rates }, o) =>
        batchSizes.map((size, b) => {
          const own = all.filter((cell) => cell.optimizer === o && cell.batch === b)
          return {
            name: `${name}, batch ${size}, η = ${rates.join(' and ')}`,
            mark: 'points' as const,
            x: own.flatMap(({ sharpness }) => [...sharpness]),
            y: own.flatMap(({ test }) => [...test]),
          }
        }),
      ),
    },
  }
}

export const causeClaims: readonly Claim[] = [
  {
    id: 'causes-of-the-end',
    topic,
    statement: 'Learning rate, optimizer and batch size decide where training ends, not only how fast it gets there.',
    source: {
      text: 'Keskar et al. 2017; Jastrzębski et al. 2017; Wilson et al. 2017',
      reference: 'arXiv:1609.04836; arXiv:1711.04623; arXiv:1705.08292',
    },
    experiment: `ReLU network 8-20-4 on 256 samples: SGD, momentum and Adam at two learning rates and batches of 16 and 256, ${repeats} common starts, ${epochs} epochs; λ_max and test loss (1000 samples) at the end.`,
    expected: 'holds',
    remark: 'Equal epochs, not equal training losses: part of the differences is how far training has come.',
    estimateSeconds: 1.3,
    run: runCauses,
  },
]
