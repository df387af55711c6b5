import { describeDataset } from '../formats/describe-dataset.ts'
import { loadData } from '../formats/load-data.ts'
import { openAnyModel } from '../experiment/open-any-model.ts'
import { describeModel } from '../models/describe-model.ts'

export interface InspectArgument {
  readonly kind: 'model' | 'data'
  readonly path: string
}

/** What a file is, as `thalweg model info` and `thalweg data info` tell it. */
export async function inspectJob({ kind, path }: InspectArgument): Promise<object> {
  if (kind === 'data') return describeDataset(await loadData(path, {})).data
  const description = describeModel(await openAnyModel(path, {}), {})
  return { ...description.data, notes: description.notes }
}
