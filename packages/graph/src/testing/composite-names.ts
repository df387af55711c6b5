import type * as activation from '../build/activation.ts'
import type * as contraction from '../build/contraction.ts'
import type * as indexing from '../build/indexing.ts'
import type * as normalization from '../build/normalization.ts'
import type * as reduction from '../build/reduction.ts'
import type * as structure from '../build/structure.ts'

/** Builders that make one operator of the table, or no operation at all. */
type Elementary =
  | 'argMax'
  | 'concat'
  | 'conv'
  | 'convGeometry'
  | 'convInputGradient'
  | 'convWeightGradient'
  | 'cumSum'
  | 'expand'
  | 'gather'
  | 'gatherElements'
  | 'int64'
  | 'logSoftmax'
  | 'maxPool'
  | 'pad'
  | 'reduceLogSumExp'
  | 'reduceMax'
  | 'reduceMin'
  | 'reduceSum'
  | 'reshape'
  | 'scatterAdd'
  | 'scatterElementsAdd'
  | 'slice'
  | 'softmax'
  | 'transpose'

type Builders<M> = Exclude<keyof M, Elementary>

export type ActivationName = Builders<typeof activation>
export type LayerName = Builders<typeof contraction> | Builders<typeof normalization>
export type AssemblyName = Builders<typeof indexing> | Builders<typeof reduction> | Builders<typeof structure>
export type CompositeName = ActivationName | LayerName | AssemblyName
