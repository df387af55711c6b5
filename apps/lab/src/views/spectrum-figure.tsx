import { useCallback, useMemo } from 'react'
import type { ReactNode } from 'react'
import type { PlotOptions } from '@observablehq/plot'
import type { DiagnosisDocument, Eigenvalue, SpectrumDocument } from 'thalweg/protocol'
import { formatNumber, formatTick } from '../scenes/format-number.ts'
import { densityBand, eigenvaluesOf } from '../scenes/spectrum-scene.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Figure } from './figure.tsx'
import { Plot } from './plot.tsx'
import { useWords } from './use-words.ts'

type PlotModule = typeof import('@observablehq/plot')

export interface SpectrumFigureProps {
  readonly spectrum: SpectrumDocument | null
  readonly diagnosis: DiagnosisDocument | null
  /** Number of eigenvalues there are. */
  readonly parameters: number | null
}

/** The spectrum of the Hessian: its density with its error where it was estimated, and the eigenvalues that were computed. */
export function SpectrumFigure({ spectrum, diagnosis, parameters }: SpectrumFigureProps): ReactNode {
  const words = useWords(verdictWords)
  const known = useMemo(() => eigenvaluesOf(spectrum, diagnosis), [spectrum, diagnosis])
  const band = useMemo(() => densityBand(spectrum?.density), [spectrum])
  const density = useCallback(
    (plot: PlotModule): PlotOptions => ({
      marginLeft: 52,
      marginBottom: 42,
      height: 300,
      x: { label: words.eigenvalue, grid: true, nice: true },
      y: { type: 'log', label: words.density, tickFormat: formatTick, ticks: 5 },
      marks: [
        plot.areaY(band, { x: 'at', y1: 'lower', y2: 'upper', fill: 'var(--series-1)', fillOpacity: 0.22 }),
        plot.lineY(band, { x: 'at', y: 'value', stroke: 'var(--series-1)', strokeWidth: 1.8 }),
        plot.ruleX([0], { stroke: 'var(--muted)', strokeDasharray: '3 3' }),
        plot.tickX(known, {
          x: 'value',
          stroke: (d: { value: number }) => (d.value < 0 ? 'var(--tone-saddle)' : 'var(--ink)'),
          strokeOpacity: 0.75,
          insetTop: 222,
          title: (d: { value: number }) => formatNumber(d.value),
        }),
      ],
    }),
    [band, known, words],
  )
  const stems = useCallback((plot: PlotModule) => stemOptions(plot, known, words), [known, words])
  const count = spectrum ? spectrum.morseIndex.value : (diagnosis?.inertia.negative ?? 0)
  const exact = spectrum ? spectrum.morseIndex.exact : (diagnosis?.inertia.exact ?? false)
  const size = formatNumber(spectrum ? spectrum.size : parameters)
  const sentence = (exact ? words.exactIndex : words.boundIndex)(formatNumber(count), size)
  const label = `${words.spectrum}. ${sentence}`
  return (
    <Figure title={sentence} caption={band.length > 0 ? words.spectrumCaption : words.spectrumNoDensity}>
      <Plot label={label} options={band.length > 0 ? density : stems} height={300} />
      <Extremes known={known} />
    </Figure>
  )
}

type Known = readonly (Eigenvalue & { readonly value: number; readonly rank: number })[]

function stemOptions(plot: PlotModule, known: Known, words: typeof verdictWords.en): PlotOptions {
  const color = (d: { value: number }): string => (d.value < 0 ? 'var(--tone-saddle)' : 'var(--series-1)')
  return {
    marginLeft: 58,
    marginBottom: 42,
    height: 300,
    x: { label: words.rank, ticks: 6, tickFormat: 'd' },
    y: {
      label: words.eigenvalue,
      grid: true,
      type: 'symlog',
      constant: smallestSize(known),
      ticks: 6,
      tickFormat: formatTick,
    },
    marks: [
      plot.ruleY([0], { stroke: 'var(--muted)' }),
      plot.ruleX(known, { x: 'rank', y1: 0, y2: 'value', stroke: color, strokeOpacity: 0.6 }),
      plot.ruleX(known, {
        x: 'rank',
        y1: (d: Known[number]) => d.value - (d.residualNorm ?? 0),
        y2: (d: Known[number]) => d.value + (d.residualNorm ?? 0),
        stroke: 'var(--ink)',
        strokeWidth: 2,
      }),
      plot.dot(known, {
        x: 'rank',
        y: 'value',
        fill: color,
        r: 3.5,
        title: (d: { value: number }) => formatNumber(d.value),
      }),
    ],
  }
}

function smallestSize(known: Known): number {
  const sizes = known.map(({ value }) => Math.abs(value)).filter((size) => size > 0)
  return Math.max(1e-12, Math.min(...sizes, 1))
}

/** The two ends as numbers, with what each proves. */
function Extremes({ known }: { readonly known: Known }): ReactNode {
  const words = useWords(verdictWords)
  if (known.length === 0) return null
  const ends = known.length < 6 ? known : [...known.slice(0, 3), ...known.slice(-3)]
  return (
    <table className="extremes">
      <caption className="visually-hidden">{words.eigenvalue}</caption>
      <tbody>
        <tr>
          {ends.map(({ value, rank }) => (
            <td key={rank} className={value < 0 ? 'negative' : undefined}>
              {formatNumber(value, { digits: 3 })}
            </td>
          ))}
        </tr>
      </tbody>
    </table>
  )
}
