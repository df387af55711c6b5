import { readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { FormatError } from '@thalweg/graph'
import { modelFromSpec, randomStream, sampleCount, split, standardize, subset } from '@thalweg/landscape'
import type { Dataset, Model } from '@thalweg/landscape'
import { loadData } from '../formats/load-data.ts'
import { openModelFile } from '../models/open-model-file.ts'
import { parseExperiment } from './read-experiment.ts'
import type { DataSpec, Experiment } from './schema.ts'

/** Reads and checks an experiment file.
 * @throws {FormatError} as file:line:column. */
export async function readExperiment(file: string): Promise<Experiment> {
  const info = await stat(file).catch(() => undefined)
  if (!info?.isFile()) throw new FormatError(`${file}: there is no such file. Check the path.`)
  return parseExperiment(await readFile(file, 'utf8'), file)
}

/** Training data, and held-out data where the experiment asks for some. */
export interface ExperimentData {
  readonly train: Dataset
  readonly test?: Dataset
}

/** Paths in an experiment are relative to its file. */
function beside(file: string, path: string): string {
  return isAbsolute(path) ? path : resolve(dirname(file), path)
}

export async function loadExperimentData(spec: DataSpec, file: string, seed: number): Promise<ExperimentData> {
  const { input, target, task } = spec
  const source = spec.name ?? (typeof spec.file === 'string' ? [spec.file] : spec.file!).map((p) => beside(file, p))
  const all = await loadData(source, { input, target, task })
  const used =
    spec.limit !== undefined && spec.limit < sampleCount(all)
      ? subset(all, drawn(sampleCount(all), spec.limit, seed))
      : all
  const parts: ExperimentData = spec.test > 0 ? split(used, 1 - spec.test, { seed }) : { train: used }
  if (!spec.standardize) return parts
  return Object.keys(used.inputs).reduce<ExperimentData>(
    (d, name) => standardize(d.train, d.test, { input: name }),
    parts,
  )
}

/** `count` of n positions, in ascending order. */
function drawn(n: number, count: number, seed: number): Uint32Array {
  return randomStream(seed, 'data limit').permutation(n).slice(0, count).sort()
}

/** @param loss  name of the loss that reads the output; a softmax that it contains is then not counted twice. */
export function loadExperimentModel(spec: Experiment['model'], file: string, data: Dataset, loss?: string): Model {
  if (spec.kind !== 'onnx') return modelFromSpec(spec)
  return openModelFile(beside(file, spec.file), { loss }, data).model
}
