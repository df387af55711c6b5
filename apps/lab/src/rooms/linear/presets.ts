import type { LinearInput } from './scene.ts'

/** Data to begin with; `golden` has the eigenvalues φ⁴ and φ⁻⁴. */
export const linearPresets: Readonly<Record<'modes' | 'golden' | 'shallow' | 'narrow', LinearInput>> = {
  modes: {
    x: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    y: [
      [2, 0, 0],
      [0, 1.4, 0],
      [0, 0, 1],
    ],
    hidden: [3, 3],
  },
  golden: {
    x: [
      [1, 0],
      [0, 1],
    ],
    y: [
      [2, 1],
      [1, 1],
    ],
    hidden: [2, 2],
  },
  shallow: {
    x: [
      [1, 0],
      [0, 1],
    ],
    y: [
      [2, 1],
      [1, 1],
    ],
    hidden: [2],
  },
  narrow: {
    x: [
      [1, 2, 3, 1],
      [2, 1, 1, 0],
      [0, 1, 2, 3],
    ],
    y: [
      [1, 3, 2, 2],
      [2, 0, 1, 3],
      [1, 1, 2, 0],
    ],
    hidden: [2, 3],
  },
}
