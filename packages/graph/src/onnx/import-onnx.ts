import { FormatError, ShapeError, ThalwegError } from '../core/errors.ts'
import { constant, type Expr, input } from '../core/expr.ts'
import { sameShape } from '../core/shape.ts'
import { castTensor, type FloatDType, isFloat, sizeOf, type Shape, type Tensor } from '../core/tensor.ts'
import { topologicalOrder } from '../core/traversal.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { nodeLabel, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxValue } from './model.ts'
import { type CallContext, OperatorCall } from './operator-call.ts'
import { importerOf } from './operators/table.ts'

export interface OnnxBindings {
  /** For each input of the model its static shape, which makes a graph input of that name, or an expression of its own
   * (a constant where a shape hangs on its values). */
  readonly inputs: Readonly<Record<string, Expr | Shape>>
  /** Initializers that are expressions: the parameters. The others become constants. */
  readonly parameters?: Readonly<Record<string, Expr>>
  /** The dtype that all floats of the model take. */
  readonly dtype: FloatDType
  /** Batch normalization takes mean and (biased) variance of the batch at hand, as PyTorch does in training mode; the
   * outputs of one sample then depend on all. Default: the statistics in the file. */
  readonly batchStatistics?: boolean
}

export interface ImportedModel {
  readonly outputs: Readonly<Record<string, Expr>>
  /** The expressions that stand for the model's inputs. */
  readonly inputs: Readonly<Record<string, Expr>>
  /** What the names of dynamic axes stand for. */
  readonly dimensions: ReadonlyMap<string, number>
  readonly notes: readonly string[]
}

/** Expressions for the outputs of a model, all shapes static.
 *
 * Composite operators become primitives; whatever depends only on shapes and constants is computed while importing, so that
 * shape arithmetic leaves no trace. Errors of any kind name the node they come from.
 * @throws {UnsupportedError} for operators, modes and data-dependent shapes that are not handled;
 *         {ShapeError} if inputs do not fit; {FormatError} if nodes contradict their operators' definition.
 * Cost: linear in nodes, plus the constant parts computed by the reference interpreter. */
export function importOnnx(model: OnnxModel, bindings: OnnxBindings): ImportedModel {
  const notes = new Set(model.notes)
  const values = new Map<string, Expr>()
  const { inputs, dimensions } = bindInputs(model, bindings)
  for (const [name, value] of Object.entries(inputs)) values.set(name, value)
  requireKnownParameters(model, bindings)
  importGraph(model, values, { bindings, notes, elementsLeft: elementsMax })
  const outputs = Object.fromEntries(model.outputs.map(({ name }) => [name, values.get(name) as Expr]))
  return { outputs, inputs, dimensions, notes: [...notes] }
}

function bindInputs(model: OnnxModel, bindings: OnnxBindings): Pick<ImportedModel, 'inputs' | 'dimensions'> {
  const dimensions = new Map<string, number>()
  const known = model.inputs.map(({ name }) => name)
  for (const name of Object.keys(bindings.inputs))
    if (!known.includes(name))
      throw new ShapeError(
        `importOnnx: the model has no input '${name}'. Its inputs are: ${known.join(', ') || 'none'}.`,
      )
  const inputs = Object.fromEntries(
    model.inputs.map((value) => {
      const given = bindings.inputs[value.name]
      if (given === undefined)
        throw new ShapeError(`importOnnx: the input '${value.name}' has no shape, it is ${describe(value)}. Give one.`)
      const bound = bindInput(value, given, bindings.dtype)
      matchDimensions(value, bound.shape, dimensions)
      return [value.name, bound]
    }),
  )
  return { inputs, dimensions }
}

function describe(value: OnnxValue): string {
  return `${value.elementType}[${value.shape?.join(', ') ?? '…'}]`
}

function bindInput(value: OnnxValue, given: Expr | Shape, dtype: FloatDType): Expr {
  const own = isFloat(value.dtype) ? dtype : value.dtype
  if (!('op' in given)) return input(value.name, own, given)
  if (given.dtype !== own)
    throw new ShapeError(`importOnnx: the input '${value.name}' must be ${own}, got ${given.dtype}. Cast it.`)
  return given
}

function matchDimensions(value: OnnxValue, shape: Shape, dimensions: Map<string, number>): void {
  if (value.shape === undefined) return
  const wrong = (reason: string): ShapeError =>
    new ShapeError(`importOnnx: the input '${value.name}' is ${describe(value)}, got [${shape}]: ${reason}.`)
  if (value.shape.length !== shape.length) throw wrong('the ranks differ')
  value.shape.forEach((d, i) => {
    if (typeof d === 'number' && d !== shape[i])
      throw wrong(`axis ${i} is fixed in the file. Export with a dynamic axis or use ${d}`)
    if (typeof d === 'number' || d === '?') return
    const known = dimensions.get(d)
    if (known !== undefined && known !== shape[i]) throw wrong(`the axis '${d}' is ${known} elsewhere`)
    dimensions.set(d, shape[i])
  })
}

function requireKnownParameters(model: OnnxModel, { parameters = {}, dtype }: OnnxBindings): void {
  for (const [name, value] of Object.entries(parameters)) {
    const own = model.initializers.get(name)
    if (own === undefined)
      throw new ShapeError(
        `importOnnx: the model has no initializer '${name}' that could be a parameter. See the list of its parameters.`,
      )
    if (!sameShape(own.tensor.shape, value.shape) || value.dtype !== dtype)
      throw new ShapeError(
        `importOnnx: the parameter '${name}' must be ${dtype}[${own.tensor.shape}], got ${value.dtype}[${value.shape}].`,
      )
  }
}

