import { FormatError, tensor } from '@thalweg/graph'
import { builtinParameters, makeBuiltin, makeDataset, reshapeInput, withFields } from '@thalweg/landscape'
import type { Dataset, DatasetParameters } from '@thalweg/landscape'
import { packageFile } from '../files/package-file.ts'
import { decodeCsv } from './csv.ts'
import { datasetFromTable } from './dataset-from-table.ts'
import { gunzipBounded, readSource } from './source.ts'
import type { Source } from './source.ts'

/** A named data set: generated, or read from the package (digits, iris).
 * @throws {DomainError} for an unknown name or parameter. */
export async function loadBuiltin(name: string, given: DatasetParameters = {}): Promise<Dataset> {
  const parameters = builtinParameters(name, given)
  if (name === 'digits') return loadDigits(parameters.image === true)
  if (name === 'iris') return loadIris()
  return makeBuiltin(name, parameters)
}

/** Grey values 0 … 16 divided by 16, which is exact in float32 too. */
async function loadDigits(image: boolean): Promise<Dataset> {
  const source: Source = { file: packageFile('assets', 'digits.csv.gz') }
  const table = decodeCsv(gunzipBounded(await readSource(source), source), source, { header: false })
  const classNames = Array.from({ length: 10 }, (_, digit) => `${digit}`)
  const origin = image ? 'digits(image=true)' : 'digits'
  const raw = datasetFromTable(table, {}, { name: 'digits', origin, classNames })
  const { shape, data } = raw.inputs.x
  const x = tensor(
    'float64',
    shape,
    (data as Float64Array).map((grey) => grey / 16),
  )
  const digits = withFields(raw, { inputs: { x } })
  return image ? reshapeInput(digits, 'x', [1, 8, 8]) : digits
}

/** The first line of the file holds samples, features and class names. */
async function loadIris(): Promise<Dataset> {
  const source: Source = { file: packageFile('assets', 'iris.csv') }
  const bytes = await readSource(source)
  const lineEnd = bytes.indexOf(10)
  const [samples, features, ...classNames] = new TextDecoder().decode(bytes.subarray(0, lineEnd)).trim().split(',')
  const table = decodeCsv(bytes.subarray(lineEnd + 1), source, { header: false })
  const { inputs, targets } = datasetFromTable(table, {}, { name: 'iris', origin: 'iris' })
  if (`${inputs.x.shape}` !== `${samples},${features}`)
    throw new FormatError(
      `${source.file}: must hold [${samples},${features}] values, got [${inputs.x.shape}]. Reinstall.`,
    )
  return makeDataset({ name: 'iris', inputs, targets, task: 'classification', classNames, origin: 'iris' })
}
