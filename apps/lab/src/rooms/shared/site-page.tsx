import '../../style/tokens.css'
import '../../style/base.css'
import '../../style/controls.css'
import '../../style/shell.css'
import './rooms.css'
import { StrictMode, useEffect } from 'react'
import type { ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nProvider } from 'react-aria-components'
import { theoryRooms } from '../index.ts'
import type { Room } from '../../views/room.ts'
import { RoomView } from '../../views/room-view.tsx'
import { Shell } from '../../views/shell.tsx'
import { usePreferences } from '../../views/use-stores.ts'
import { useWords } from '../../views/use-words.ts'
import { shellWords } from '../../words/shell-words.ts'

/** `theory/linear` → `./linear.html`: pages lie beside each other, in any folder of any web server. */
function pageOf({ id }: Room): string {
  return `./${id.slice(id.indexOf('/') + 1)}.html`
}

const nothing = { en: '', zh: '' }

/** One theory room as a page of its own, or the list of them where the page names none. */
function Page({ room }: { readonly room: Room | undefined }): ReactNode {
  const { language } = usePreferences()
  const words = useWords(shellWords)
  const name = useWords(room?.name ?? nothing)
  useEffect(() => {
    document.title = `${name === '' ? words.theoryTitle : name} · Thalweg`
  }, [name, words])
  return (
    <I18nProvider locale={language === 'zh' ? 'zh-Hans' : 'en'}>
      <Shell rooms={theoryRooms} current={room?.id ?? ''} hrefOf={pageOf}>
        {room ? <RoomView room={room} /> : <RoomList />}
      </Shell>
    </I18nProvider>
  )
}

function RoomList(): ReactNode {
  const words = useWords(shellWords)
  return (
    <section className="room">
      <h1>{words.theoryTitle}</h1>
      <p className="lead">{words.theoryLead}</p>
      <ul className="room-cards">
        {theoryRooms.map((room) => (
          <RoomCard key={room.id} room={room} />
        ))}
      </ul>
    </section>
  )
}

function RoomCard({ room }: { readonly room: Room }): ReactNode {
  return (
    <li>
      <a href={pageOf(room)}>
        <b>{useWords(room.name)}</b>
        <span>{useWords(room.summary)}</span>
      </a>
    </li>
  )
}

/** Draws the page of a room, by its name without `theory/`; the list of rooms where there is none of that name. */
export function showPage(root: HTMLElement, name: string | undefined): void {
  createRoot(root).render(
    <StrictMode>
      <Page room={theoryRooms.find(({ id }) => id === `theory/${name}`)} />
    </StrictMode>,
  )
}