/** What one import shares among all nodes. */
interface ImportRun {
  readonly bindings: OnnxBindings
  readonly notes: Set<string>
  /** Elements that may still be created or computed while importing. */
  elementsLeft: number
}

/** Elements that all constants made while importing may have together: a bound against absurd sizes in hostile files. */
const elementsMax = 2 ** 28

function reserve(run: ImportRun, elements: number): void {
  run.elementsLeft -= elements
  // The comparison also refuses NaN, which sizes beyond all numbers become.
  if (!(run.elementsLeft >= 0))
    throw new FormatError(
      `importOnnx: constants must have at most 2^28 elements in all, this one would have ${elements}. The file may be hostile.`,
    )
}

/** Imports the nodes of a graph into `values`, which already holds what is visible from outside. */
function importGraph(graph: OnnxGraph, values: Map<string, Expr>, run: ImportRun): void {
  const { parameters, dtype, batchStatistics = false } = run.bindings
  for (const [name, { tensor }] of graph.initializers)
    values.set(name, parameters?.[name] ?? constant(plainTensor(tensor, dtype)))
  const context: CallContext = {
    dtype,
    batchStatistics,
    valueOf,
    note: (text) => run.notes.add(text),
    reserve: (elements) => reserve(run, elements),
    importBranch: (branch) => {
      const inner = new Map(values)
      importGraph(branch, inner, run)
      return branch.outputs.map(({ name }) => inner.get(name) as Expr)
    },
  }
  for (const node of graph.nodes) {
    const operands = node.inputs.map((name) => (name === '' ? undefined : values.get(name)))
    importNode(node, operands, context).forEach((result, i) => {
      const name = node.outputs[i] ?? ''
      if (name !== '' && result !== undefined) values.set(name, result)
    })
    const missing = node.outputs.find((name) => name !== '' && !values.has(name))
    if (missing !== undefined)
      throw new FormatError(`${nodeLabel(node)}: it does not compute an output '${missing}'. The file is damaged.`)
  }
}

function importNode(
  node: OnnxNode,
  operands: readonly (Expr | undefined)[],
  context: CallContext,
): (Expr | undefined)[] {
  const importer = importerOf(node)
  const call = new OperatorCall(node, operands, context)
  try {
    const result = importer(call)
    call.requireAllRead()
    return ('op' in result ? [result] : [...result]).map((value) => value && folded(value, context))
  } catch (cause) {
    throw atNode(node, cause)
  }
}

/** The error with the node's name in front, if it does not carry it yet: builders know operators, not nodes. */
function atNode(node: OnnxNode, cause: unknown): unknown {
  const label = nodeLabel(node)
  if (!(cause instanceof ThalwegError)) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) return cause
    return new FormatError(
      `${label}: its operands do not fit the operator (${cause.message}). The file is damaged.`,
      {},
      cause,
    )
  }
  if (cause.message.includes(label)) return cause
  const Kind = cause.constructor as new (message: string, details: object, cause: unknown) => ThalwegError
  return new Kind(`${label}: ${cause.message}`, cause.details, cause)
}

/** Integers up to 2^53; the largest int64, which stands for "to the end", becomes the largest safe integer. */
function plainTensor(tensor: Tensor, dtype: FloatDType): Tensor {
  if (isFloat(tensor.dtype)) return castTensor(tensor, dtype)
  if (tensor.dtype !== 'int64') return tensor
  const data = tensor.data as BigInt64Array
  const limit = BigInt(Number.MAX_SAFE_INTEGER)
  if (!data.some((v) => v > limit || v < -limit)) return tensor
  return { ...tensor, data: data.map((v) => (v > limit ? limit : v < -limit ? -limit : v)) }
}

/** Elements of a float constant that is worth computing while importing; larger ones are the engine's to fold. */
const floatsFolded = 4096
/** Work bound of folding, elements over all intermediate results. */
const elementsFolded = 2 ** 24

/** A result that hangs on no input, computed: always for integers and bools (shapes come from them), floats if small. */
function folded(x: Expr, context: CallContext): Expr {
  if (x.op === 'Constant' || x.op === 'Input') return x
  if (isFloat(x.dtype) && sizeOf(x.shape) > floatsFolded) return x
  const value = valueOf(x)
  if (value === undefined) return x
  context.reserve(sizeOf(x.shape))
  return constant(value)
}

function valueOf(x: Expr): Tensor | undefined {
  if (x.op === 'Constant') return x.attributes.value
  if (!isInputFree(x)) return undefined
  const work = topologicalOrder([x]).reduce((sum, node) => sum + sizeOf(node.shape), 0)
  return work <= elementsFolded ? evaluate([x])[0] : undefined
}

/** Known answers of `isInputFree`; expressions are immutable, so they stay true. */
const inputFree = new WeakMap<Expr, boolean>()

/** Whether no input is below an expression. Operands are imported before their users, so their answers are known mostly. */
function isInputFree(x: Expr): boolean {
  if (x.op === 'Input') return false
  if (x.op === 'Constant') return true
  if (inputFree.has(x)) return inputFree.get(x) === true
  const pending: Expr[] = [x]
  while (pending.length > 0) {
    const node = pending[pending.length - 1]
    const unknown = node.inputs.filter(
      (operand) => operand.op !== 'Input' && operand.op !== 'Constant' && !inputFree.has(operand),
    )
    if (unknown.length > 0) pending.push(...unknown)
    else {
      inputFree.set(
        node,
        node.inputs.every((operand) => operand.op === 'Constant' || inputFree.get(operand) === true),
      )
      pending.pop()
    }
  }
  return inputFree.get(x) === true
}
