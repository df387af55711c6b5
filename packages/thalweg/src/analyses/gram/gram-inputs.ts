import { DomainError, numbersOf, sizeOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { makeDataset } from '@thalweg/landscape'
import type { Dataset } from '@thalweg/landscape'
import { loadData } from '../../formats/load-data.ts'
import { parseInputs } from '../../formats/named-inputs.ts'
import { decodeNpy } from '../../formats/npy.ts'
import { openNpz } from '../../formats/npz.ts'
import { readSource } from '../../formats/source.ts'

export interface GramDataArgument {
  readonly data?: readonly string[]
  readonly input?: readonly string[]
  readonly target?: string
  readonly task?: 'classification' | 'regression'
}

/** The data of kernels, which need no targets: an `.npz` without `y`, or one `.npy`, will do; everything else as for the
 * other commands.
 * @throws {DomainError} if there is no --data, or it cannot be read so. */
export async function loadKernelData({ data, input, target, task }: GramDataArgument): Promise<Dataset> {
  if (!data) throw new DomainError('gram: kernels need inputs. Pass --data FILE, or the name of a built-in set.')
  if (data.length === 1 && target === undefined) {
    const bare = await inputsOnly(data[0], input)
    if (bare) return bare
  }
  return loadData(data.length === 1 ? data[0] : data, { input, target, task })
}

async function inputsOnly(file: string, input: readonly string[] | undefined): Promise<Dataset | undefined> {
  if (/\.npy$/i.test(file)) return withoutTargets(decodeNpy(await readSource({ file }), { file }), file)
  if (!/\.npz$/i.test(file)) return undefined
  const arrays = openNpz(await readSource({ file }), { file })
  const key = input?.length === 1 ? parseInputs(input)[0].key : 'x'
  if (arrays.names.includes('y') || !arrays.names.includes(key)) return undefined
  return withoutTargets(arrays.read(key), file)
}

function withoutTargets(x: Tensor, file: string): Dataset {
  if (x.shape.length < 2 || sizeOf(x.shape) === 0)
    throw new DomainError(`${file}: inputs must be [n × features] and not empty, got [${x.shape}].`)
  const n = x.shape[0]
  return makeDataset({
    name: file,
    inputs: { x: tensor('float64', x.shape, numbersOf(x)) },
    targets: tensor('float64', [n, 1], new Float64Array(n)),
    task: 'regression',
    origin: file,
  })
}
