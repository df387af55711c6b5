import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { BatchNormMode, LossName } from '@thalweg/landscape'
import type { SubjectArgument } from '../subject/subject.ts'
import { wholeNumber } from './parse-number.ts'
import type { CommonOptions } from './command-context.ts'

/** Options that say which loss surface, and where on it. */
export interface SubjectOptions extends CommonOptions, Omit<SubjectArgument, 'model' | 'seed'> {
  readonly seed: number
  readonly threads?: number
  readonly limit?: number
}

export function realNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError(`must be a number, got ${text}.`)
  return value
}

// Written out, so that --help does not load the laboratory; the compiler checks that they are all.
const losses = {
  'cross-entropy': true,
  'negative-log-likelihood': true,
  'binary-cross-entropy': true,
  mse: true,
  'half-sum-squares': true,
  squared: true,
  hinge: true,
  huber: true,
  l1: true,
} satisfies Record<LossName, true>

/** Adds MODEL and the options that all analyses share. */
export function addSubjectOptions(command: Command): Command {
  return command
    .argument('<model>', '.onnx file, run directory, checkpoint, or experiment')
    .option('--data <source...>', 'file(s) or built-in name; default: the data of the run or experiment')
    .option('--input <name=key...>', 'which array feeds which model input')
    .option('--target <key>', 'array or column of the targets')
    .option('--sample-weights <key>', 'array with one weight per sample (.npz)')
    .option('--output <name>', 'output, or tensor inside, that the loss reads (.onnx)')
    .option('--train <pattern...>', 'initializers that are parameters although they look like constants (.onnx)')
    .option('--freeze <pattern...>', 'initializers that are constants although they look like parameters (.onnx)')
    .addOption(new Option('--task <task>', 'what targets mean').choices(['classification', 'regression']))
    .addOption(new Option('--loss <name>', 'loss the model was trained on').choices(Object.keys(losses)))
    .addOption(new Option('--reduction <how>', 'mean or sum').choices(['mean', 'sum']))
    .option('--weight-decay <v>', '½·V·‖θ‖² is added', realNumber)
    .option('--label-smoothing <s>', 'cross-entropy only', realNumber)
    .option('--power <p>', 'hinge only', realNumber)
    .option('--delta <d>', 'huber only', realNumber)
    .option('--seed <n>', 'of random choices', wholeNumber('--seed', 0), 0)
    .option('--threads <n>', 'threads of the engine', wholeNumber('--threads', 1))
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
}

// Written out for the same reason.
const batchNormModes = { kept: true, 're-estimated': true, included: true } satisfies Record<BatchNormMode, true>

/** For commands that leave the point θ of the file. */
export function addBatchNormOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--batch-norm <how>',
      'statistics: kept as in the .onnx file (default), re-estimated at each point, or parameters (default of connect)',
    ).choices(Object.keys(batchNormModes)),
  )
}

export function subjectArgument(model: string, options: SubjectOptions): SubjectArgument {
  const { data, input, target, sampleWeights, task, output, train, freeze, batchNorm, seed } = options
  const { loss, reduction, weightDecay, labelSmoothing, power, delta } = options
  const which = { data, input, target, sampleWeights, task, output, train, freeze, batchNorm }
  return { model, ...which, loss, reduction, weightDecay, labelSmoothing, power, delta, seed }
}
