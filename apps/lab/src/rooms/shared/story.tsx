import './rooms.css'
import { useId } from 'react'
import type { ReactNode, RefObject } from 'react'
import { useWords } from '../../views/use-words.ts'
import { sharedWords } from './shared-words.ts'

export interface RoomPageProps {
  readonly title: string
  readonly lead: ReactNode
  readonly children: ReactNode
  /** Papers and theorems that the room shows; titles between asterisks. */
  readonly sources: readonly string[]
}

/** A theory room: what it is about, its steps, and where it comes from. */
export function RoomPage({ title, lead, children, sources }: RoomPageProps): ReactNode {
  const words = useWords(sharedWords)
  return (
    <article className="room theory">
      <header className="room-head">
        <p className="eyebrow">{words.eyebrow}</p>
        <h1>{title}</h1>
        <p className="lead">{lead}</p>
      </header>
      {children}
      <footer className="theory-sources">
        <h2>{words.sources}</h2>
        <ul>
          {sources.map((source) => (
            <li key={source}>{withTitles(source)}</li>
          ))}
        </ul>
      </footer>
    </article>
  )
}

function withTitles(source: string): ReactNode {
  return source.split('*').map((part, i) => (i % 2 === 1 ? <cite key={part}>{part}</cite> : part))
}

export interface StepProps {
  readonly number: number
  readonly title: string
  /** What is claimed or to be seen. */
  readonly text: ReactNode
  /** Things to set, below the text. */
  readonly controls?: ReactNode
  readonly anchor?: RefObject<HTMLElement | null>
  readonly children: ReactNode
}

/** One step of the story: words and controls on one side, the figure on the other. */
export function Step({ number, title, text, controls, anchor, children }: StepProps): ReactNode {
  const id = useId()
  return (
    <section className="step" aria-labelledby={id} ref={anchor}>
      <div className="step-words">
        <h2 id={id}>
          <span className="step-number" aria-hidden="true">
            {number}
          </span>
          {title}
        </h2>
        <div className="step-text">{text}</div>
        {controls !== undefined && <div className="step-controls">{controls}</div>}
      </div>
      <div className="step-figure">{children}</div>
    </section>
  )
}

/** How a computation is doing, for eyes and for screen readers; says nothing while all is well. */
export function Status({
  busy,
  progress,
  error,
}: {
  readonly busy: boolean
  readonly progress?: number | undefined
  readonly error?: string | undefined
}): ReactNode {
  const words = useWords(sharedWords)
  return (
    <div className="status" role="status">
      {error !== undefined && <p className="notice">{`${words.failed}: ${error}`}</p>}
      {busy && (
        <p className="status-busy">
          <span
            className="status-bar"
            style={{ inlineSize: progress === undefined ? '30%' : `${Math.max(4, 100 * progress)}%` }}
          />
          <span className="small muted">
            {words.computing}
            {progress !== undefined && ` ${Math.round(100 * progress)} %`}
          </span>
        </p>
      )}
    </div>
  )
}

/** Numbers with their names. */
export function Facts({
  items,
}: {
  readonly items: readonly (readonly [name: ReactNode, value: ReactNode])[]
}): ReactNode {
  return (
    <dl className="facts">
      {items.map(([name, value], i) => (
        <div key={i}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
