import { DomainError, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { activationConstants, dualActivation, eigenvalueAdvice, scaledArchitecture } from '@thalweg/landscape'
import type { Matrix, Model, NearPair, SmallestEigenvalue } from '@thalweg/landscape'
import { writeFileAtomic } from '../../files/write-atomic.ts'
import { encodeNpz } from '../../formats/npz.ts'

/** Matrices with more rows than this go to a file, not into the document. */
export const inlineRowsMax = 512

/** @throws {DomainError} if the limit of the model is not known. */
export function requireScaledModel(model: Model): NonNullable<ReturnType<typeof scaledArchitecture>> {
  const scaled = scaledArchitecture(model)
  if (!scaled)
    throw new DomainError(
      `gram: the limit is known for scaled-mlp, residual-mlp and conv-resnet, got ${model.name}. Leave out --infinite, or describe a network by --architecture and --depth with --data.`,
    )
  return scaled
}

export function constantsOf(activation: string, cRes: number | null): object {
  const { cSigma, chi } = activationConstants(dualActivation(activation))
  return { cSigma, cRes, chi }
}

export interface EigenvalueJson {
  readonly lambdaMin: { readonly value: number; readonly bound: number; readonly method: string }
  readonly nearlyParallel: readonly NearPair[]
  readonly advice: readonly string[]
}

export function eigenvalueJson(
  lambda: SmallestEigenvalue,
  pairs: readonly NearPair[],
  activation?: string,
): EigenvalueJson {
  // odd and even activations cannot tell x from −x in the limit; ReLU and its kin can
  const kinked = activation !== undefined && dualActivation(activation).kink > 0
  return {
    lambdaMin: { value: lambda.value, bound: lambda.bound, method: lambda.method },
    nearlyParallel: pairs,
    advice: eigenvalueAdvice(lambda, pairs, kinked),
  }
}

/** The matrices of the document: inline up to 512 rows, in the file of --out in any case. */
export async function matrices(
  out: string | undefined,
  gram: Matrix,
  layers: readonly Matrix[],
  more: Readonly<Record<string, Matrix>>,
): Promise<{ kernels: object; warnings: string[] }> {
  if (out !== undefined) {
    if (!/\.npz$/i.test(out)) throw new DomainError(`--out: must be an .npz file, got ${out}.`)
    const named = Object.fromEntries(layers.map((layer, h) => [`layer_${h}`, asTensor(layer)]))
    const others = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, asTensor(value)]))
    await writeFileAtomic(out, encodeNpz({ gram: asTensor(gram), ...named, ...others }))
  }
  const inline = gram.rows <= inlineRowsMax
  const file = out === undefined ? {} : { file: out }
  if (!inline)
    return {
      kernels: { gram: null, layers: null, ...file },
      warnings:
        out === undefined
          ? [`Matrices of more than ${inlineRowsMax} rows are not printed. Pass --out FILE.npz to keep them.`]
          : [],
    }
  const rest = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, rowsOf(value)]))
  return { kernels: { gram: rowsOf(gram), layers: layers.map(rowsOf), ...rest, ...file }, warnings: [] }
}

function asTensor({ rows, cols, data }: Matrix): Tensor {
  return tensor('float64', [rows, cols], data)
}

function rowsOf({ rows, cols, data }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * cols, (i + 1) * cols)))
}
