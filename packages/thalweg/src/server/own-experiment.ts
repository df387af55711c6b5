import { builtinDatasets } from '@thalweg/landscape'
import { FormatError } from '@thalweg/graph'
import { parseExperiment } from '../experiment/read-experiment.ts'
import type { Experiment } from '../experiment/schema.ts'
import type { ExperimentCheck } from './protocol.ts'
import { Refusal } from './refusal.ts'

/** Name of experiments that came from a page, in messages and as a file. */
const experimentFile = 'experiment.yaml'

/** Built-in data by name, with parameters (`two-spirals:samples=100`): where the name is another one, a reader would take it
 * for a path.
 * @throws {Refusal} 422. */
export function requireBuiltin(name: string): string {
  if (!Object.hasOwn(builtinDatasets, name.split(':', 1)[0]))
    throw new Refusal(
      'invalid-input',
      `data: must be one of ${Object.keys(builtinDatasets).join(', ')}, got ${JSON.stringify(name.slice(0, 100))}. Upload files of your own.`,
    )
  return name
}

/** An experiment whose files are those of its upload: a page names no path of the machine.
 * @throws {FormatError} as `experiment.yaml:line:column`; {Refusal} 422. */
export function ownExperiment(yaml: string, files: readonly string[]): Experiment {
  const experiment = parseExperiment(yaml, experimentFile)
  const { data, model } = experiment
  if (data.name !== undefined) requireBuiltin(data.name)
  const named = data.file === undefined ? [] : [data.file].flat()
  if (model.kind === 'onnx') named.push(model.file)
  const foreign = named.find((file) => !files.includes(file))
  if (foreign !== undefined)
    throw new Refusal(
      'invalid-input',
      `${experimentFile}: files must be those of the upload (${files.join(', ') || 'it has none'}), got ${JSON.stringify(foreign.slice(0, 100))}. Upload it.`,
    )
  return experiment
}

/** What is wrong with an experiment, if anything, and where. */
export function checkExperiment(yaml: string, files: readonly string[]): ExperimentCheck {
  try {
    return { ok: true, name: ownExperiment(yaml, files).name, problems: [] }
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof Refusal)) throw error
    const place = /^experiment\.yaml:(\d+):(\d+): (.*)$/s.exec(error.message)
    const problem = place
      ? { line: Number(place[1]), column: Number(place[2]), message: place[3] }
      : { line: null, column: null, message: error.message.replace(/^experiment\.yaml: /, '') }
    return { ok: false, name: null, problems: [problem] }
  }
}
