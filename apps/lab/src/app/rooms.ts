import { theoryRooms } from '../rooms/index.ts'
import type { Room } from '../views/room.ts'

const landscape: Room = {
  id: 'landscape',
  name: { en: 'Landscape', zh: '景观' },
  summary: { en: 'What does the loss look like around there?', zh: '那附近的损失是什么样子？' },
  load: () => import('./landscape-room.tsx'),
}

const verdict: Room = {
  id: 'verdict',
  name: { en: 'Verdict', zh: '结论' },
  summary: { en: 'Where did training stop, and how do we know?', zh: '训练停在了哪里，依据是什么？' },
  load: () => import('./verdict-room.tsx'),
}

const runs: Room = {
  id: 'runs',
  name: { en: 'Runs', zh: '运行' },
  summary: { en: 'What has been computed, and what is running?', zh: '算过什么，正在算什么？' },
  load: () => import('./runs-room.tsx'),
}

const theory: Room = {
  id: 'theory',
  name: { en: 'Theory', zh: '理论' },
  summary: { en: 'What is proved about losses, to try out.', zh: '关于损失已有哪些定理，可以亲手试。' },
  load: () => import('./theory-room.tsx'),
}

/** In the order of the navigation; the first is shown where the address names none. */
export const mainRooms: readonly Room[] = [landscape, verdict, runs, theory]

/** The room of an address, or undefined where there is none of that name. */
export function roomOf(id: string): Room | undefined {
  if (id === '') return mainRooms[0]
  return [...mainRooms, ...theoryRooms].find((room) => room.id === id)
}
