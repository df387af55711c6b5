import type { ReactNode } from 'react'
import { theoryRooms } from '../rooms/index.ts'
import { writePlace } from '../state/place.ts'
import type { Room } from '../views/room.ts'
import { useWords } from '../views/use-words.ts'
import { shellWords } from '../words/shell-words.ts'

/** The list of theory rooms. */
export default function TheoryRoom(): ReactNode {
  const words = useWords(shellWords)
  return (
    <section className="room">
      <h1>{words.theoryTitle}</h1>
      <p className="lead">{theoryRooms.length > 0 ? words.theoryLead : words.theoryEmpty}</p>
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
      <a href={writePlace({ room: room.id, settings: {} })}>
        <b>{useWords(room.name)}</b>
        <span>{useWords(room.summary)}</span>
      </a>
    </li>
  )
}
