import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DomainError } from '@thalweg/graph'
import { builtinDatasets, standardize, withFields } from '@thalweg/landscape'
import type { Dataset, DatasetParameters } from '@thalweg/landscape'
import { loadBuiltin } from './builtin-assets.ts'
import { cifar10ClassNames, decodeCifar } from './cifar.ts'
import { decodeCsv } from './csv.ts'
import { datasetFromArrays } from './dataset-from-arrays.ts'
import type { Selection } from './dataset-from-arrays.ts'
import { datasetFromTable } from './dataset-from-table.ts'
import { decodeIdx, isIdx } from './idx.ts'
import { parseInputs } from './named-inputs.ts'
import { decodeNpy } from './npy.ts'
import { openNpz } from './npz.ts'
import type { NamedArrays } from './npz.ts'
import { decodeParquet } from './parquet.ts'
import { formatError, gunzipBounded, readSource } from './source.ts'
import type { Source } from './source.ts'

export interface LoadOptions extends Selection {
  /** Subtract each feature's mean and divide by its deviation, both taken from all samples loaded. */
  readonly standardize?: boolean
  /** CSV: whether the first row names the columns; default: decided by its content. */
  readonly header?: boolean
  /** Parameters of a built-in data set. */
  readonly parameters?: DatasetParameters
  /** Largest array in bytes; default 4 GiB. */
  readonly maxBytes?: number
}

type Format = 'npy' | 'npz' | 'csv' | 'parquet' | 'idx' | 'cifar'

const accepted =
  '.npz, .npy (x.npy,y.npy), .csv, .tsv, .parquet, IDX (images,labels), CIFAR .bin, a folder with one of these, or a built-in name'

/** Loads a data set from a file, a pair of files, a folder or a built-in name.
 *
 * | source | becomes |
 * |---|---|
 * | `digits`, `two-spirals:samples=100,noise=0.1` … | a built-in data set |
 * | `.npz` | arrays `x` and `y`, or those of `input` (`NAME=KEY`) and `target` |
 * | `x.npy,y.npy` | inputs and targets |
 * | `.csv`, `.tsv`, `.txt` (also `.gz`), `.parquet` | the last column, or `target`, is the target, the others are `x` |
 * | `images,labels` or the images alone (IDX, also `.gz`) | x [n × 1 × h × w] in 0 … 1, class indices |
 * | `.bin`, several separated by commas (CIFAR-10, CIFAR-100) | x [n × 3 × 32 × 32] in 0 … 1, class indices |
 * | a folder | the one data set in it |
 *
 * Integer and text targets are classes, float targets are values, unless `task` says otherwise.
 *
 * @throws {FormatError} if a file is missing, damaged or too large, naming the place.
 * @throws {DomainError} if a choice is missing or impossible (listing the choices), or the values are not a data set. */
export async function loadData(source: string | readonly string[], options: LoadOptions = {}): Promise<Dataset> {
  const dataset = await loadRaw(source, options)
  if (!options.standardize) return dataset
  return Object.keys(dataset.inputs).reduce((result, input) => standardize(result, undefined, { input }).train, dataset)
}

async function loadRaw(source: string | readonly string[], options: LoadOptions): Promise<Dataset> {
  if (typeof source !== 'string') return loadFiles(source, options)
  const name = source.split(':', 1)[0]
  if (Object.hasOwn(builtinDatasets, name)) {
    if (await exists(source))
      throw new DomainError(
        `data '${source}': there is a built-in data set and a file of this name. Write ./${source} for the file, or rename it.`,
      )
    return selectFromBuiltin(await loadBuiltin(name, parseParameters(source, options.parameters)), options)
  }
  if (!(await exists(source)) && source.includes(',')) return loadFiles(source.split(','), options)
  if (!(await exists(source)) && !/[./\\]/.test(source))
    throw new DomainError(
      `data '${source}': neither a file nor a built-in data set. Built in are: ${Object.keys(builtinDatasets).join(', ')}.`,
    )
  return loadFiles([source], options)
}

async function exists(path: string): Promise<boolean> {
  return (await statusOf(path)) !== undefined
}

