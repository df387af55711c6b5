import { useState } from 'react'
import type { ReactNode } from 'react'
import { Button as AriaButton, DropZone, FileTrigger, Text } from 'react-aria-components'
import type { DropItem } from 'react-aria-components'
import type { DataReference, Health, Inspection, LossChoice } from 'thalweg/protocol'
import { address } from '../state/address.ts'
import { server } from '../state/server.ts'
import { runsWords } from '../words/runs-words.ts'
import { Button, NumberField, Segments, Select, Switch } from './controls.tsx'
import { usePreferences } from './use-stores.ts'
import { useWords } from './use-words.ts'

interface Dropped {
  readonly upload: string
  readonly files: readonly string[]
  readonly inspection: Inspection
}

/** A model file and its data: dropped, read, and diagnosed with the loss that the reader names. */
export function DropModel({ health }: { readonly health: Health }): ReactNode {
  const words = useWords(runsWords)
  const [dropped, setDropped] = useState<Dropped>()
  const [stage, setStage] = useState('')
  const [error, setError] = useState('')
  const take = async (files: readonly File[]): Promise<void> => {
    if (files.length === 0) return
    setError('')
    const upload = dropped?.upload ?? (await server.beginUpload()).id
    for (const file of files) {
      setStage(`${words.uploading}: ${file.name}`)
      await server.sendFile(upload, file)
    }
    setStage(words.inspecting)
    const inspection = await server.inspect(upload)
    const names = [...new Set([...(dropped?.files ?? []), ...files.map((file) => file.name)])]
    setDropped({ upload, files: names, inspection })
    setStage('')
  }
  const fail = (reason: unknown): void => {
    setStage('')
    setError(reason instanceof Error ? reason.message : String(reason))
  }
  return (
    <section className="panel work-panel" aria-label={words.drop}>
      <h2>{words.drop}</h2>
      <p className="small muted">{words.dropLead}</p>
      <DropZone className="drop-zone" onDrop={(event) => void filesOf(event.items).then(take).catch(fail)}>
        <Text slot="label">{words.dropHere}</Text>
        <FileTrigger allowsMultiple onSelect={(list) => void take([...(list ?? [])]).catch(fail)}>
          <AriaButton className="button">{words.chooseFiles}</AriaButton>
        </FileTrigger>
      </DropZone>
      <p role="status" className="small">
        {stage}
      </p>
      {error !== '' && (
        <p className="notice" role="alert">
          {error}
        </p>
      )}
      {dropped && <DiagnoseForm key={dropped.files.join()} dropped={dropped} health={health} onError={fail} />}
    </section>
  )
}

async function filesOf(items: readonly DropItem[]): Promise<File[]> {
  const files: File[] = []
  for (const item of items) if (item.kind === 'file') files.push(await item.getFile())
  return files
}

interface FormProps {
  readonly dropped: Dropped
  readonly health: Health
  readonly onError: (reason: unknown) => void
}

function DiagnoseForm({ dropped, health, onError }: FormProps): ReactNode {
  const words = useWords(runsWords)
  const { language } = usePreferences()
  const { inspection, upload } = dropped
  const models = inspection.models.map(({ file }) => file)
  const files = inspection.data.map(({ file }) => file)
  const [model, setModel] = useState(models[0] ?? '')
  const [data, setData] = useState(files[0] === undefined ? '' : `file:${files[0]}`)
  const [loss, setLoss] = useState<ChosenLoss>({
    name: health.losses[0] ?? 'cross-entropy',
    reduction: 'mean',
    weightDecay: 0,
  })
  const [polish, setPolish] = useState(true)
  const problem = model === '' ? words.needModel : data === '' ? words.needData : undefined
  const start = async (): Promise<void> => {
    const { id } = await server.start({
      command: 'diagnose',
      lang: language,
      polish,
      subject: { model: { kind: 'upload', upload, file: model }, data: dataReference(data, upload), loss },
    })
    address.go({ room: 'runs', settings: { run: id } })
  }
  return (
    <div className="diagnose-form">
      <FileProblems inspection={inspection} />
      {models.length > 1 && (
        <Select
          label={words.modelFile}
          value={model}
          onChange={setModel}
          choices={models.map((id) => ({ id, text: id }))}
        />
      )}
      <Select
        label={words.dataFile}
        value={data}
        onChange={setData}
        choices={[
          ...files.map((file) => ({ id: `file:${file}`, text: file })),
          ...health.datasets.map((name) => ({ id: `built-in:${name}`, text: `${name} (${words.builtIn})` })),
        ]}
      />
      <LossFields loss={loss} losses={health.losses} onChange={setLoss} />
      <Switch value={polish} onChange={setPolish}>
        {words.polish}
      </Switch>
      <div className="run-actions">
        <Button kind="strong" isDisabled={problem !== undefined} onPress={() => void start().catch(onError)}>
          {words.start}
        </Button>
        <span className="small muted" role="status">
          {problem ?? model}
        </span>
      </div>
    </div>
  )
}

type ChosenLoss = Required<Pick<LossChoice, 'name' | 'reduction' | 'weightDecay'>>

interface LossFieldsProps {
  readonly loss: ChosenLoss
  readonly losses: readonly string[]
  readonly onChange: (loss: ChosenLoss) => void
}

/** The objective that the model was trained on: a verdict is about it and no other. */
function LossFields({ loss, losses, onChange }: LossFieldsProps): ReactNode {
  const words = useWords(runsWords)
  return (
    <>
      <Select
        label={words.lossName}
        value={loss.name}
        onChange={(name) => onChange({ ...loss, name })}
        choices={losses.map((id) => ({ id, text: id }))}
      />
      <Segments
        label={words.reduction}
        value={loss.reduction}
        onChange={(reduction) => onChange({ ...loss, reduction })}
        choices={[
          { id: 'mean', text: words.mean },
          { id: 'sum', text: words.sum },
        ]}
      />
      <NumberField
        label={words.weightDecay}
        value={loss.weightDecay}
        min={0}
        step={0.0001}
        onChange={(weightDecay) => onChange({ ...loss, weightDecay })}
      />
    </>
  )
}

/** Files that cannot be read, in the words of their readers. */
function FileProblems({ inspection }: { readonly inspection: Inspection }): ReactNode {
  const problems = [...inspection.models, ...inspection.data].filter(({ error }) => error !== null)
  if (problems.length === 0) return null
  return (
    <ul className="notice">
      {problems.map(({ file, error }) => (
        <li key={file}>
          <b>{file}</b>: {error}
        </li>
      ))}
    </ul>
  )
}

function dataReference(choice: string, upload: string): DataReference {
  const name = choice.slice(choice.indexOf(':') + 1)
  return choice.startsWith('file:') ? { kind: 'upload', upload, files: [name] } : { kind: 'built-in', name }
}
