import { useState } from 'react'
import type { ReactNode } from 'react'
import type { ExperimentCheck } from 'thalweg/protocol'
import { address } from '../state/address.ts'
import { server } from '../state/server.ts'
import { runsWords } from '../words/runs-words.ts'
import { Button } from './controls.tsx'
import { useWords } from './use-words.ts'

const sample = `name: two-moons
seed: 0
data: { name: two-moons, test: 0.2 }
model: { kind: mlp, widths: [2, 16, 2], activation: tanh }
loss: { name: cross-entropy }
training:
  optimizer: { name: adam }
  learningRate: 0.01
  epochs: 100
analyses:
  diagnose: { top: 5, bottom: 5 }
  surface:
    x: { from: -1, to: 1, points: 41 }
    y: { from: -1, to: 1, points: 41 }
`

/** An experiment as text: checked where it stands, started when it is fine. */
export function StartExperiment(): ReactNode {
  const words = useWords(runsWords)
  const [yaml, setYaml] = useState(sample)
  const [check, setCheck] = useState<ExperimentCheck>()
  const [error, setError] = useState('')
  const fail = (reason: unknown): void => setError(reason instanceof Error ? reason.message : String(reason))
  const look = async (): Promise<boolean> => {
    setError('')
    const found = await server.checkExperiment({ yaml })
    setCheck(found)
    return found.ok
  }
  const start = async (): Promise<void> => {
    if (!(await look())) return
    const { id } = await server.start({ command: 'run', yaml })
    address.go({ room: 'runs', settings: { run: id } })
  }
  return (
    <section className="panel work-panel" aria-label={words.experimentTitle}>
      <h2>{words.experimentTitle}</h2>
      <p className="small muted">{words.experimentLead}</p>
      <textarea
        className="yaml"
        aria-label={words.experiment}
        spellCheck={false}
        rows={15}
        value={yaml}
        onChange={(event) => setYaml(event.currentTarget.value)}
      />
      <div className="run-actions">
        <Button onPress={() => void look().catch(fail)}>{words.check}</Button>
        <Button kind="strong" onPress={() => void start().catch(fail)}>
          {words.startExperiment}
        </Button>
      </div>
      <div role="status" className="small">
        {check?.ok && <p>{words.fine}</p>}
        {check && !check.ok && (
          <>
            <p>{words.problems}:</p>
            <ul>
              {check.problems.map(({ line, column, message }) => (
                <li key={message}>
                  {line !== null && words.place(line, column ?? 1)}
                  {message}
                </li>
              ))}
            </ul>
          </>
        )}
        {error}
      </div>
    </section>
  )
}
