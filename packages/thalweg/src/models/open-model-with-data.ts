import { DomainError } from '@thalweg/graph'
import { selectOutput } from '@thalweg/landscape'
import type { Dataset, LossName } from '@thalweg/landscape'
import { readOnnxFile } from '../formats/onnx-file.ts'
import { loadModelData } from './load-model-data.ts'
import type { ModelDataChoice } from './load-model-data.ts'
import { atFile, modelOfFile } from './open-model-file.ts'
import type { ModelChoice, OpenedModel } from './open-model-file.ts'

/** A model file and its data, matched to each other and to the loss that joins them.
 * @throws what `modelOfFile` and `loadModelData` throw. */
export async function openModelWithData(
  path: string,
  source: string | readonly string[],
  choice: Omit<ModelChoice, 'loss'> & ModelDataChoice & { readonly loss: LossName },
): Promise<OpenedModel & { readonly dataset: Dataset }> {
  const whole = readOnnxFile(path)
  const { model: file } = atFile(path, () => selectOutput(whole, choice))
  const { input, target, sampleWeights, task } = choice
  const dataset = await loadModelData(file, source, { input, target, sampleWeights, task }, choice.loss)
  const opened = modelOfFile(whole, path, choice, dataset)
  if (opened.model.parameters.length === 0)
    throw new DomainError(
      `${path}: no parameters are left, so the loss is a constant. See 'thalweg model info', --train and --freeze.`,
    )
  return { ...opened, dataset }
}
