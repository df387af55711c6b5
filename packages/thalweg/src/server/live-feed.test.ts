import { describe, expect, it } from 'vitest'
import { LiveFeed } from './live-feed.ts'
import type { FeedEvent } from './live-feed.ts'

describe('LiveFeed', () => {
  it('keeps a long curve within bounds, evenly, and sends every point on', () => {
    const events: FeedEvent[] = []
    const feed = new LiveFeed((event) => events.push(event))
    for (let step = 0; step < 100_000; step++) feed.point({ step, loss: 1 / (step + 1) })
    feed.flush()
    const { curve } = feed
    expect(curve.length).toBeGreaterThan(1000)
    expect(curve.length).toBeLessThanOrEqual(2001)
    const gaps = curve.slice(1, -1).map(({ step }, i) => step - curve[i].step)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.min(...gaps))
    const sent = events.flatMap((event) => (event.type === 'curve' ? event.points : []))
    expect(sent).toHaveLength(100_000)
  })

  it('gathers: of many reports of progress the last goes out; old lines go', () => {
    const events: FeedEvent[] = []
    const feed = new LiveFeed((event) => events.push(event))
    const progress = (done: number) => ({ stage: 's', done, total: 9, detail: null, elapsedMs: 0, remainingMs: null })
    for (let done = 0; done < 9; done++) feed.progress(progress(done))
    for (let i = 0; i < 700; i++) feed.line('info', `${i}`)
    feed.flush()
    expect(events.filter(({ type }) => type === 'progress')).toEqual([{ type: 'progress', progress: progress(8) }])
    expect(feed.log).toHaveLength(500)
    expect(feed.log.at(-1)?.text).toBe('699')
  })
})
