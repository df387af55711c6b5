import { readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { DomainError, FormatError } from '@thalweg/graph'
import { modelFromSpec, randomStream, sampleCount, split, standardize, subset } from '@thalweg/landscape'
import type { Dataset, LossName, Model } from '@thalweg/landscape'
import { loadData } from '../formats/load-data.ts'
import { openModelFile } from '../models/open-model-file.ts'
import { openModelWithData } from '../models/open-model-with-data.ts'
import type { ModelSource } from '../subject/portable-loss.ts'
import { parseExperiment } from './read-experiment.ts'
import type { Experiment } from './schema.ts'

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

/** The data of an experiment; those of a model file are matched to its inputs and read as its loss reads them. */
export async function loadExperimentData(experiment: Experiment, file: string): Promise<ExperimentData> {
  const { data: spec, seed } = experiment
  const all = await wholeData(experiment, file)
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

async function wholeData({ data: spec, model, loss }: Experiment, file: string): Promise<Dataset> {
  const { input, target, task, sampleWeights } = spec
  const source = spec.name ?? (typeof spec.file === 'string' ? [spec.file] : spec.file!).map((p) => beside(file, p))
  if (model.kind !== 'onnx') {
    if (sampleWeights !== undefined)
      throw new DomainError(`${file}: data.sampleWeights is read with a model of kind onnx only. Leave it out.`)
    return loadData(source, { input, target, task })
  }
  const { output, train, freeze } = model
  const choice = { output, train, freeze, input, target, task, sampleWeights, loss: loss.name }
  return (await openModelWithData(beside(file, model.file), source, choice)).dataset
}

/** `count` of n positions, in ascending order. */
function drawn(n: number, count: number, seed: number): Uint32Array {
  return randomStream(seed, 'data limit').permutation(n).slice(0, count).sort()
}

/** From which another process can make the model of an experiment. */
export function experimentModelSource(spec: Experiment['model'], file: string, loss: LossName): ModelSource {
  if (spec.kind !== 'onnx') return { kind: 'spec', spec }
  const { output, train, freeze } = spec
  return { kind: 'onnx', path: beside(file, spec.file), choice: { output, train, freeze, loss } }
}

/** @param loss  name of the loss that reads the output; a softmax that it contains is then not counted twice. */
export function loadExperimentModel(spec: Experiment['model'], file: string, data: Dataset, loss?: string): Model {
  if (spec.kind !== 'onnx') return modelFromSpec(spec)
  const { output, train, freeze } = spec
  return openModelFile(beside(file, spec.file), { output, train, freeze, loss }, data).model
}
