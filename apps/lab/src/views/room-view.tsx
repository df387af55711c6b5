import { Component, Suspense, lazy } from 'react'
import type { ComponentType, ReactNode } from 'react'
import { shellWords } from '../words/shell-words.ts'
import type { Room } from './room.ts'
import { useWords } from './use-words.ts'

const loaded = new Map<Room, ComponentType>()

function componentOf(room: Room): ComponentType {
  const known = loaded.get(room)
  if (known) return known
  const component = lazy(room.load)
  loaded.set(room, component)
  return component
}

/** A room, fetched when it is entered; what goes wrong inside is said in its place and leaves the frame standing. */
export function RoomView({ room }: { readonly room: Room }): ReactNode {
  const words = useWords(shellWords)
  const Content = componentOf(room)
  return (
    <Boundary words={words} onAgain={() => loaded.delete(room)}>
      <Suspense fallback={<p className="room-loading muted">{words.loading} …</p>}>
        <Content />
      </Suspense>
    </Boundary>
  )
}

interface BoundaryProps {
  readonly words: { readonly failed: string; readonly again: string }
  readonly onAgain: () => void
  readonly children: ReactNode
}

class Boundary extends Component<BoundaryProps, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined }

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    const { words, onAgain } = this.props
    return (
      <section className="room" role="alert">
        <h1>{words.failed}</h1>
        <p>{error.message}</p>
        <button
          type="button"
          className="button"
          onClick={() => {
            onAgain()
            this.setState({ error: undefined })
          }}
        >
          {words.again}
        </button>
      </section>
    )
  }
}
