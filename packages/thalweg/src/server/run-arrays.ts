import { ThalwegError, numbersOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { openNpz } from '../formats/npz.ts'
import type { NamedArrays } from '../formats/npz.ts'
import type { ArrayReference } from './protocol.ts'
import type { LabLimits } from './limits.ts'
import { Refusal } from './refusal.ts'
import type { RootFolder } from './root-folder.ts'
import type { RunFolder } from './run-folder.ts'
import { runUrl } from './run-summary.ts'

/** A list unpacks every array for its shape: it leaves out files, and arrays, that are larger. */
const listedFileBytesMax = 32 * 2 ** 20
const listedArrayBytesMax = 64 * 2 ** 20
const listsKept = 200

/** Arrays in the NPZ files of runs, bounded before anything is unpacked. */
export class RunArrays {
  readonly #root: RootFolder
  readonly #limits: LabLimits
  /** References by run, file and time of change. */
  readonly #lists = new Map<string, readonly ArrayReference[]>()

  constructor(root: RootFolder, limits: LabLimits) {
    this.#root = root
    this.#limits = limits
  }

  /** @throws {Refusal} 404, 403, 413; {FormatError} if the file is damaged. */
  async read(run: RunFolder, file: string, array: string): Promise<Tensor> {
    const arrays = await this.#open(run, file, this.#limits.arrayBytesMax)
    if (!arrays.names.includes(array)) throw new Refusal('not-found', 'There is no such array in that file.')
    return arrays.read(array)
  }

  /** The arrays of every file that can be read. */
  async list(run: RunFolder): Promise<ArrayReference[]> {
    const files = (await run.files('results')).filter(
      ({ name, bytes }) => name.endsWith('.npz') && bytes <= listedFileBytesMax,
    )
    const found: ArrayReference[] = []
    for (const { name, mtimeMs, bytes } of files)
      found.push(...(await this.#listFile(run, name.slice(0, -4), `${mtimeMs}:${bytes}`)))
    return found
  }

  async #listFile(run: RunFolder, file: string, stamp: string): Promise<readonly ArrayReference[]> {
    const key = `${run.id}/${file} ${stamp}`
    const known = this.#lists.get(key)
    if (known) return known
    const references: ArrayReference[] = []
    try {
      const arrays = await this.#open(run, file, listedArrayBytesMax)
      for (const array of arrays.names)
        references.push({ file, array, shape: arrays.read(array).shape, url: runUrl(run.id, 'arrays', file, array) })
    } catch (error) {
      // a damaged file has no arrays to show; asking for one says what is wrong
      if (!(error instanceof ThalwegError || error instanceof Refusal)) throw error
    }
    if (this.#lists.size >= listsKept) this.#lists.clear()
    this.#lists.set(key, references)
    return references
  }

  async #open(run: RunFolder, file: string, maxBytes: number): Promise<NamedArrays> {
    const bytes = await this.#root.read(run.parts('results', `${file}.npz`), this.#limits.arrayBytesMax)
    return openNpz(bytes, { file: `${file}.npz`, maxBytes })
  }
}

/** Values as the wire has them: float64, little endian. */
export function arrayBytes(value: Tensor): Uint8Array<ArrayBuffer> {
  const numbers = numbersOf(value)
  const bytes = new ArrayBuffer(8 * numbers.length)
  if (littleEndianHost) new Float64Array(bytes).set(numbers)
  else {
    const view = new DataView(bytes)
    numbers.forEach((number, i) => view.setFloat64(8 * i, number, true))
  }
  return new Uint8Array(bytes)
}

const littleEndianHost = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
