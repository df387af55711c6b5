import type { EliminationMethod, EliminationPoint } from '@thalweg/landscape'
import type { LineChart } from '../report/scene.ts'

/** What happened while the neurons were trained: losses and sizes over time, and the law that tells divergence. */
export function eliminationFigures(
  history: readonly EliminationPoint[],
  method: EliminationMethod | null,
  summary: string,
): [LineChart, LineChart] {
  const shown = history.filter(({ time }) => time > 0)
  const x = shown.map(({ time }) => time)
  const line = (name: string, of: (point: EliminationPoint) => number) => ({ name, x, y: shown.map(of) })
  const axis = { label: method === 'quasi-newton' ? 'iteration' : 'time', scale: 'log' as const }
  return [
    {
      kind: 'line-chart',
      title: 'Losses and neurons while both are trained',
      caption: summary,
      settings: [{ name: 'method', value: method ?? 'none' }],
      x: axis,
      y: { label: 'value', scale: 'log' },
      series: [
        line('loss', (p) => p.loss),
        line('modified loss', (p) => p.modifiedLoss),
        line('‖a‖', (p) => p.aNorm),
        line('‖b‖', (p) => p.bNorm),
        line('‖w‖', (p) => p.wNorm),
      ],
    },
    {
      kind: 'line-chart',
      title: 'Gradient of the modified loss',
      caption:
        'Slope −1 is the failure mode: ‖∇L̃‖·t tends to ½ (type A) or 1/gap (type B). At a local minimum it falls exponentially.',
      settings: [{ name: 'method', value: method ?? 'none' }],
      x: axis,
      y: { label: '‖∇L̃‖', scale: 'log' },
      series: [line('gradient norm', (p) => p.gradientNorm), line('added output (rms)', (p) => p.neuronRms)],
    },
  ]
}
