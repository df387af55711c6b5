import { Worker } from 'node:worker_threads'
import { errorFromWire } from '@thalweg/engine'
import type { WireError } from '@thalweg/engine'
import { DomainError, FormatError, tensor } from '@thalweg/graph'
import type { DType, Tensor } from '@thalweg/graph'
import type { Dataset, Entity, File, Group } from 'h5wasm'
import { programBeside } from '../files/program-beside.ts'
import { boundedSize, formatError } from './source.ts'
import type { Source } from './source.ts'

/** What a file holds: arrays and texts by path, `xdirection/0`. */
export type Hdf5Content = Readonly<Record<string, Tensor | string>>

/** Groups in groups, and objects in a file, that a reader follows. */
const maxDepth = 8
const maxObjects = 100_000

/** Filters that the library undoes; with any other it returns what was in memory, without an error. */
const knownFilters: ReadonlySet<string> = new Set(['deflate', 'shuffle', 'fletcher32'])

/** Types of elements, by the library's letters, and what they become here. */
const dtypes: Readonly<Record<string, DType>> = {
  '<d': 'float64',
  '<f': 'float32',
  '<q': 'int64',
  '<i': 'int64',
}

/** An in-memory file of the HDF5 library: nothing of the host's file system is within its reach. */
async function withMemoryFile<T>(
  mode: 'r' | 'w',
  bytes: Uint8Array | null,
  use: (file: File) => T,
): Promise<{ value: T; bytes: Uint8Array }> {
  const { default: h5wasm } = await import('h5wasm')
  const module = await h5wasm.ready
  module.activate_throwing_error_handler()
  const { FS } = module as unknown as { FS: MemoryFiles }
  const path = `thalweg-${(opened += 1)}.h5`
  if (bytes) FS.writeFile(path, bytes)
  try {
    const file = new h5wasm.File(path, mode)
    let value: T
    try {
      value = use(file)
      if (mode === 'w') file.flush()
    } finally {
      file.close()
    }
    return { value, bytes: mode === 'w' ? FS.readFile(path) : new Uint8Array() }
  } finally {
    if (FS.analyzePath(path).exists) FS.unlink(path)
  }
}

let opened = 0

interface MemoryFiles {
  readonly writeFile: (path: string, bytes: Uint8Array) => void
  readonly readFile: (path: string) => Uint8Array
  readonly unlink: (path: string) => void
  readonly analyzePath: (path: string) => { readonly exists: boolean }
}

/** An HDF5 file with these arrays and texts, uncompressed; groups are made as paths name them.
 * @throws {DomainError} for a path that is empty, or lies in another array. */
export async function encodeHdf5(content: Hdf5Content): Promise<Uint8Array> {
  const { bytes } = await withMemoryFile('w', null, (file) => {
    const groups = new Map<string, Group>([['', file]])
    for (const [path, value] of Object.entries(content)) writeEntry(groups, path, value)
  })
  return bytes
}

function writeEntry(groups: Map<string, Group>, path: string, value: Tensor | string): void {
  const names = path.split('/')
  if (names.includes('')) throw new DomainError(`encodeHdf5: a path is made of names between slashes, got '${path}'.`)
  const name = names.pop()!
  let parent = groups.get('')!
  for (const [depth, groupName] of names.entries()) {
    const key = names.slice(0, depth + 1).join('/')
    let group = groups.get(key)
    if (!group) groups.set(key, (group = parent.create_group(groupName)))
    parent = group
  }
  if (typeof value === 'string') parent.create_dataset({ name, data: value })
  else parent.create_dataset({ name, data: value.data as Float64Array, shape: [...value.shape] })
}

/** All arrays and texts of an HDF5 file, as float64, float32 or int64 (int32 too).
 * Links out of the file are not followed; they are left out. The library reads in a thread of its own, because damaged bytes
 * can lead it round in circles: after the time limit (default: a minute) the thread is ended.
 * @throws {FormatError} if it is no HDF5 file, an array is too large, of another type, or packed by an unknown filter, or the
 * time is up. */
export async function decodeHdf5(
  bytes: Uint8Array,
  source: Source,
  { timeLimitMs = 60_000 }: Hdf5Options = {},
): Promise<Map<string, Tensor | string>> {
  const thread = new Worker(programBeside(import.meta.url, 'hdf5-thread'), { workerData: { bytes, source } })
  try {
    const reply = await replyOf(thread, source, timeLimitMs)
    if (reply.kind === 'content') return reply.content
    throw errorFromWire(reply.error)
  } finally {
    await thread.terminate()
  }
}

