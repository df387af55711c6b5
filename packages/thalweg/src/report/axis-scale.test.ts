import { describe, expect, it } from 'vitest'
import { axisScale, countNotPositive, linearTicks } from './axis-scale.ts'

const texts = (axis: ReturnType<typeof axisScale>): string[] =>
  axis.ticks.map((tick) => tick.text).filter((t) => t !== '')

describe('axisScale', () => {
  it('linear: round ticks inside the data, zero is a tick at zero', () => {
    const axis = axisScale({ label: 'α' }, [-1, 0.3, 1], { tickCount: 5 })
    expect(texts(axis)).toEqual(['−1.0', '−0.5', '0.0', '0.5', '1.0'])
    expect(axis.ticks[2].at).toBe(0)
  })

  it('takes a power of ten out of very large and very small values, without overflow', () => {
    const large = axisScale({ label: 'loss' }, [-1e308, 1e308])
    expect(large.label).toBe('loss  (×10³⁰⁸)')
    expect(large.domain.map((d) => Number(d.toFixed(9)))).toEqual([-1, 1])
    const small = axisScale({ label: 'loss' }, [1e-300, 3e-300])
    expect(small.map(2e-300)).toBeCloseTo(2, 12)
    expect(small.label).toBe('loss  (×10⁻³⁰⁰)')
  })

  it('logarithmic: draws log₁₀ and refuses what has none', () => {
    const axis = axisScale({ label: 'loss', scale: 'log' }, [1e-300, 1, 1e300])
    expect(axis.domain).toEqual([-300, 300])
    expect(texts(axis)).toContain('10⁻²⁰⁰')
    expect(axis.ticks.length).toBeLessThan(20)
    expect([0, -1, null, Number.NaN].map((v) => axis.map(v))).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
    expect(countNotPositive({ label: '', scale: 'log' }, [0, -1, 2, null, Number.NaN])).toBe(2)
  })

  it('labels a narrow logarithmic axis', () => {
    expect(texts(axisScale({ label: '', scale: 'log' }, [0.69, 0.71])).length).toBeGreaterThanOrEqual(2)
    expect(texts(axisScale({ label: '', scale: 'log' }, [3])).length).toBeGreaterThanOrEqual(2)
  })

  it('gives one value room on both sides, and no value a default', () => {
    const one = axisScale({ label: '' }, [0.6812, 0.6812])
    expect(one.domain[0]).toBeLessThan(0.6812)
    expect(one.domain[1]).toBeGreaterThan(0.6812)
    expect(axisScale({ label: '' }, [Number.NaN, null]).domain).toEqual([0, 1])
    expect(axisScale({ label: '', scale: 'log' }, [-1]).domain).toEqual([0, 1])
  })

  it('does not magnify rounding errors', () => {
    const axis = axisScale({ label: '' }, [1, 1 + 2 ** -52])
    expect(axis.domain[1] - axis.domain[0]).toBeGreaterThan(0.1)
  })

  it('whole numbers get whole ticks, shares percent', () => {
    expect(texts(axisScale({ label: 'step' }, [0, 1, 2, 3]))).toEqual(['0', '1', '2', '3'])
    expect(texts(axisScale({ label: '', format: 'percent' }, [0, 0.5, 1], { tickCount: 2 }))).toEqual([
      '0\u202f%',
      '50\u202f%',
      '100\u202f%',
    ])
  })

  it('ticks are exact decimals', () => expect(linearTicks(0, 0.3, 3).values).toEqual([0, 0.1, 0.2, 0.3]))
})
