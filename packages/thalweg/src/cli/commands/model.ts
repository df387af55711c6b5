import type { Command } from 'commander'
import { print, printJson } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'
import { wholeNumber } from '../parse-number.ts'

/** `thalweg model …`: what is in a model. */
export function addModelCommands(root: Command): void {
  const model = root.command('model').description('inspect and export models')
  model
    .command('info')
    .description('inputs, outputs, parameters and operators of a model')
    .argument('<model>', '.onnx file or experiment')
    .option('--json', 'print one JSON document')
    .action(async (source: string, options: CommonOptions) => {
      const { describeModel, openAnyModel } = await import('../../experiment/describe-model.ts')
      const { packageVersion } = await import('../../runs/manifest.ts')
      const description = describeModel(await openAnyModel(source))
      if (options.json) printJson({ command: 'model info', version: packageVersion(), model: { path: source, ...description.data }, warnings: description.notes })
      else print(options, ...description.lines)
    })
  model
    .command('export')
    .description('write a model, or a derivative of its loss, as an ONNX file')
    .argument('<model>', '.onnx file or experiment')
    .requiredOption('--out <file>', '.onnx file to write')
    .option('--batch <n>', 'samples per run', wholeNumber('--batch', 1), 1)
    .option('--dtype <dtype>', 'float64 or float32', 'float64')
    .action(async (source: string, options: { out: string; batch: number; dtype: 'float64' | 'float32' }) => {
      const { exportModel } = await import('../../experiment/export-model.ts')
      await exportModel({ source, ...options })
      print({}, `wrote ${options.out}`)
    })
}
