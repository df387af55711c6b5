import { DomainError } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { zipSync } from 'fflate'
import type { Zippable } from 'fflate'
import { decodeNpy, encodeNpy } from './npy.ts'
import { formatError } from './source.ts'
import type { Source } from './source.ts'
import { openZip } from './zip.ts'

/** Arrays of a file by name, read when asked for. */
export interface NamedArrays {
  readonly source: Source
  readonly names: readonly string[]
  /** @throws {FormatError} if the array is damaged; `name` must be one of `names`. */
  readonly read: (name: string) => Tensor
}

/** The arrays of an `.npz` archive (numpy.savez or savez_compressed, zip64 too).
 * @throws {FormatError} if it is not a zip archive of `.npy` files, or names repeat. */
export function openNpz(bytes: Uint8Array, source: Source): NamedArrays {
  const entries = new Map(
    openZip(bytes, source).map((entry) => {
      if (!entry.name.endsWith('.npy'))
        throw formatError(
          source,
          'zip',
          `an .npz holds only .npy arrays, got '${entry.name}'`,
          'Write it with numpy.savez.',
        )
      return [entry.name.slice(0, -4), entry] as const
    }),
  )
  return {
    source,
    names: [...entries.keys()],
    read: (name) => {
      const entry = entries.get(name)
      if (!entry)
        throw new DomainError(`${source.file}: no array '${name}'. It has: ${[...entries.keys()].join(', ')}.`)
      return decodeNpy(entry.read(), { ...source, file: `${source.file}/${entry.name}` })
    },
  }
}

/** All arrays of an `.npz` archive, in its order. */
export function decodeNpz(bytes: Uint8Array, source: Source): Map<string, Tensor> {
  const arrays = openNpz(bytes, source)
  return new Map(arrays.names.map((name) => [name, arrays.read(name)]))
}

export interface NpzOptions {
  /** Deflate the arrays; default true. */
  readonly compress?: boolean
}

/** An `.npz` archive; the same arrays give the same bytes (no time stamps).
 * @throws {DomainError} for an empty name, or more than 4 GiB together. */
export function encodeNpz(arrays: Readonly<Record<string, Tensor>>, options: NpzOptions = {}): Uint8Array {
  const { compress = true } = options
  const files: Zippable = Object.create(null)
  let total = 0
  for (const [name, value] of Object.entries(arrays)) {
    if (name === '') throw new DomainError('encodeNpz: an array needs a name, got an empty one.')
    const bytes = encodeNpy(value)
    total += bytes.length + 2 * name.length + 256
    if (total >= 2 ** 32) throw new DomainError('encodeNpz: an archive may have 4 GiB. Write several, or .npy files.')
    files[`${name}.npy`] = bytes
  }
  // Midnight, 1 January 1980, the zero of zip's local time.
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) })
}
