import { stringify } from 'yaml'
import type {
  ConnectDocument,
  CriticalDocument,
  DiagnosisDocument,
  EndPoint,
  RunDetail,
  RunSummary,
  SpectrumDocument,
  TrainingRecord,
  WorkRequest,
} from './protocol.ts'
import { listOf, objectOf } from './plain-json.ts'
import type { JsonObject } from './plain-json.ts'
import type { RunArrays } from './run-arrays.ts'
import type { RunFolder } from './run-folder.ts'
import { figureReferences, runUrl, verdictKindOf, warningsOf } from './run-summary.ts'

/** A document where it has the fields that the page reads; anything else is not shown as one. */
function documentWith<T>(
  document: JsonObject | null,
  lists: readonly string[],
  objects: readonly string[] = [],
): T | null {
  if (!document) return null
  const whole =
    lists.every((key) => Array.isArray(document[key])) &&
    objects.every((key) => typeof document[key] === 'object' && document[key] !== null)
  return whole ? (document as T) : null
}

/** The diagnosis on its own (a run), or the document of `thalweg diagnose`. */
function diagnosisOf(document: JsonObject | null): DiagnosisDocument | null {
  if (!document || verdictKindOf(document['verdict']) === null) return null
  const spectrum = objectOf(document['eigenvalues'])
  const listed = Array.isArray(spectrum['top']) && Array.isArray(spectrum['bottom'])
  return listed ? documentWith(document, ['evidence', 'advice'], ['inertia', 'noiseFloor']) : null
}

/** Everything that a page about one run shows, but for the arrays themselves. */
export async function runDetail(
  run: RunFolder,
  summary: RunSummary,
  request: WorkRequest | null,
  arrays: RunArrays,
): Promise<RunDetail> {
  const manifest = await run.json('manifest.json')
  const results = (await run.files('results')).filter(({ name }) => name.endsWith('.json'))
  const read = (name: string): Promise<JsonObject | null> => run.json('results', `${name}.json`)
  const [training, end, diagnosis, spectrum, critical, connect] = await Promise.all(
    ['training', 'end', 'diagnosis', 'spectrum', 'critical', 'connect'].map(read),
  )
  const others = await Promise.all(['surface', 'line', 'plane-graph'].map(read))
  const experiment = manifest?.['experiment']
  return {
    summary,
    manifest,
    experiment: typeof experiment === 'object' && experiment !== null ? stringify(experiment) : null,
    request,
    results: results.map(({ name, bytes }) => {
      const plain = name.slice(0, -5)
      return { name: plain, bytes, url: runUrl(run.id, 'results', plain) }
    }),
    arrays: await arrays.list(run),
    figures: figureReferences(
      run.id,
      (await run.files('figures')).map(({ name }) => name),
    ),
    checkpoints: await checkpointsOf(run),
    reportUrl: summary.hasReport ? runUrl(run.id, 'report') : null,
    training: documentWith<TrainingRecord>(training, ['history']),
    end: end as EndPoint | null,
    diagnosis: diagnosisOf(diagnosis),
    spectrum: documentWith<SpectrumDocument>(spectrum, [], ['eigenvalues', 'morseIndex']),
    critical: documentWith<CriticalDocument>(critical, ['points']),
    connect: documentWith<ConnectDocument>(connect, ['paths']),
    warnings: [
      ...new Set([manifest, diagnosis, spectrum, critical, connect, ...others].flatMap((each) => warningsOf(each))),
    ],
  }
}

async function checkpointsOf(run: RunFolder): Promise<RunDetail['checkpoints']> {
  const files = (await run.files('checkpoints')).filter(({ name }) => name.endsWith('.safetensors'))
  return files.map(({ name, bytes }) => {
    const plain = name.slice(0, -'.safetensors'.length)
    const step = /^step-(\d{1,15})$/.exec(plain)?.[1]
    return {
      name: plain,
      step: step === undefined ? null : Number(step),
      bytes,
      url: runUrl(run.id, 'checkpoints', plain),
    }
  })
}

/** Objects of a list; what is not an object is left out. */
export function objectsOf(value: unknown): JsonObject[] {
  return listOf(value).filter((each): each is JsonObject => typeof each === 'object' && each !== null)
}
