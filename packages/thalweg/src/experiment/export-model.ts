import { exportOnnx, graphOf, input, simplify } from '@thalweg/graph'
import { inputDType, parameterCount, parameterRanges, parameterViews } from '@thalweg/landscape'
import { writeFileAtomic } from '../files/write-atomic.ts'
import { openAnyModel } from './describe-model.ts'

export interface ExportArgument {
  readonly source: string
  readonly out: string
  readonly batch: number
  readonly dtype: 'float32' | 'float64'
}

/** Writes the model's outputs as a function of the flat `theta` [p] and its inputs, as standard ONNX (operator set 17).
 * The file's metadata say where each parameter lies in θ. */
export async function exportModel({ source, out, batch, dtype }: ExportArgument): Promise<void> {
  const model = await openAnyModel(source)
  const theta = input('theta', dtype, [parameterCount(model)])
  const inputs = model.inputs.map((i) => input(i.name, inputDType(i, dtype), [batch, ...i.shape]))
  const outputs = model.forward(parameterViews(model, theta), inputs)
  const layout = parameterRanges(model).map(({ parameter, start, end }) => ({ name: parameter.name, shape: parameter.shape, start, end }))
  const bytes = exportOnnx(simplify(graphOf({ outputs }, [theta, ...inputs])), {
    name: model.name,
    metadata: new Map([['thalweg.theta', JSON.stringify(layout)]]),
  })
  await writeFileAtomic(out, bytes)
}
