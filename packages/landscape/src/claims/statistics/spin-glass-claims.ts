import {
  bandEdge,
  deviationCost,
  indexComplexity,
  layerEnergy,
  randomSpins,
  sphericalSpinGlass,
  spinGlassDescent,
  spinGlassSpectrum,
} from '../../theory/spin-glass/index.ts'
import type { Claim, ClaimContext, ClaimFinding, ClaimMeasurement } from '../claim.ts'
import { allMet, atLeast, atMost, near } from '../claim.ts'
import { deviation, mean } from '../sample-statistics.ts'
import { partCounter } from '../with-losses.ts'
import { choromanska, statisticsTopic as topic } from './source.ts'

/** Spins, instances and starts per instance; energies per spin of a reference run of three instances, mean and deviation. */
const sizes = [
  { spins: 20, instances: 8, starts: 6, reference: '−1.442 (0.098)' },
  { spins: 40, instances: 8, starts: 4, reference: '−1.495 (0.060)' },
  { spins: 80, instances: 5, starts: 4, reference: '−1.540 (0.044)' },
  { spins: 120, instances: 4, starts: 3, reference: '−1.560 (0.032)' },
] as const

interface Energies {
  readonly energies: readonly number[]
  readonly negative: number
  readonly unfinished: number
}

function descents(seed: number, { spins, instances, starts }: (typeof sizes)[number], part: () => void): Energies {
  const energies: number[] = []
  let [negative, unfinished] = [0, 0]
  for (let i = 0; i < instances; i++) {
    const glass = sphericalSpinGlass(spins, 3, 1000 * seed + i)
    for (let s = 0; s < starts; s++) {
      const { w, energyPerSpin, converged } = spinGlassDescent(glass, randomSpins(glass, 1000 * seed + i, s))
      energies.push(energyPerSpin)
      if (!converged) unfinished++
      negative += spinGlassSpectrum(glass, w).filter((value) => value < 0).length
    }
    part()
  }
  return { energies, negative, unfinished }
}

async function runEnergies(context: ClaimContext): Promise<ClaimFinding> {
  const part = partCounter(
    context,
    sizes.reduce((sum, { instances }) => sum + instances, 0),
  )
  const edge = bandEdge(3)
  const all = sizes.map((size) => descents(context.seed, size, part))
  const means = all.map(({ energies }) => mean(energies))
  const spreads = all.map(({ energies }) => deviation(energies))
  const large = all.slice(2).flatMap(({ energies }) => energies)
  const measurements: ClaimMeasurement[] = [
    ...sizes.map(({ spins, reference }, i) => ({
      ...near(`mean energy per spin, Λ = ${spins}`, means[i], Number(reference.slice(0, 6).replace('−', '-')), 0.06),
      literature: `reference run: ${reference}`,
    })),
    ...sizes.map(({ spins }, i) => ({ name: `standard deviation, Λ = ${spins}`, measured: spreads[i] })),
    atMost('|mean + E_∞| at Λ = 120 over that at Λ = 20', Math.abs(means[3] + edge) / Math.abs(means[0] + edge), 0.7),
    atMost('deviation at Λ = 120 over that at Λ = 20', spreads[3] / spreads[0], 0.7),
    atLeast('lowest energy per spin, Λ ≥ 80', Math.min(...large), -layerEnergy(3, 0) - 0.01),
    near(
      'negative Hessian eigenvalues over all end points',
      all.reduce((n, each) => n + each.negative, 0),
      0,
      0,
    ),
    near(
      'descents that did not converge',
      all.reduce((n, each) => n + each.unfinished, 0),
      0,
      0,
    ),
  ]
  const met = allMet(measurements)
  return {
    outcome: met ? 'holds' : 'false',
    summary:
      `Descent ends at minima whose energy per spin goes from ${means[0].toFixed(3)} (Λ = 20) to ${means[3].toFixed(3)} (Λ = 120) ` +
      `and spreads less and less (${spreads[0].toFixed(3)} to ${spreads[3].toFixed(3)}); the limit −E_∞ is ${(-edge).toFixed(5)}.`,
    measurements,
    figure: {
      title: 'Energies that descent reaches on the 3-spin model',
      xLabel: 'spins Λ',
      yLabel: 'energy per spin',
      xScale: 'log',
      series: [
        { name: 'mean and deviation', mark: 'line', x: sizes.map(({ spins }) => spins), y: means, band: spreads },
        {
          name: 'descents',
          mark: 'points',
          x: all.flatMap(({ energies }, i) => energies.map(() => sizes[i].spins)),
          y: all.flatMap(({ energies }) => [...energies]),
        },
      ],
      levels: [
        { label: '−E_∞', value: -edge },
        { label: '−E₀', value: -layerEnergy(3, 0) },
      ],
    },
  }
}

