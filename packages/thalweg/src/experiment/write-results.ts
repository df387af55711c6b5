import { diagnosisJson } from '../analyses/diagnose/diagnosis-document.ts'
import { packageVersion } from '../files/package-file.ts'
import { encodeParquet } from '../formats/parquet-table.ts'
import { float64Tensor } from '../runs/run-directory.ts'
import type { RunDirectory } from '../runs/run-directory.ts'
import { analysisNames, documentOf } from './analysis-results.ts'
import { resultTables } from './result-tables.ts'
import type { RunResults } from './run-results.ts'

/** Writes `results`: documents as JSON, arrays as NPZ, tables as Parquet. */
export async function writeResults(directory: RunDirectory, results: RunResults): Promise<void> {
  const { experiment, training, end, diagnosis, plane, analyses } = results
  if (training) {
    const { status, message, steps, history } = training
    await directory.writeJson('results/training.json', { status, message, steps, history })
    await directory.writeArrays('results/training.npz', {
      losses: float64Tensor([training.losses.length], training.losses),
    })
  }
  await directory.writeJson('results/end.json', end)
  if (diagnosis) await directory.writeJson('results/diagnosis.json', diagnosisJson(diagnosis, 'en'))
  if (plane)
    await directory.writeArrays('results/surface.npz', {
      x: float64Tensor([plane.x.length], plane.x),
      y: float64Tensor([plane.y.length], plane.y),
      loss: float64Tensor([plane.y.length, plane.x.length], plane.values),
    })
  for (const name of analysisNames) {
    const examined = analyses[name]
    if (!examined) continue
    const head = { command: name, version: packageVersion() }
    const body = documentOf<object>(examined) ?? { status: 'refused', ...examined, words: undefined }
    await directory.writeJson(`results/${name}.json`, { ...head, ...body, seed: experiment.seed })
  }
  for (const [name, columns] of Object.entries(resultTables(results)))
    await directory.writeBytes(`results/${name}.parquet`, await encodeParquet(columns))
}
