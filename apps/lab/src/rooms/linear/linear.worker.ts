import { serveComputations } from '../../state/serve-computations.ts'
import { ladderScene, pointScene, walkScene } from './scene.ts'
import type { LadderScene, LinearInput, PointInput, PointScene, WalkInput, WalkScene } from './scene.ts'

export const computations = {
  ladder: (input: LinearInput): LadderScene => ladderScene(input),
  point: (input: PointInput): PointScene => pointScene(input),
  walk: (input: WalkInput): WalkScene => walkScene(input),
}

serveComputations(computations)
