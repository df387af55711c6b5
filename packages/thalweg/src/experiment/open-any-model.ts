import { extname } from 'node:path'
import { FormatError } from '@thalweg/graph'
import type { Dataset } from '@thalweg/landscape'
import { openModelFile } from '../models/open-model-file.ts'
import type { ModelChoice, OpenedModel } from '../models/open-model-file.ts'
import { loadExperimentData, loadExperimentModel, readExperiment } from './load-experiment.ts'

/** A model from an `.onnx` file, or the one that an experiment describes.
 * @throws {FormatError} for anything else. */
export async function openAnyModel(source: string, choice: ModelChoice = {}, data?: Dataset): Promise<OpenedModel> {
  const extension = extname(source).toLowerCase()
  if (extension === '.onnx') return openModelFile(source, choice, data)
  if (extension === '.pt' || extension === '.pth' || extension === '.bin' || extension === '.ckpt')
    throw new FormatError(
      `${source}: weights alone are no model. Export it with torch.onnx.export to an .onnx file; docs/guide-your-model.md shows how.`,
    )
  if (extension === '.h5' || extension === '.keras' || extension === '.pb')
    throw new FormatError(
      `${source}: Keras and TensorFlow files are not read. Convert it with tf2onnx to an .onnx file; docs/guide-your-model.md shows how.`,
    )
  if (extension !== '.yaml' && extension !== '.yml')
    throw new FormatError(`${source}: a model is an .onnx file or an experiment (.yaml). Check the path.`)
  const experiment = await readExperiment(source)
  const { train } = await loadExperimentData(experiment, source)
  return { model: loadExperimentModel(experiment.model, source, train, experiment.loss.name) }
}
