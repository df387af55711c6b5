import { serveComputations } from '../../state/serve-computations.ts'
import type { ComputationContext } from '../../state/computation.ts'
import { politeEngine } from '../shared/polite-engine.ts'
import { networkSurface } from './scene.ts'
import type { NetworkSurface, SurfaceInput } from './scene.ts'

export interface SweepPoint {
  readonly depth: number
  readonly skip: boolean
  readonly loss: number
  readonly basins: number
  readonly share: number
}

export const computations = {
  surface: async (
    { input, skip }: { input: SurfaceInput; skip: boolean },
    { engine, signal, onProgress, onPartial }: ComputationContext,
  ): Promise<NetworkSurface> =>
    networkSurface(politeEngine(await engine(), signal), input, skip, {
      signal,
      onProgress,
      onStage: onPartial,
    }),
  sweep: async (
    { input, depths }: { input: SurfaceInput; depths: readonly number[] },
    { engine, signal, onProgress, onPartial }: ComputationContext,
  ): Promise<readonly SweepPoint[]> => {
    const polite = politeEngine(await engine(), signal)
    const points: SweepPoint[] = []
    for (const depth of depths)
      for (const skip of [false, true]) {
        const done = points.length
        const surface = await networkSurface(polite, { ...input, depth }, skip, {
          signal,
          onProgress: (part, all) => onProgress(done + part / all, 2 * depths.length),
        })
        const { trainedLoss, basins, curvature } = surface
        points.push({ depth, skip, loss: trainedLoss, basins: basins.length, share: curvature.share })
        onPartial([...points])
      }
    return points
  },
}

serveComputations(computations)
