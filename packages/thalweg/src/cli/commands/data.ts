import type { Command } from 'commander'
import { print, printJson } from '../command-context.ts'
import type { CommonOptions } from '../command-context.ts'

interface DataOptions extends CommonOptions {
  readonly input?: string[]
  readonly target?: string
  readonly task?: 'classification' | 'regression'
}

/** `thalweg data …`: what is in a data set. */
export function addDataCommands(root: Command): void {
  const data = root.command('data').description('inspect data sets')
  data
    .command('info')
    .description('samples, shapes, classes and digest of a file or built-in data set')
    .argument('<data>', 'file, or a name such as digits or two-spirals:samples=100')
    .option('--input <name=key...>', 'which array feeds which model input')
    .option('--target <key>', 'array or column of the targets')
    .option('--task <task>', 'classification or regression')
    .option('--json', 'print one JSON document')
    .action(async (source: string, options: DataOptions) => {
      const { describeDataset } = await import('../../formats/describe-dataset.ts')
      const { loadData } = await import('../../formats/load-data.ts')
      const { packageVersion } = await import('../../runs/manifest.ts')
      const { input, target, task } = options
      const description = describeDataset(await loadData(source, { input, target, task }))
      if (options.json)
        printJson({
          command: 'data info',
          version: packageVersion(),
          data: { path: source, ...description.data },
          warnings: [],
        })
      else print(options, ...description.lines)
    })
  data
    .command('list')
    .description('the built-in data sets')
    .option('--json', 'print one JSON document')
    .action(async (options: CommonOptions) => {
      const { builtinDatasets } = await import('@thalweg/landscape')
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'data list', version: packageVersion(), datasets: builtinDatasets, warnings: [] })
      } else
        for (const [name, { description }] of Object.entries(builtinDatasets))
          print(options, `${name.padEnd(20)} ${description}`)
    })
}
