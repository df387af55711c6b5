import { useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { Computer } from '../../state/computer.ts'
import { formatNumber } from '../../scenes/format-number.ts'
import { numberSetting } from '../../state/place.ts'
import { Button } from '../../views/controls.tsx'
import { Figure } from '../../views/figure.tsx'
import { useComputation } from '../../views/use-computation.ts'
import { useSetting } from '../../views/use-stores.ts'
import { useWords } from '../../views/use-words.ts'
import { FieldMap, rankScale } from '../shared/field-map.tsx'
import { KindBadge } from '../shared/kind-mark.tsx'
import { Status } from '../shared/story.tsx'
import { quizLength } from './scene.ts'
import type { PointKind, QuizScene } from './scene.ts'
import { functionWords } from './words.ts'

type Answer = 'minimum' | 'saddle' | 'maximum'
const answers: readonly Answer[] = ['minimum', 'saddle', 'maximum']

const questionSetting = numberSetting(1, 1, quizLength)
const seed = 1

function answerOf(kind: PointKind): Answer | undefined {
  if (kind === 'maximum') return 'maximum'
  if (kind === 'strict-saddle' || kind === 'non-strict-saddle') return 'saddle'
  return kind === 'local-minimum' || kind === 'global-minimum' ? 'minimum' : undefined
}

function explanationOf(kind: PointKind): keyof (typeof functionWords)['en']['explain'] {
  if (kind === 'strict-saddle') return 'strict'
  if (kind === 'non-strict-saddle') return 'nonStrict'
  return answerOf(kind) === undefined ? 'other' : (answerOf(kind) as 'minimum' | 'maximum')
}

/** Saddle or minimum? One question after the other; the verdict comes from the laboratory. */
export function Quiz({
  computer,
}: {
  readonly computer: Computer<typeof import('./functions.worker.ts').computations>
}): ReactNode {
  const words = useWords(functionWords)
  const [question, setQuestion] = useSetting('question', questionSetting)
  const [given, setGiven] = useState<Readonly<Record<number, Answer>>>({})
  const [right, setRight] = useState(0)
  const quiz = useComputation(computer, 'quiz', { index: question - 1, seed })
  const scene = quiz.value
  const answer = given[question]
  const give = (choice: Answer): void => {
    if (!scene || answer) return
    setGiven({ ...given, [question]: choice })
    if (choice === answerOf(scene.point.kind)) setRight(right + 1)
  }
  return (
    <>
      <Status busy={quiz.busy && !scene} error={quiz.error} />
      {scene && (
        <Figure title={`${words.quizTitle} ${words.question(question, quizLength)}`} caption={words.quizCaption}>
          <QuizMap scene={scene} revealed={answer !== undefined} />
          <div className="quiz-answers">
            {answers.map((choice) => (
              <Button
                key={choice}
                kind={answer === choice ? 'strong' : 'plain'}
                isDisabled={answer !== undefined || quiz.busy}
                onPress={() => give(choice)}
              >
                {words.answers[choice]}
              </Button>
            ))}
          </div>
        </Figure>
      )}
      <div role="status">
        {scene && answer && (
          <div className={answer === answerOf(scene.point.kind) ? 'verdict-box good' : 'verdict-box bad'}>
            <p className="verdict-claim">
              {answer === answerOf(scene.point.kind) ? words.right : words.wrong} <KindBadge kind={scene.point.kind} />
            </p>
            <p>
              {words.reveal(
                words.names[scene.name],
                ...(scene.point.eigenvalues.map((v) =>
                  formatNumber(Math.abs(v) < 1e-12 ? 0 : v, { digits: 3, trim: true }),
                ) as [string, string]),
              )}{' '}
              {words.explain[explanationOf(scene.point.kind)]}
            </p>
            <p className="small muted">{words.score(right, Object.keys(given).length)}</p>
          </div>
        )}
      </div>
      {answer && (
        <div>
          <Button kind="strong" onPress={() => setQuestion((question % quizLength) + 1)}>
            {words.next}
          </Button>
        </div>
      )}
    </>
  )
}

function QuizMap({ scene, revealed }: { readonly scene: QuizScene; readonly revealed: boolean }): ReactNode {
  const words = useWords(functionWords)
  const grid = useMemo(() => ({ xs: scene.x, ys: scene.y, values: scene.values }), [scene])
  const scale = useMemo(() => centeredScale(scene), [scene])
  return (
    <div className="quiz-map">
      <FieldMap label={words.quizLabel} grid={grid} scale={scale} levels={13}>
        {(place) => {
          const [x, y] = place(...scene.point.theta)
          return (
            <g className="start-mark">
              <circle cx={x} cy={y} r={revealed ? 4 : 9} fill="none" />
              {!revealed && (
                <text x={x} y={y + 5} textAnchor="middle" className="quiz-mark">
                  ?
                </text>
              )}
            </g>
          )
        }}
      </FieldMap>
    </div>
  )
}

/** Colors by height above and below the point itself, with roots so that flat saddles show too. */
function centeredScale({ values, point }: QuizScene): ReturnType<typeof rankScale> {
  const reach = values.reduce((most, v) => Math.max(most, Math.abs(v - point.value)), 1e-300)
  return {
    share: (value) => 0.5 + 0.5 * Math.cbrt((value - point.value) / reach),
    value: (share) => point.value + reach * (2 * share - 1) ** 3,
  }
}
