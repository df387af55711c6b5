import { Command, CommanderError } from 'commander'
import { addConnectCommand } from './commands/connect.ts'
import { addEliminateCommand } from './commands/eliminate.ts'
import { addGramCommand } from './commands/gram.ts'
import { addSurfaceCommand } from './commands/surface.ts'
import { addCriticalCommand } from './commands/critical.ts'
import { addDataCommands } from './commands/data.ts'
import { addDiagnoseCommand } from './commands/diagnose.ts'
import { addLabCommand } from './commands/lab.ts'
import { addLinearCommand } from './commands/linear.ts'
import { addModelCommands } from './commands/model.ts'
import { addReportCommand } from './commands/report.ts'
import { addReproduceCommand } from './commands/reproduce.ts'
import { addRunCommand } from './commands/run.ts'
import { addRunsCommand } from './commands/runs.ts'
import { addSpectrumCommand } from './commands/spectrum.ts'
import { addWorkerCommand } from './commands/worker.ts'
import { errorText, exitStatusOf } from './errors.ts'
import { packageVersion } from '../files/package-file.ts'

/** The command line. Commands load what they compute with when they run, so that `--help` stays fast. */
function program(): Command {
  const root = new Command('thalweg')
    .description('A loss-landscape laboratory: where did training stop, and with what evidence.')
    .version(packageVersion(), '--version')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'thalweg: ')) })
  addRunCommand(root)
  addDiagnoseCommand(root)
  addSpectrumCommand(root)
  addCriticalCommand(root)
  addLinearCommand(root)
  addConnectCommand(root)
  addEliminateCommand(root)
  addGramCommand(root)
  addSurfaceCommand(root)
  addReproduceCommand(root)
  addReportCommand(root)
  addLabCommand(root)
  addModelCommands(root)
  addDataCommands(root)
  addRunsCommand(root)
  addWorkerCommand(root)
  return root
}

/** A reader that has seen enough, such as `head`, closes the pipe: that is not an error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

async function main(): Promise<void> {
  try {
    await program().parseAsync(process.argv)
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2
      return
    }
    process.stderr.write(`${errorText(error)}\n`)
    process.exitCode ||= exitStatusOf(error)
  }
}

await main()
