import { describe, expect, it } from 'vitest'
import { EventStreams } from './event-streams.ts'
import type { EventSink } from './event-streams.ts'

const limits = { eventStreamsMax: 2, streamBacklogMax: 10_000, heartbeatMs: 20 }

describe('EventStreams', () => {
  it('closes the stream of a reader that does not read, and gives its place back', () => {
    const streams = new EventStreams(limits)
    let sink: EventSink | undefined
    let ended = 0
    streams.open((given) => {
      sink = given
      return () => (ended += 1)
    })
    for (let i = 0; i < 100; i++) sink!.send({ type: 'log', text: 'x'.repeat(1000) })
    expect([streams.count, ended]).toEqual([0, 1])
    for (let i = 0; i < 2; i++) streams.open(() => () => undefined)
    expect(() => streams.open(() => () => undefined)).toThrow('At most 2 event streams')
  })

  it('ends once when its reader leaves, and sends nothing after', async () => {
    const streams = new EventStreams(limits)
    let sink: EventSink | undefined
    let ended = 0
    const reader = streams
      .open((given) => {
        sink = given
        given.send({ type: 'hello', text: 'a\nb' })
        return () => (ended += 1)
      })
      .getReader()
    const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
    expect(await read()).toBe('retry: 2000\n\n')
    expect(await read()).toBe('event: hello\ndata: {"type":"hello","text":"a\\nb"}\n\n')
    expect(await read()).toBe(': still here\n\n')
    await reader.cancel()
    sink!.send({ type: 'log' })
    streams.closeAll({ type: 'shutdown' })
    expect([streams.count, ended]).toEqual([0, 1])
  })
})