async function statusOf(path: string): Promise<{ isDirectory(): boolean } | undefined> {
  try {
    return await stat(path)
  } catch {
    return undefined
  }
}

/** The parameters in `NAME:key=value,key=value`, and those given beside. */
function parseParameters(source: string, given: DatasetParameters = {}): DatasetParameters {
  const [name, ...rest] = source.split(':')
  const known = builtinDatasets[name].parameters
  const parameters: Record<string, number | boolean | string> = { ...given }
  if (rest.length === 0) return parameters
  for (const part of rest.join(':').split(',')) {
    const [key, value] = part.split(/=(.*)/s)
    if (value === undefined)
      throw new DomainError(`data '${source}': parameters must have the form key=value, got '${part}'.`)
    const kind = Object.hasOwn(known, key) ? typeof known[key].default : 'string'
    const number = value.trim() === '' ? Number.NaN : Number(value)
    if (kind === 'number' && Number.isFinite(number)) parameters[key] = number
    else if (kind === 'boolean' && (value === 'true' || value === 'false')) parameters[key] = value === 'true'
    else parameters[key] = value
  }
  return parameters
}

/** Built-in data sets have one input `x`, which may be given another name, and a fixed target and task. */
function selectFromBuiltin(dataset: Dataset, { input, target, task }: LoadOptions): Dataset {
  if (task !== undefined && task !== dataset.task)
    throw new DomainError(`data '${dataset.name}': is a ${dataset.task}, got task ${task}. Leave it out.`)
  if (target !== undefined && target !== 'y')
    throw new DomainError(`data '${dataset.name}': its target is 'y', got '${target}'. Leave it out.`)
  if (input === undefined) return dataset
  const inputs = parseInputs(input).map(({ name, key }) => {
    if (key !== 'x') throw new DomainError(`data '${dataset.name}': its input is 'x', got '${key}'. Use NAME=x.`)
    return [name, dataset.inputs.x] as const
  })
  return withFields(dataset, { inputs: Object.fromEntries(inputs) })
}

interface Part {
  readonly source: Source
  readonly bytes: Uint8Array
  readonly format: Format
}

async function loadFiles(paths: readonly string[], options: LoadOptions): Promise<Dataset> {
  if (paths.length === 0) throw new DomainError('data: needs a file, got none.')
  if (paths.length === 1 && (await statusOf(paths[0]))?.isDirectory()) return loadFolder(paths[0], options)
  const parts: Part[] = []
  for (const file of paths) parts.push(await openPart({ file, maxBytes: options.maxBytes }))
  const provenance = { name: basename(paths[0]).replace(/(\.[^.]+?)(\.gz)?$|\.gz$/i, ''), origin: paths.join(',') }
  const [{ format, source, bytes }] = parts
  if (parts.every((part) => part.format === 'cifar')) return loadCifar(parts, options, provenance)
  if (format === 'idx' || format === 'npy') {
    const pair = parts.length === 1 && format === 'idx' ? await withPartner(parts[0], options) : parts
    if (pair.length === 2 && pair[1].format === format)
      return datasetFromArrays(format === 'idx' ? idxPair(pair) : npyPair(pair), options, provenance)
    throw new DomainError(
      `data '${provenance.origin}': ${format === 'idx' ? 'IDX data is a pair images,labels' : '.npy data is a pair x.npy,y.npy'}, got ${pair.length}. ` +
        'Give both files, separated by a comma.',
    )
  }
  if (parts.length > 1)
    throw new DomainError(
      `data '${provenance.origin}': several files make one data set only as .npy or IDX pair or as CIFAR batches. Give one.`,
    )
  if (format === 'npz') return datasetFromArrays(openNpz(bytes, source), options, provenance)
  const table = format === 'parquet' ? await decodeParquet(bytes, source) : decodeCsv(bytes, source, options)
  return datasetFromTable(table, options, provenance)
}

async function openPart(source: Source): Promise<Part> {
  const packed = await readSource(source)
  const bytes = gunzipBounded(packed, source)
  return { source, bytes, format: formatOf(bytes, source) }
}

