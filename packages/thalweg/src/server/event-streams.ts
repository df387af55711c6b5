import { Refusal } from './refusal.ts'
import { Slots } from './slots.ts'
import { jsonText } from './plain-json.ts'

export interface StreamLimits {
  readonly eventStreamsMax: number
  readonly streamBacklogMax: number
  readonly heartbeatMs: number
}

/** An event as it goes over the wire; its `type` is the name of the event. */
export interface StreamEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** Where one reader's events are put. */
export interface EventSink {
  readonly send: (event: StreamEvent) => void
}

interface OpenStream extends EventSink {
  readonly close: () => void
  readonly beat: () => void
}

const encoder = new TextEncoder()

/** Streams of server-sent events: bounded in number, closed when their reader goes away or falls too far behind, so that
 * nothing grows while nobody reads. */
export class EventStreams {
  readonly #limits: StreamLimits
  readonly #slots: Slots
  readonly #open = new Set<OpenStream>()
  #heartbeat: NodeJS.Timeout | undefined

  constructor(limits: StreamLimits) {
    this.#limits = limits
    this.#slots = new Slots(limits.eventStreamsMax)
  }

  /** Streams that are open now. */
  get count(): number {
    return this.#open.size
  }

  /** A response that carries what is sent to its sink.
   * @param subscribe  starts the flow; what it returns ends it, and is called once.
   * @throws {Refusal} 429 when there are too many already. */
  open(subscribe: (sink: EventSink) => () => void): ReadableStream<Uint8Array> {
    const release = this.#slots.take()
    if (!release)
      throw new Refusal('too-many', `At most ${this.#limits.eventStreamsMax} event streams at once. Close some pages.`)
    let end: () => void = () => undefined
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const stream = this.#attach(controller, () => end())
          const unsubscribe = subscribe(stream)
          end = () => {
            this.#detach(stream)
            unsubscribe()
            release()
            end = () => undefined
          }
          // a reader may be refused while it is being told what there is
          if (!this.#open.has(stream)) end()
        },
        cancel: () => end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: this.#limits.streamBacklogMax }),
    )
  }

  #attach(controller: ReadableStreamDefaultController<Uint8Array>, end: () => void): OpenStream {
    const write = (text: string): void => {
      if (!this.#open.has(stream)) return
      if ((controller.desiredSize ?? 0) <= 0) {
        stream.close()
        return
      }
      controller.enqueue(encoder.encode(text))
    }
    const stream: OpenStream = {
      send: (event) => write(`event: ${event.type}\ndata: ${jsonText(event)}\n\n`),
      beat: () => write(': still here\n\n'),
      close: () => {
        if (!this.#open.delete(stream)) return
        controller.close()
        end()
      },
    }
    this.#open.add(stream)
    this.#heartbeat ??= setInterval(() => {
      for (const each of this.#open) each.beat()
    }, this.#limits.heartbeatMs).unref()
    // Proxies and browsers show a stream as open once its first bytes are there.
    write('retry: 2000\n\n')
    return stream
  }

  #detach(stream: OpenStream): void {
    this.#open.delete(stream)
    if (this.#open.size > 0) return
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  /** Says good-bye on every stream and ends it. */
  closeAll(last: StreamEvent): void {
    for (const stream of [...this.#open]) {
      stream.send(last)
      stream.close()
    }
  }
}
