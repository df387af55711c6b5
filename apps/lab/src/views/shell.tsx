import { useRef } from 'react'
import type { ReactNode } from 'react'
import { preferences } from '../state/preferences.ts'
import { shellWords } from '../words/shell-words.ts'
import { ContourMotif, ThalwegSign } from './contour-motif.tsx'
import type { Room } from './room.ts'
import { usePreferences, useShownTheme } from './use-stores.ts'
import { useWords } from './use-words.ts'

export interface ShellProps {
  /** Entries of the navigation; none on a page that is one room. */
  readonly rooms: readonly Room[]
  /** Id of the room in view. */
  readonly current: string
  /** Address of a room. */
  readonly hrefOf: (room: Room) => string
  readonly children: ReactNode
}

/** The frame of every page: name, rooms, language and light above, the room, a line below. */
export function Shell({ rooms, current, hrefOf, children }: ShellProps): ReactNode {
  const words = useWords(shellWords)
  const main = useRef<HTMLElement>(null)
  return (
    <>
      {/* A fragment of the address is a place here, so the link moves the focus by itself. */}
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {words.skip}
      </a>
      <header className="page-header">
        <ContourMotif />
        <div className="wrap page-header-row">
          <p className="brand">
            <ThalwegSign />
            <b>Thalweg</b>
            <span className="tagline">{words.tagline}</span>
          </p>
          {rooms.length > 0 && (
            <nav aria-label={words.rooms}>
              <ul>
                {rooms.map((room) => (
                  <li key={room.id}>
                    <RoomLink room={room} current={current} href={hrefOf(room)} />
                  </li>
                ))}
              </ul>
            </nav>
          )}
          <PreferenceButtons />
        </div>
      </header>
      <main className="wrap" id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <footer className="wrap page-footer">{words.footer}</footer>
    </>
  )
}

function RoomLink({ room, current, href }: { room: Room; current: string; href: string }): ReactNode {
  const inside = current === room.id || current.startsWith(`${room.id}/`)
  return (
    <a href={href} aria-current={current === room.id ? 'page' : inside ? 'true' : undefined}>
      {useWords(room.name)}
    </a>
  )
}

function PreferenceButtons(): ReactNode {
  const words = useWords(shellWords)
  const { language } = usePreferences()
  const dark = useShownTheme() === 'dark'
  return (
    <div className="preferences">
      <button
        type="button"
        className="button quiet"
        lang={language === 'zh' ? 'en' : 'zh-Hans'}
        aria-label={words.otherLanguageLabel}
        onClick={() => preferences.set({ language: language === 'zh' ? 'en' : 'zh' })}
      >
        {words.otherLanguage}
      </button>
      <button
        type="button"
        className="button quiet"
        onClick={() => preferences.set({ theme: dark ? 'light' : 'dark' })}
      >
        <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true" focusable="false">
          <circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
          <path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor" />
        </svg>
        {dark ? words.toLight : words.toDark}
      </button>
    </div>
  )
}
