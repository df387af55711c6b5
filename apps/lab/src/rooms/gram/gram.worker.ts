import { serveComputations } from '../../state/serve-computations.ts'
import type { ComputationContext } from '../../state/computation.ts'
import { politeEngine } from '../shared/polite-engine.ts'
import { depthScene, kernelScene, spoilScene, trainingScene } from './scene.ts'
import type {
  DepthScene,
  GramActivation,
  GramInput,
  KernelScene,
  SpoilScene,
  TrainingInput,
  TrainingScene,
} from './scene.ts'

export const computations = {
  kernel: (input: GramInput): Promise<KernelScene> => kernelScene(input),
  depth: ({ angles, activation }: { angles: readonly number[]; activation: GramActivation }): Promise<DepthScene> =>
    depthScene(angles, activation),
  spoil: (input: GramInput): Promise<SpoilScene> => spoilScene(input),
  training: async (input: TrainingInput, { engine, signal, onProgress }: ComputationContext): Promise<TrainingScene> =>
    trainingScene(politeEngine(await engine(), signal), input, { signal, onProgress }),
}

serveComputations(computations)
