import type { Room } from '../views/room.ts'

const linear: Room = {
  id: 'theory/linear',
  name: { en: 'Linear networks', zh: '线性网络' },
  summary: {
    en: 'Without non-linearity, where can training rest? On a ladder of saddles that is known in closed form.',
    zh: '没有非线性时，训练会停在哪里？在一座有闭式解的鞍点阶梯上。',
  },
  load: () => import('./linear/linear-room.tsx'),
}

const elimination: Room = {
  id: 'theory/elimination',
  name: { en: 'Elimination', zh: '消除' },
  summary: {
    en: 'One added neuron removes all bad minima. Watch them vanish, or run to infinity.',
    zh: '加一个神经元就能去掉所有坏极小点。看它们消失，或奔向无穷。',
  },
  load: () => import('./elimination/elimination-room.tsx'),
}

const gram: Room = {
  id: 'theory/gram',
  name: { en: 'Gram matrices', zh: '格拉姆矩阵' },
  summary: {
    en: 'Why do wide networks reach zero loss on any labels, and what does depth do to that?',
    zh: '宽网络为什么在任何标签上都能达到零损失，深度又起什么作用？',
  },
  load: () => import('./gram/gram-room.tsx'),
}

const functions: Room = {
  id: 'theory/functions',
  name: { en: 'Test functions', zh: '测试函数' },
  summary: {
    en: 'Saddle or minimum? Critical points, a quiz, and five optimizers that race.',
    zh: '鞍点还是极小点？临界点、一个小测验，以及五个优化器的赛跑。',
  },
  load: () => import('./functions/functions-room.tsx'),
}

const surface: Room = {
  id: 'theory/surface',
  name: { en: 'Skip connections', zh: '跳跃连接' },
  summary: {
    en: 'Two networks trained in this page, and the loss around where they ended, cut open.',
    zh: '在本页训练两个网络，把它们停下之处周围的损失切开来看。',
  },
  load: () => import('./surface/surface-room.tsx'),
}

/** The theory rooms, in the order in which they are best read. */
export const theoryRooms: readonly Room[] = [linear, elimination, gram, functions, surface]
