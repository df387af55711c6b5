import { useEffect } from 'react'
import type { ReactNode } from 'react'
import { I18nProvider } from 'react-aria-components'
import { writePlace } from '../state/place.ts'
import { RoomView } from '../views/room-view.tsx'
import { Shell } from '../views/shell.tsx'
import { usePlace, usePreferences } from '../views/use-stores.ts'
import { useWords } from '../views/use-words.ts'
import { shellWords } from '../words/shell-words.ts'
import { mainRooms, roomOf } from './rooms.ts'

const nothing = { en: '', zh: '' }

/** The laboratory: the room that the address names, in its frame. */
export function App(): ReactNode {
  const { language } = usePreferences()
  const place = usePlace()
  const room = roomOf(place.room)
  const words = useWords(shellWords)
  const name = useWords(room?.name ?? nothing)
  useEffect(() => {
    document.title = name === '' ? 'Thalweg' : `${name} · Thalweg`
  }, [name])
  return (
    <I18nProvider locale={language === 'zh' ? 'zh-Hans' : 'en'}>
      <Shell
        rooms={mainRooms}
        current={room?.id ?? place.room}
        hrefOf={({ id }) => writePlace({ room: id, settings: {} })}
      >
        {room ? (
          <RoomView key={room.id} room={room} />
        ) : (
          <section className="room">
            <h1>{words.noRoom}</h1>
            <p>
              <a href="#/landscape">{words.home}</a>
            </p>
          </section>
        )}
      </Shell>
    </I18nProvider>
  )
}
