import { serveComputations } from '../../state/serve-computations.ts'
import type { ComputationContext } from '../../state/computation.ts'
import { interpreterEngine } from '../shared/interpreter-engine.ts'
import { politeEngine } from '../shared/polite-engine.ts'
import { functionScene, quizScene, raceScene } from './scene.ts'
import type { FunctionName, FunctionScene, QuizScene, RaceInput, RacePath } from './scene.ts'

const engine = interpreterEngine()

export const computations = {
  map: ({ name }: { name: FunctionName }, { signal }: ComputationContext): Promise<FunctionScene> =>
    functionScene(politeEngine(engine, signal), name),
  quiz: ({ index, seed }: { index: number; seed: number }, { signal }: ComputationContext): Promise<QuizScene> =>
    quizScene(politeEngine(engine, signal), index, seed),
  race: (input: RaceInput, { signal }: ComputationContext): Promise<readonly RacePath[]> =>
    raceScene(politeEngine(engine, signal), input),
}

serveComputations(computations)
