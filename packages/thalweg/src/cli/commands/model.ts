import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { DerivativeName } from '@thalweg/landscape'
import { print, printJson } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { wholeNumber } from '../parse-number.ts'
import { addSubjectOptions, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

const derivatives: readonly DerivativeName[] = ['outputs', 'loss', 'gradient', 'loss+gradient', 'hvp', 'jvp']

interface InfoOptions extends CommonOptions {
  readonly output?: string
  readonly loss?: string
  readonly train?: string[]
  readonly freeze?: string[]
}

interface ExportOptions extends SubjectOptions {
  readonly what: DerivativeName
  readonly out: string
  readonly batch?: number
  readonly dtype: 'float64' | 'float32'
  readonly parameters: 'flat' | 'named'
}

/** `thalweg model …`: what is in a model, and its derivatives as files. */
export function addModelCommands(root: Command): void {
  const model = root.command('model').description('inspect and export models')
  model
    .command('info')
    .description('inputs, outputs, parameters and operators of a model')
    .argument('<model>', '.onnx file or experiment')
    .option('--output <name>', 'output, or tensor inside, that the loss reads')
    .option('--loss <name>', 'loss that will read the output: says what becomes of a final softmax')
    .option('--train <pattern...>', 'initializers that are parameters although they look like constants')
    .option('--freeze <pattern...>', 'initializers that are constants although they look like parameters')
    .option('--json', 'print one JSON document')
    .action(info)
  addSubjectOptions(
    model.command('export').description('write a model, its loss or a derivative of it as an ONNX file'),
  )
    .addOption(new Option('--what <what>', 'what the file computes').choices(derivatives).default('outputs'))
    .requiredOption('--out <file>', '.onnx file to write; the parameters go into the .npz beside it', onnxPath)
    .option('--batch <n>', 'samples per run (default: 1)', wholeNumber('--batch', 1))
    .addOption(new Option('--dtype <dtype>', 'of all floats').choices(['float64', 'float32']).default('float64'))
    .addOption(
      new Option('--parameters <how>', 'one vector theta, or one input per parameter')
        .choices(['flat', 'named'])
        .default('flat'),
    )
    .action(exportFile)
}

function onnxPath(text: string): string {
  if (!text.toLowerCase().endsWith('.onnx')) throw new InvalidArgumentError(`must end in .onnx, got ${text}.`)
  return text
}

async function info(source: string, options: InfoOptions): Promise<void> {
  const { openAnyModel } = await import('../../experiment/open-any-model.ts')
  const { describeModel } = await import('../../models/describe-model.ts')
  const { packageVersion } = await import('../../runs/manifest.ts')
  const { output, loss, train, freeze } = options
  const choice = { output, loss, train, freeze }
  const description = describeModel(await openAnyModel(source, choice), choice)
  if (options.json)
    printJson({
      command: 'model info',
      version: packageVersion(),
      model: { path: source, ...description.data },
      warnings: description.notes,
    })
  else print(options, ...description.lines)
}

async function exportFile(source: string, options: ExportOptions): Promise<void> {
  const { exportModel } = await import('../../subject/export-model.ts')
  const { packageVersion } = await import('../../runs/manifest.ts')
  const { what, out, batch, dtype, parameters } = options
  const written = await exportModel({ subject: subjectArgument(source, options), what, out, batch, dtype, parameters })
  if (options.json) {
    printJson({ command: 'model export', version: packageVersion(), model: { path: source }, what, dtype, ...written })
    return
  }
  const describe = (v: (typeof written.inputs)[number]): string =>
    `${v.name} ${v.dtype} [${v.shape.join(' × ')}]: ${v.means}`
  print(
    options,
    `wrote ${written.files.join(' and ')}`,
    ...written.inputs.map((v) => `input   ${describe(v)}`),
    ...written.outputs.map((v) => `output  ${describe(v)}`),
    ...written.warnings.map((w) => `note: ${w}`),
  )
}