const formatOfExtension: Readonly<Record<string, Format>> = {
  npy: 'npy',
  npz: 'npz',
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  data: 'csv',
  parquet: 'parquet',
  bin: 'cifar',
  idx: 'idx',
}

/** By extension, or by the first bytes where that says nothing (IDX files have none). */
function formatOf(bytes: Uint8Array, source: Source): Format {
  const extension = /\.([^.\\/]+)$/.exec(source.file.toLowerCase().replace(/\.gz$/, ''))?.[1] ?? ''
  if (Object.hasOwn(formatOfExtension, extension)) return formatOfExtension[extension]
  const start = String.fromCharCode(...bytes.subarray(0, 6))
  if (start === '\x93NUMPY') return 'npy'
  if (start.startsWith('PK')) return 'npz'
  if (start.startsWith('PAR1')) return 'parquet'
  if (isIdx(bytes)) return 'idx'
  throw formatError(source, '', 'the format is not known by name or content', `Accepted are ${accepted}.`)
}

/** The labels file of an images file, or itself, by the names that MNIST and its descendants use. */
function labelsFileOf(images: string): string {
  return images.replace(/images([-.]idx)3/, (_, idx: string) => `labels${idx}1`)
}

async function withPartner(images: Part, options: LoadOptions): Promise<Part[]> {
  const file = labelsFileOf(images.source.file)
  if (file === images.source.file || !(await exists(file))) return [images]
  return [images, await openPart({ file, maxBytes: options.maxBytes })]
}

/** Images and labels in either order: the labels have one axis. */
function idxPair(pair: readonly Part[]): NamedArrays {
  const [labels, images] = pair[0].bytes[3] === 1 && pair[1].bytes[3] !== 1 ? pair : [pair[1], pair[0]]
  return {
    source: images.source,
    names: ['x', 'y'],
    read: (name) =>
      name === 'x'
        ? decodeIdx(images.bytes, images.source, { asImages: true })
        : decodeIdx(labels.bytes, labels.source),
  }
}

function npyPair([x, y]: readonly Part[]): NamedArrays {
  const read = (name: string) => (name === 'x' ? decodeNpy(x.bytes, x.source) : decodeNpy(y.bytes, y.source))
  return { source: x.source, names: ['x', 'y'], read }
}

function loadCifar(
  parts: readonly Part[],
  options: LoadOptions,
  provenance: { name: string; origin: string },
): Dataset {
  const { images, labels, coarseLabels, classCount } = decodeCifar(parts)
  const coarse = options.target === 'coarse' && coarseLabels !== undefined
  const arrays: NamedArrays = {
    source: parts[0].source,
    names: ['x', 'y', ...(coarseLabels ? ['coarse'] : [])],
    read: (name) => (name === 'x' ? images : name === 'coarse' && coarseLabels ? coarseLabels : labels),
  }
  const classification = options.task !== 'regression'
  return datasetFromArrays(
    arrays,
    { ...options, classCount: coarse ? 20 : classCount },
    { ...provenance, ...(classCount === 10 && classification && { classNames: cifar10ClassNames }) },
  )
}

/** The one data set of a folder.
 * @throws {DomainError} listing the files, if there is none or more than one. */
async function loadFolder(folder: string, options: LoadOptions): Promise<Dataset> {
  const known = new RegExp(`\\.(${Object.keys(formatOfExtension).join('|')})(\\.gz)?$|[-.]idx\\d-ubyte(\\.gz)?$`, 'i')
  const files = (await readdir(folder)).filter((file) => known.test(file)).sort()
  const partners = new Set(files.filter((file) => labelsFileOf(file) !== file).map(labelsFileOf))
  const candidates = files.filter((file) => !partners.has(file))
  if (candidates.length === 1) return loadFiles([join(folder, candidates[0])], options)
  if (candidates.length === 0)
    throw new DomainError(`data '${folder}': no data in this folder. Accepted are ${accepted}.`)
  throw new DomainError(
    `data '${folder}': holds several data sets: ${candidates.join(', ')}. Give one of these files, or several CIFAR batches separated by commas.`,
    { candidates },
  )
}
