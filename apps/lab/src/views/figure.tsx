import type { ReactNode } from 'react'

export interface FigureProps {
  readonly title: ReactNode
  /** What is to be seen, one or two sentences. */
  readonly caption?: ReactNode
  /** Name and value of every choice that shaped the picture. */
  readonly settings?: readonly (readonly [name: string, value: ReactNode])[]
  readonly className?: string
  readonly children: ReactNode
}

/** A picture with its caption below, as in the report. */
export function Figure({ title, caption, settings = [], className, children }: FigureProps): ReactNode {
  return (
    <figure className={className}>
      {children}
      <figcaption>
        <b>{title}</b>
        {caption}
        {settings.length > 0 && (
          <dl className="figure-settings">
            {settings.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </figcaption>
    </figure>
  )
}
