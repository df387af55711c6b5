import { cpus, totalmem } from 'node:os'
import { resolve } from 'node:path'
import type { Engine } from '@thalweg/engine'
import { parameterCount, sampleCount } from '@thalweg/landscape'
import type { Dataset, Model } from '@thalweg/landscape'
import type { ExperimentData } from '../experiment/load-experiment.ts'
import type { Experiment } from '../experiment/schema.ts'
import { packageVersion } from '../files/package-file.ts'

export interface ManifestFields {
  readonly experiment: Experiment
  readonly file: string
  readonly model: Model
  readonly data: ExperimentData
  readonly engine: Engine
  readonly status: string
}

export { packageVersion }

function describeData({ name, origin, task, digest }: Dataset, samples: number): object {
  return { name, origin, task, samples, digest }
}

/** What a run needs to be understood and repeated. */
export function manifestOf({ experiment, file, model, data, engine, status }: ManifestFields): object {
  return {
    format: 1,
    status,
    versions: { thalweg: packageVersion(), node: process.versions.node },
    engine: engine.fingerprint,
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, memoryBytes: totalmem() },
    file: resolve(file),
    seed: experiment.seed,
    experiment,
    model: { name: model.name, parameters: parameterCount(model) },
    data: {
      train: describeData(data.train, sampleCount(data.train)),
      ...(data.test && { test: describeData(data.test, sampleCount(data.test)) }),
    },
  }
}
