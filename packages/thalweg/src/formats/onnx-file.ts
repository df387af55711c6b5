import { closeSync, fstatSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative, isAbsolute, sep } from 'node:path'
import { decodeModel, type ExternalReader, FormatError, type OnnxModel, UnsupportedError } from '@thalweg/graph'

export interface OnnxFileOptions {
  /** Most bytes of the file itself, and of all its tensors. Default 4 GiB. */
  readonly maxBytes?: number
}

/** Reads an `.onnx` file with its external data, which must lie in the model's folder even after links are followed.
 * @throws {FormatError} naming the file for one that is missing, too large, damaged or reaches outside its folder;
 *         {UnsupportedError} for models with features that are not handled. */
export function readOnnxFile(path: string, options: OnnxFileOptions = {}): OnnxModel {
  const maxBytes = options.maxBytes ?? 2 ** 32
  const size = sizeOfFile(path)
  if (size > maxBytes)
    throw new FormatError(
      `${path}: a model file must have at most ${maxBytes} bytes, got ${size}. Raise maxBytes if it is trusted.`,
    )
  try {
    return decodeModel(readFileSync(path), { maxBytes, readExternal: externalReader(dirname(path)) })
  } catch (cause) {
    if (cause instanceof FormatError) throw new FormatError(`${path}: ${cause.message}`, cause.details, cause)
    if (cause instanceof UnsupportedError) throw new UnsupportedError(`${path}: ${cause.message}`, cause.details, cause)
    throw cause
  }
}

function sizeOfFile(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new FormatError(`${path}: there is no such file. Check the path.`)
  if (!stat.isFile()) throw new FormatError(`${path}: an .onnx model is a regular file. Check the path.`)
  return stat.size
}

/** Reads parts of files inside a folder; anything that resolves to a place outside is refused. */
export function externalReader(folder: string): ExternalReader {
  return (location, offset, length) => {
    const path = innerPath(folder, location)
    const file = openSync(path, 'r')
    try {
      // The size is that of the open file: the name may meanwhile mean another.
      const stat = fstatSync(file)
      if (!stat.isFile())
        throw new FormatError(`${path}: external data must be a regular file. The model may be hostile.`)
      if (offset + length > stat.size)
        throw new FormatError(
          `${path}: bytes ${offset}…${offset + length} are asked for, the file has ${stat.size}. It is truncated or belongs to another model.`,
        )
      return readExactly(file, path, offset, length)
    } finally {
      closeSync(file)
    }
  }
}

function innerPath(folder: string, location: string): string {
  const root = realpathSync(folder)
  let path: string
  try {
    path = realpathSync(join(root, location))
  } catch (cause) {
    throw new FormatError(
      `${join(folder, location)}: the model's external data is missing. Put the file beside the model.`,
      {},
      cause,
    )
  }
  const inner = relative(root, path)
  if (inner === '' || inner === '..' || inner.startsWith(`..${sep}`) || isAbsolute(inner))
    throw new FormatError(
      `${location}: external data must lie in the model's folder, it resolves to ${path}. Refused: the model may be hostile.`,
    )
  return path
}

function readExactly(file: number, path: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done)
    if (count === 0) throw new FormatError(`${path}: it ended while it was read. Try again.`)
    done += count
  }
  return bytes
}