function replyOf(thread: Worker, source: Source, timeLimitMs: number): Promise<Hdf5Reply> {
  return new Promise((resolve, reject) => {
    const refuse = (rule: string): void =>
      reject(formatError(source, 'HDF5', rule, 'The file is damaged: write or fetch it again.'))
    const late = setTimeout(() => refuse(`could not be read within ${timeLimitMs / 1000} s`), timeLimitMs)
    thread.once('message', resolve)
    thread.once('error', (error: unknown) => refuse(`cannot be read, ${String(error)}`))
    thread.once('exit', () => {
      clearTimeout(late)
      refuse('cannot be read, the library gave up')
    })
  })
}

export interface Hdf5Options {
  readonly timeLimitMs?: number
}

/** What the thread answers. */
export type Hdf5Reply =
  | { readonly kind: 'content'; readonly content: Map<string, Tensor | string> }
  | { readonly kind: 'error'; readonly error: WireError }

/** The same on the thread of the caller, for as long as it takes. */
export async function readHdf5(bytes: Uint8Array, source: Source): Promise<Map<string, Tensor | string>> {
  try {
    const { value } = await withMemoryFile('r', bytes, (file) => readGroups(file, source))
    return value
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw formatError(
      source,
      'HDF5',
      `cannot be read, ${innermost(error)}`,
      'Write it with h5py, or fetch it again.',
      error,
    )
  }
}

/** The last line of the library's own trace: what it could not do with the bytes. */
function innermost(error: unknown): string {
  const text = (error as Error).message
  const steps = [...text.matchAll(/#\d+: .*?\(\): (.+)/g)]
  return steps.at(-1)?.[1] ?? text.split('\n')[0]
}

function readGroups(file: File, source: Source): Map<string, Tensor | string> {
  const found = new Map<string, Tensor | string>()
  let objects = 0
  const visit = (group: Group, prefix: string, depth: number): void => {
    for (const name of group.keys()) {
      const path = prefix + name
      if ((objects += 1) > maxObjects || depth > maxDepth)
        throw formatError(
          source,
          path,
          `at most ${maxObjects} objects, ${maxDepth} groups deep, are read`,
          'Split the file.',
        )
      const entity = group.get(name)
      if (isGroup(entity)) visit(entity, `${path}/`, depth + 1)
      else if (isDataset(entity)) found.set(path, readDataset(entity, path, source))
    }
  }
  visit(file, '', 1)
  return found
}

const isGroup = (entity: Entity | null): entity is Group => typeOf(entity) === 'Group'
const isDataset = (entity: Entity | null): entity is Dataset => typeOf(entity) === 'Dataset'
const typeOf = (entity: Entity | null): string => (entity as { readonly type?: string } | null)?.type ?? ''

function readDataset(dataset: Dataset, path: string, source: Source): Tensor | string {
  const unknown = dataset.filters.find(({ name }) => !knownFilters.has(name))
  if (unknown)
    throw formatError(
      source,
      path,
      `packed by '${unknown.name}', which is not read`,
      "Write it with compression='gzip', or without.",
    )
  const shape = dataset.shape ?? []
  const { dtype } = dataset
  const isText = typeof dtype === 'string' && dtype.startsWith('S')
  const kind = typeof dtype === 'string' ? dtypes[dtype] : undefined
  if (!isText && !kind)
    throw formatError(
      source,
      path,
      `must be float64, float32, int64, int32 or one text, got type ${JSON.stringify(dtype)}`,
      'Convert it.',
    )
  boundedSize(shape, Math.max(dataset.metadata.size, 1), source, path)
  const { value } = dataset
  if (isText) return textOf(value)
  return toTensor(kind!, shape, value)
}

/** One text; of a list of texts, the first. */
function textOf(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' ? first : ''
}

/** The library gives scalars as plain numbers, arrays as typed arrays of the file's own type. */
function toTensor(kind: DType, shape: readonly number[], value: unknown): Tensor {
  const list = typeof value === 'number' || typeof value === 'bigint' ? [value] : (value as ArrayLike<number | bigint>)
  if (kind === 'int64') return tensor(kind, shape, BigInt64Array.from(list, BigInt))
  if (kind === 'float32') return tensor(kind, shape, Float32Array.from(list, Number))
  return tensor('float64', shape, Float64Array.from(list, Number))
}
