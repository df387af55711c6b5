import { serveComputations } from '../../state/serve-computations.ts'
import type { ComputationContext } from '../../state/computation.ts'
import { interpreterEngine } from '../shared/interpreter-engine.ts'
import { politeEngine } from '../shared/polite-engine.ts'
import { curveScene, flowScene, startsScene } from './scene.ts'
import type { CurveScene, EliminationProblem, FlowInput, FlowScene, StartOutcome } from './scene.ts'

const engine = interpreterEngine()

export const computations = {
  curve: ({ problem }: { problem: EliminationProblem }): Promise<CurveScene> => curveScene(engine, problem),
  flow: (input: FlowInput, { signal }: ComputationContext): Promise<FlowScene> =>
    flowScene(politeEngine(engine, signal), input),
  starts: (
    input: { problem: EliminationProblem; lambda: number; count: number },
    { signal, onPartial }: ComputationContext,
  ): Promise<readonly StartOutcome[]> => startsScene(politeEngine(engine, signal), input, onPartial, signal),
}

serveComputations(computations)
