import { useMemo } from 'react'
import type { ReactNode } from 'react'
import { filteredRuns } from '../scenes/run-list.ts'
import type { RunSort } from '../scenes/run-list.ts'
import { exampleNames } from '../state/examples.ts'
import { choiceSetting, textSetting, writePlace } from '../state/place.ts'
import type { Setting } from '../state/place.ts'
import { runsWords } from '../words/runs-words.ts'
import type { RunsWords } from '../words/runs-words.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Button, Select, TextField } from './controls.tsx'
import { DropModel } from './drop-model.tsx'
import { RunComparison } from './run-comparison.tsx'
import { RunDetailView } from './run-detail-view.tsx'
import { RunTable } from './run-table.tsx'
import { StartExperiment } from './start-experiment.tsx'
import { usePreferences, useSetting } from './use-stores.ts'
import { useHealth, useRuns } from './use-runs.ts'
import { useWords } from './use-words.ts'

const text = textSetting()
const all = textSetting('all')
const sorts: readonly RunSort[] = ['updated', 'name', 'loss', 'gradient-norm']
const sortSetting = choiceSetting(sorts, 'updated')
/** Ids separated by `|`, which no folder of a run holds. */
const chosenSetting: Setting<readonly string[]> = {
  initial: [],
  read: (joined) => joined.split('|').filter(Boolean),
  write: (ids) => ids.join('|'),
}

/** The list of runs; one of them in detail; several beside each other; new work. */
export function RunsView(): ReactNode {
  const words = useWords(runsWords)
  const health = useHealth()
  const [open] = useSetting('run', text)
  if (open !== '' && health) return <RunDetailView id={open} />
  return (
    <section className="room runs-room">
      <div className="room-head">
        <h1>{words.title}</h1>
        <p className="lead">{words.lead}</p>
        {health && <p className="small muted">{words.server(health.root, health.version)}</p>}
      </div>
      {health === null && <WithoutServer />}
      {health && (
        <>
          <RunBrowser />
          <div className="new-work">
            <DropModel health={health} />
            <StartExperiment />
          </div>
        </>
      )}
    </section>
  )
}

function RunBrowser(): ReactNode {
  const words = useWords(runsWords)
  const { runs, ready, error } = useRuns(true)
  const [search] = useSetting('search', text)
  const [state] = useSetting('state', all)
  const [command] = useSetting('work', all)
  const [verdict] = useSetting('verdict', all)
  const [sort] = useSetting('sort', sortSetting)
  const [chosen, setChosen] = useSetting('chosen', chosenSetting)
  const [comparing, setComparing] = useSetting('compare', text)
  const shown = useMemo(
    () => filteredRuns(runs, { search, state, command, verdict }, sort),
    [runs, search, state, command, verdict, sort],
  )
  if (error !== undefined)
    return (
      <p className="notice" role="alert">
        {error}
      </p>
    )
  if (!ready) return null
  if (runs.length === 0) return <p className="muted">{words.empty}</p>
  if (comparing !== '' && chosen.length > 1) return <RunComparison ids={chosen} onClose={() => setComparing('')} />
  return (
    <>
      <Filters words={words} />
      <div className="runs-count">
        <span className="muted small" role="status">
          {words.count(shown.length, runs.length)}
        </span>
        <Button onPress={() => setComparing('1')} isDisabled={chosen.length < 2}>
          {chosen.length < 2 ? `${words.compare}: ${words.compareHint}` : `${words.compare} (${chosen.length})`}
        </Button>
      </div>
      {shown.length === 0 ? (
        <p className="muted">{words.none}</p>
      ) : (
        <RunTable runs={shown} chosen={chosen} onChoose={setChosen} />
      )}
    </>
  )
}

function Filters({ words }: { readonly words: RunsWords }): ReactNode {
  const [search, setSearch] = useSetting('search', text)
  const [state, setState] = useSetting('state', all)
  const [command, setCommand] = useSetting('work', all)
  const [verdict, setVerdict] = useSetting('verdict', all)
  const [sort, setSort] = useSetting('sort', sortSetting)
  const { kinds } = useWords(verdictWords)
  const choices = (names: Readonly<Record<string, string>>): { id: string; text: string }[] => [
    { id: 'all', text: words.all },
    ...Object.entries(names).map(([id, name]) => ({ id, text: name })),
  ]
  return (
    <div className="filters" role="search">
      <TextField
        label={words.search}
        value={search}
        onChange={setSearch}
        placeholder={words.searchHint}
        type="search"
      />
      <Select label={words.state} value={state} onChange={setState} choices={choices(words.states)} />
      <Select label={words.command} value={command} onChange={setCommand} choices={choices(words.commands)} />
      <Select label={words.verdict} value={verdict} onChange={setVerdict} choices={choices(kinds)} />
      <Select
        label={words.sort}
        value={sort}
        onChange={setSort}
        choices={sorts.map((id) => ({ id, text: words.sorts[id] }))}
      />
    </div>
  )
}

/** What can be seen without a laboratory. */
function WithoutServer(): ReactNode {
  const words = useWords(runsWords)
  const verdicts = useWords(verdictWords)
  const { language } = usePreferences()
  return (
    <>
      <p>{words.noServer}</p>
      <pre>
        <code>npx thalweg lab</code>
      </pre>
      <p>{words.noServerExamples}</p>
      <ul className="room-cards">
        {Object.entries(exampleNames).map(([id, names]) => (
          <li key={id}>
            <a href={writePlace({ room: 'verdict', settings: { point: `example:${id}` } })}>
              <b>{names[language]}</b>
              <span>{verdicts.lead}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}
