import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodePlainData, encodePlainData } from '../files/plain-data.ts'
import type { RunDirectory } from '../runs/run-directory.ts'
import { digestOf } from '../tasks/task.ts'

interface Keeping {
  readonly directory: RunDirectory
  readonly name: string
  /** Where the result was found: a run that reached its time limit and goes on was examined at another point. */
  readonly theta: Float64Array
  readonly signal: { readonly aborted: boolean }
}

/** A result of a stage that is made once, although the run may be stopped after it. What was made while the run was being
 * stopped is not kept: it may lack its end.
 * @throws what `make` throws; {FormatError} if the file is damaged. */
export async function keptResult<T>({ directory, name, theta, signal }: Keeping, make: () => Promise<T>): Promise<T> {
  const bytes = new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength)
  const file = join('live', `${name}-${digestOf(bytes).slice(0, 16)}.json`)
  const where = directory.file(file)
  const known = await readFile(where, 'utf8').catch(() => undefined)
  if (known !== undefined) return decodePlainData(known, where) as T
  const text = encodePlainData(await make())
  if (!signal.aborted) await directory.writeText(file, text)
  // as it will be read if the run goes on from here
  return decodePlainData(text, where) as T
}