async function runThresholds({ progress }: ClaimContext): Promise<ClaimFinding> {
  const edge = bandEdge(3)
  const layers = Array.from({ length: 30 }, (_, k) => layerEnergy(3, k))
  const falling = layers.every((energy, k) => energy > edge && (k === 0 || energy < layers[k - 1]))
  const residual = Math.max(...layers.map((energy, k) => Math.abs(indexComplexity(3, k, -energy)) / (k + 1)))
  const costRatio = (indexComplexity(3, 0, -1.64) - indexComplexity(3, 1, -1.64)) / deviationCost(3, -1.64)
  progress(1, 1)
  const measurements = [
    near('E_∞', edge, 2 * Math.sqrt(2 / 3), 1e-15, '1.633'),
    near('E₀: the zero of Θ₀', layers[0], 1.657, 5e-4, '1.657'),
    atMost('|Θ_k(−E_k)| / (k + 1), k < 30', residual, 1e-12),
    near('E_0 > E_1 > … > E_29 > E_∞', falling ? 1 : 0, 1, 0),
    near('(Θ_0 − Θ_1)/I at −1.64: each negative eigenvalue costs I', costRatio, 1, 1e-9),
  ]
  const energies = Array.from({ length: 121 }, (_, i) => -1.67 + i * 0.0005)
  return {
    outcome: allMet(measurements) ? 'holds' : 'false',
    summary: `Below −E_∞ = ${(-edge).toFixed(5)} only points of finite index exist, layered by index; minima reach down to −E₀ = ${(-layers[0]).toFixed(5)}, points of index 1 to ${(-layers[1]).toFixed(5)}.`,
    measurements,
    figure: {
      title: 'Complexity of the 3-spin model by index',
      xLabel: 'energy per spin',
      yLabel: 'Θ_k',
      series: [0, 1, 2, 5].map((k) => ({
        name: `index ${k}`,
        mark: 'line' as const,
        x: energies,
        y: energies.map((u) => indexComplexity(3, k, u)),
      })),
      levels: [{ label: 'zero', value: 0 }],
    },
  }
}

export const spinGlassClaims: readonly Claim[] = [
  {
    id: 'G-1',
    topic,
    statement:
      'Descent on the spherical 3-spin glass ends at minima in a band above the ground state; their energies per spin concentrate at −E_∞ as the system grows.',
    source: choromanska('experiments on the spin glass'),
    experiment:
      'Riemannian gradient descent on random 3-spin instances with Λ = 20, 40, 80, 120 spins (8, 8, 5, 4 instances with 6, 4, 4, 3 starts), every end point with its exact Hessian on the sphere.',
    expected: 'holds',
    remark:
      'The source goes to Λ = 500 by stochastic gradient descent. Finite-size corrections of order Λ^(−1/2 … −2/3) keep all means above −E_∞ at these sizes; the reference numbers are those of an independent run of the same experiment.',
    estimateSeconds: 12,
    run: runEnergies,
  },
  {
    id: 'G-1-thresholds',
    topic,
    statement:
      'Critical points of the spherical spin glass are layered by index below −E_∞ = −2√((H−1)/H): those of index k do not go below −E_k, with E_0 > E_1 > … → E_∞.',
    source: { text: 'Auffinger, Ben Arous & Černý 2013', place: 'Theorem 2.5', reference: 'arXiv:1003.1129' },
    experiment: 'The complexity functions Θ_k of the 3-spin model, their zeros E_k for k < 30 by bisection.',
    expected: 'holds',
    remark: 'A computation from the theorem’s formula, not a count of critical points.',
    estimateSeconds: 0.1,
    run: runThresholds,
  },
]
