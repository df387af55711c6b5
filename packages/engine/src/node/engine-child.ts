/** The process that computes for `childEngine`: it opens, runs and releases sessions as it is told. */
import { InvariantError } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import type { Runtime, Session } from '../runtime.ts'
import { errorToWire } from '../wire-error.ts'
import type { ChildCall, ChildReply, ChildRequest, ChildResult } from './child-messages.ts'
import { nativeRuntime } from './native-engine.ts'

interface Open {
  readonly session: Session
  readonly feeds: Tensor[]
}

let runtime: Runtime | undefined
const sessions = new Map<number, Open>()

function started(): Runtime {
  if (!runtime) throw new InvariantError('engine child: the first call must be start.')
  return runtime
}

function opened(id: number): Open {
  const open = sessions.get(id)
  if (!open) throw new InvariantError(`engine child: session ${id} must be open.`)
  return open
}

async function answer(body: ChildCall): Promise<ChildResult> {
  switch (body.call) {
    case 'start': {
      runtime = nativeRuntime(body.threads === undefined ? {} : { threads: body.threads })
      const { name, fingerprint, threadsAvailable, dtypes } = runtime
      return { name, fingerprint, threadsAvailable, dtypes }
    }
    case 'open':
      sessions.set(body.session, { session: await started().createSession(body.model, body.plan), feeds: [] })
      return null
    case 'run': {
      const { session, feeds } = opened(body.session)
      body.feeds.forEach((feed, i) => {
        if (feed) feeds[i] = feed
      })
      return session.run(feeds)
    }
    case 'release': {
      const { session } = opened(body.session)
      sessions.delete(body.session)
      await session.release()
      return null
    }
  }
}

async function reply({ id, body }: ChildRequest): Promise<void> {
  let message: ChildReply
  try {
    message = { id, result: await answer(body) }
  } catch (error) {
    message = { id, error: errorToWire(error) }
  }
  process.send?.(message)
}

// When the parent goes, the channel closes and nothing keeps this process alive.
process.on('message', (request: ChildRequest) => void reply(request))
