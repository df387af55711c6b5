import type {
  CriticalDocument,
  DiagnosisDocument,
  EndPoint,
  Line,
  SpectrumDocument,
  Surface,
  TrainingRecord,
} from 'thalweg/protocol'
import digitsUrl from '../examples/digits.json?url'
import teacherUrl from '../examples/teacher.json?url'
import type { Language } from './preferences.ts'

type Inline<T> = Omit<T, 'values'> & { readonly values: readonly (number | null)[] }

/** As the server's, with the arrays inside. */
export type ExampleSurface = Omit<Surface, 'fields'> & { readonly fields: readonly Inline<Surface['fields'][number]>[] }

export type ExampleLine = Omit<Line, 'components'> & {
  readonly components: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly values: readonly number[]
  }[]
}

/** A run that comes with the page, so that every room shows something without a server. */
export interface Example {
  readonly id: string
  readonly name: Readonly<Record<Language, string>>
  readonly description: Readonly<Record<Language, string>>
  readonly training: TrainingRecord | null
  readonly end: EndPoint | null
  readonly diagnosis: Readonly<Record<Language, DiagnosisDocument>>
  readonly spectrum: SpectrumDocument
  readonly critical: CriticalDocument | null
  readonly surfaces: readonly ExampleSurface[]
  readonly lines: readonly ExampleLine[]
}

/** The examples and what they are called before they are fetched. */
export const exampleNames = {
  digits: { en: 'Digits, after training', zh: '手写数字，训练之后' },
  teacher: { en: 'A saddle of a small network', zh: '小网络的一个鞍点' },
} as const

export type ExampleId = keyof typeof exampleNames

const urls: Readonly<Record<ExampleId, string>> = { digits: digitsUrl, teacher: teacherUrl }
const fetched = new Map<ExampleId, Promise<Example>>()

export function isExample(id: string): id is ExampleId {
  return Object.hasOwn(urls, id)
}

export function loadExample(id: ExampleId): Promise<Example> {
  let example = fetched.get(id)
  if (!example) {
    example = fetch(urls[id]).then((reply) => {
      if (!reply.ok) throw new TypeError(`${urls[id]}: ${reply.status} ${reply.statusText}`)
      return reply.json() as Promise<Example>
    })
    example.catch(() => fetched.delete(id))
    fetched.set(id, example)
  }
  return example
}
