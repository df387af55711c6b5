import { Option } from 'commander'
import type { Command } from 'commander'
import type { DiagnoseArgument, DiagnoseDocument } from '../../analyses/diagnose/diagnose-job.ts'
import type { DiagnosisLinesSource } from '../../analyses/diagnose/diagnosis-document.ts'
import { duration, print, printJson, runWithProgress } from '../command-context.ts'
import { durationMs, wholeNumber } from '../parse-number.ts'
import { addSubjectOptions, realNumber, subjectArgument } from '../subject-options.ts'
import type { SubjectOptions } from '../subject-options.ts'

type DiagnoseOptions = SubjectOptions &
  Omit<DiagnoseArgument, 'subject' | 'timeLimitMs'> & { readonly timeLimit?: number }

/** `thalweg diagnose MODEL`: the verdict with its evidence. */
export function addDiagnoseCommand(root: Command): void {
  addSubjectOptions(
    root.command('diagnose').description('where did training stop? saddle, local or global minimum, with evidence'),
  )
    .option('--top <k>', 'largest eigenvalues shown', wholeNumber('--top', 1), 5)
    .option('--bottom <k>', 'smallest eigenvalues shown', wholeNumber('--bottom', 1), 5)
    .option(
      '--dense-limit <p>',
      'count all eigenvalues up to this many parameters (default 3000)',
      wholeNumber('--dense-limit', 0),
    )
    .option('--polish', 'go on to the critical point nearby (default up to the dense limit)')
    .option('--no-polish', 'judge the point as it is')
    .option('--max-products <n>', 'limit of Hessian-vector products', wholeNumber('--max-products', 1))
    .option('--learning-rate <eta>', 'step size of the training, for the edge of stability', realNumber)
    .option('--batch-size <b>', 'mini-batch of the training, for the gradient noise', wholeNumber('--batch-size', 1))
    .option('--save-escape <file>', 'write the escaped point (.safetensors)')
    .option('--save-polished <file>', 'write the critical point nearby (.safetensors)')
    .option('--report <file>', 'write a page (.html)')
    .option('--samples <n>', 'on so many samples, drawn by the seed, instead of all', wholeNumber('--samples', 1))
    .option('--time-limit <t>', '90s, 5m, 2h', durationMs('--time-limit'))
    .addOption(new Option('--lang <lang>', 'language of the sentences').choices(['en', 'zh']).default('en'))
    .action(async (model: string, options: DiagnoseOptions) => {
      const { lang, top, bottom, denseLimit, polish, maxProducts, learningRate, batchSize, threads } = options
      const { saveEscape, savePolished, report, samples } = options
      const argument: DiagnoseArgument = {
        subject: subjectArgument(model, options),
        ...{ lang, top, bottom, denseLimit, polish, maxProducts, learningRate, batchSize, threads },
        ...{ saveEscape, savePolished, report, samples, timeLimitMs: options.timeLimit },
      }
      const started = performance.now()
      const document = await runWithProgress<DiagnoseDocument>('diagnose', argument, options)
      const elapsedMs = performance.now() - started
      if (options.json) {
        const { packageVersion } = await import('../../runs/manifest.ts')
        printJson({ command: 'diagnose', version: packageVersion(), ...document, seed: options.seed, elapsedMs })
        return
      }
      const { diagnosisLines } = await import('../../analyses/diagnose/diagnosis-document.ts')
      print(options, ...diagnosisLines(document as unknown as DiagnosisLinesSource, lang))
      print(
        options,
        ...(document['warnings'] as string[]).map((w) => (lang === 'zh' ? `警告：${w}` : `warning: ${w}`)),
        `(${duration(elapsedMs)})`,
      )
    })
}
