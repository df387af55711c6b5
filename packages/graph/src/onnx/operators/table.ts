import { UnsupportedError } from '../../core/errors.ts'
import type { Expr } from '../../core/expr.ts'
import { nodeLabel, type OnnxNode } from '../model.ts'
import type { OperatorCall, OperatorFamily, OperatorImporter } from '../operator-call.ts'
import { activation } from './activation.ts'
import { contraction } from './contraction.ts'
import { convolutions } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { losses } from './loss.ts'
import { normalization } from './normalization.ts'
import { pooling } from './pooling.ts'
import { recurrent } from './recurrent.ts'
import { reduction } from './reduction.ts'
import { resizing } from './resize.ts'
import { shape } from './shape.ts'
import { structure } from './structure.ts'

/** The branch that a known condition selects. */
function conditional(call: OperatorCall): Expr[] {
  const branch = call.number(0, 'the condition of If') !== 0 ? 'then_branch' : 'else_branch'
  call.ignore('then_branch', 'else_branch')
  return call.context.importBranch(call.graph(branch))
}

const families: readonly OperatorFamily[] = [
  elementwise,
  activation,
  reduction,
  structure,
  shape,
  indexing,
  contraction,
  convolutions,
  pooling,
  normalization,
  resizing,
  recurrent,
  losses,
  { If: conditional },
]

/** Every ONNX operator that can be imported. */
const importers: ReadonlyMap<string, OperatorImporter> = new Map(families.flatMap((family) => Object.entries(family)))

const random: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
])

/** The importer of a node's operator.
 * @throws {UnsupportedError} that names operator, node and what to do. */
export function importerOf(node: OnnxNode): OperatorImporter {
  const importer = importers.get(node.op)
  if (importer !== undefined) return importer
  if (random.has(node.op))
    throw new UnsupportedError(
      `${nodeLabel(node)}: ${node.op} draws random numbers, a loss must not. Export the model in evaluation mode (model.eval()).`,
    )
  throw new UnsupportedError(
    `${nodeLabel(node)}: the operator ${node.op} (operator set ${node.opset}) is not handled. Replace it in the model by basic operators, or leave that part out of the exported model.`,
  )
}
