import { ShapeError } from './errors.ts'
import type { TensorType } from './expr.ts'
import type {
  ConvGeometry,
  OperatorAttributes,
  OperatorName,
  Reduction,
  WindowGeometry,
} from './operator-attributes.ts'
import { broadcastShapes, range, sameShape } from './shape.ts'
import { isFloat, sizeOf } from './tensor.ts'
import type { DType, Shape } from './tensor.ts'

type Signature<K extends OperatorName> = (
  inputs: readonly TensorType[],
  attributes: OperatorAttributes[K],
  where: K,
) => TensorType

function show(inputs: readonly TensorType[]): string {
  return inputs.map((t) => `${t.dtype}[${t.shape}]`).join(', ')
}

function check(condition: boolean, where: string, rule: string, inputs: readonly TensorType[], cure = ''): void {
  if (!condition)
    throw new ShapeError(`${where}: ${rule}, got ${show(inputs)}.${cure && ` ${cure}`}`, {
      operator: where,
      types: inputs.map(({ dtype, shape }) => ({ dtype, shape })),
    })
}

function arity(inputs: readonly TensorType[], count: number, where: string): void {
  check(inputs.length === count, where, `takes ${count} operand${count > 1 ? 's' : ''}`, inputs)
}

function oneDType(inputs: readonly TensorType[], where: string): void {
  check(
    inputs.every((t) => t.dtype === inputs[0].dtype),
    where,
    'operands must have one dtype',
    inputs,
    'Cast one of them.',
  )
}

const unary =
  (domain: 'float' | 'numeric' | 'bool', result?: DType) =>
  (inputs: readonly TensorType[], _: unknown, where: string): TensorType => {
    arity(inputs, 1, where)
    const [x] = inputs
    check(domain !== 'float' || isFloat(x.dtype), where, 'needs a floating-point operand', inputs, 'Cast it.')
    check(domain !== 'numeric' || x.dtype !== 'bool', where, 'needs a numeric operand', inputs, 'Cast it.')
    check(domain !== 'bool' || x.dtype === 'bool', where, 'needs a bool operand', inputs)
    return { dtype: result ?? x.dtype, shape: x.shape }
  }

const binary =
  (domain: 'float' | 'numeric' | 'bool' | 'any', result?: DType) =>
  (inputs: readonly TensorType[], _: unknown, where: string): TensorType => {
    arity(inputs, 2, where)
    oneDType(inputs, where)
    const [a, b] = inputs
    check(domain !== 'float' || isFloat(a.dtype), where, 'needs floating-point operands', inputs)
    check(domain !== 'numeric' || a.dtype !== 'bool', where, 'needs numeric operands', inputs, 'Cast them.')
    check(domain !== 'bool' || a.dtype === 'bool', where, 'needs bool operands', inputs)
    return { dtype: result ?? a.dtype, shape: broadcastShapes(where, a.shape, b.shape) }
  }

function reducedShape(shape: Shape, { axes, keepDims }: Reduction): Shape {
  return keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i))
}

const reduction =
  (needsElements: boolean, floatOnly: boolean) =>
  (inputs: readonly TensorType[], attributes: Reduction, where: string): TensorType => {
    arity(inputs, 1, where)
    const [x] = inputs
    check(floatOnly ? isFloat(x.dtype) : x.dtype !== 'bool', where, 'needs a numeric operand', inputs, 'Cast it.')
    check(
      attributes.axes.every((a) => Number.isInteger(a) && a >= 0 && a < x.shape.length),
      where,
      `axes [${attributes.axes}] must be below the rank`,
      inputs,
    )
    check(
      !needsElements || attributes.axes.every((a) => x.shape[a] > 0),
      where,
      'needs at least one element along reduced axes',
      inputs,
    )
    return { dtype: x.dtype, shape: reducedShape(x.shape, attributes) }
  }

function axisInside(inputs: readonly TensorType[], axis: number, where: string): void {
  check(
    Number.isInteger(axis) && axis >= 0 && axis < inputs[0].shape.length,
    where,
    `axis ${axis} must be below the rank`,
    inputs,
  )
}

const alongAxis = (inputs: readonly TensorType[], { axis }: { axis: number }, where: string): TensorType => {
  arity(inputs, 1, where)
  check(isFloat(inputs[0].dtype), where, 'needs a floating-point operand', inputs)
  axisInside(inputs, axis, where)
  return inputs[0]
}

/** Length of a window's output along each spatial axis. */
export function windowOutput(spatial: Shape, kernel: Shape, g: WindowGeometry): number[] {
  return spatial.map((d, i) => {
    const span = (kernel[i] - 1) * g.dilations[i] + 1
    return Math.floor((d + g.padsBegin[i] + g.padsEnd[i] - span) / g.strides[i]) + 1
  })
}

function checkWindow(inputs: readonly TensorType[], rank: number, g: WindowGeometry, where: string): void {
  const lists = [g.strides, g.dilations, g.padsBegin, g.padsEnd]
  check(
    lists.every((l) => l.length === rank),
    where,
    `strides, dilations and pads need ${rank} entries each`,
    inputs,
  )
  check(
    [...g.strides, ...g.dilations].every((s) => Number.isInteger(s) && s >= 1),
    where,
    `strides [${g.strides}] and dilations [${g.dilations}] must be positive integers`,
    inputs,
  )
  check(
    [...g.padsBegin, ...g.padsEnd].every((s) => Number.isInteger(s) && s >= 0),
    where,
    `pads [${g.padsBegin}], [${g.padsEnd}] must be non-negative integers`,
    inputs,
  )
}

function checkKernel(inputs: readonly TensorType[], kernel: Shape, where: string): void {
  check(
    kernel.every((k) => Number.isInteger(k) && k >= 1),
    where,
    `kernel [${kernel}] must be positive integers`,
    inputs,
  )
}

function positive(shape: Shape, where: string, inputs: readonly TensorType[]): void {
  check(
    shape.every((d) => d > 0),
    where,
    `window must fit into the padded input, output would be [${shape}]`,
    inputs,
  )
}

function conv(inputs: readonly TensorType[], g: ConvGeometry, where: string): TensorType {
  arity(inputs, 2, where)
  oneDType(inputs, where)
  const [x, w] = inputs
  const rank = x.shape.length - 2
  check(
    isFloat(x.dtype) && rank >= 1 && w.shape.length === rank + 2,
    where,
    'needs x [N,C,…] and w [O,C/groups,…]',
    inputs,
  )
  checkKernel(inputs, w.shape.slice(2), where)
  checkWindow(inputs, rank, g, where)
  check(
    Number.isInteger(g.groups) && g.groups >= 1 && x.shape[1] === w.shape[1] * g.groups && w.shape[0] % g.groups === 0,
    where,
    `channels must satisfy C = (C/groups)·groups and groups | O with groups ${g.groups}`,
    inputs,
  )
  const spatial = windowOutput(x.shape.slice(2), w.shape.slice(2), g)
  positive(spatial, where, inputs)
  return { dtype: x.dtype, shape: [x.shape[0], w.shape[0], ...spatial] }
}

function convInputGradient(
  inputs: readonly TensorType[],
  a: OperatorAttributes['ConvInputGradient'],
  where: string,
): TensorType {
  arity(inputs, 2, where)
  const [y, w] = inputs
  const x: TensorType = { dtype: y.dtype, shape: [y.shape[0], w.shape[1] * a.groups, ...a.spatial] }
  const forward = conv([x, w], a, where)
  check(sameShape(forward.shape, y.shape), where, `y must have the shape [${forward.shape}] of the convolution`, inputs)
  return x
}

function convWeightGradient(
  inputs: readonly TensorType[],
  a: OperatorAttributes['ConvWeightGradient'],
  where: string,
): TensorType {
  arity(inputs, 2, where)
  const [x, y] = inputs
  const w: TensorType = { dtype: x.dtype, shape: [y.shape[1], x.shape[1] / a.groups, ...a.kernel] }
  const forward = conv([x, w], a, where)
  check(sameShape(forward.shape, y.shape), where, `y must have the shape [${forward.shape}] of the convolution`, inputs)
  return w
}

/** Numbers of real elements that each window holds along one axis. */
export function elementsInWindows(
  length: number,
  kernel: number,
  g: WindowGeometry,
  axis: number,
  windows: number,
): number[] {
  return range(windows).map((o) => {
    const start = o * g.strides[axis] - g.padsBegin[axis]
    return range(kernel).filter((t) => start + t * g.dilations[axis] >= 0 && start + t * g.dilations[axis] < length)
      .length
  })
}

/** The type of a pooling of x [N,C,…]; every window must hold a real element. */
export function poolType(inputs: readonly TensorType[], a: OperatorAttributes['MaxPool'], where: string): TensorType {
  arity(inputs, 1, where)
  const [x] = inputs
  const rank = x.shape.length - 2
  check(
    isFloat(x.dtype) && rank >= 1 && a.kernel.length === rank,
    where,
    'needs x [N,C,…] and a kernel entry per spatial axis',
    inputs,
  )
  checkKernel(inputs, a.kernel, where)
  checkWindow(inputs, rank, a, where)
  const lengths = x.shape.slice(2)
  const spatial = windowOutput(lengths, a.kernel, a)
  positive(spatial, where, inputs)
  const held = lengths.flatMap((d, i) => elementsInWindows(d, a.kernel[i], a, i, spatial[i]))
  check(
    held.every((count) => count > 0),
    where,
    `padding [${a.padsBegin}], [${a.padsEnd}] must leave an element in every window`,
    inputs,
  )
  return { dtype: x.dtype, shape: [x.shape[0], x.shape[1], ...spatial] }
}

function matMul(inputs: readonly TensorType[], _: unknown, where: string): TensorType {
  arity(inputs, 2, where)
  oneDType(inputs, where)
  const [a, b] = inputs
  check(
    isFloat(a.dtype) && a.shape.length >= 2 && b.shape.length >= 2,
    where,
    'needs floating-point operands of rank ≥ 2',
    inputs,
  )
  check(a.shape.at(-1) === b.shape.at(-2), where, 'inner axes must be equal', inputs)
  const batch = broadcastShapes(where, a.shape.slice(0, -2), b.shape.slice(0, -2))
  return { dtype: a.dtype, shape: [...batch, a.shape.at(-2)!, b.shape.at(-1)!] }
}

/** Number of elements that start, start + step, … passes before `end`. */
function sliceLength(start: number, end: number, step: number): number {
  return Math.max(0, Math.ceil((end - start) / step))
}

function slice(inputs: readonly TensorType[], a: OperatorAttributes['Slice'], where: string): TensorType {
  arity(inputs, 1, where)
  const [x] = inputs
  const rank = x.shape.length
  check(
    a.starts.length === rank && a.ends.length === rank && a.steps.length === rank,
    where,
    'needs a start, end and step per axis',
    inputs,
  )
  const shape = x.shape.map((d, i) => {
    const [start, end, step] = [a.starts[i], a.ends[i], a.steps[i]]
    const forward = step > 0 && start >= 0 && end <= d && start <= end
    const backward = step < 0 && end >= -1 && end <= start && (start < d || start === end)
    check(
      [start, end, step].every(Number.isInteger) && (forward || backward),
      where,
      `${start}:${end}:${step} must lie inside axis ${i}`,
      inputs,
    )
    return sliceLength(start, end, step)
  })
  return { dtype: x.dtype, shape }
}

function concat(inputs: readonly TensorType[], { axis }: { axis: number }, where: string): TensorType {
  check(inputs.length > 0, where, 'needs at least one operand', inputs)
  oneDType(inputs, where)
  axisInside(inputs, axis, where)
  const [first] = inputs
  check(
    inputs.every(
      (t) => t.shape.length === first.shape.length && t.shape.every((d, i) => i === axis || d === first.shape[i]),
    ),
    where,
    `all axes but ${axis} must be equal`,
    inputs,
  )
  const length = inputs.reduce((sum, t) => sum + t.shape[axis], 0)
  return { dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? length : d)) }
}

function gather(inputs: readonly TensorType[], { axis }: { axis: number }, where: string): TensorType {
  arity(inputs, 2, where)
  const [x, indices] = inputs
  check(indices.dtype === 'int64', where, 'needs int64 indices', inputs, 'Cast them.')
  axisInside(inputs, axis, where)
  return { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }
}

function gatherElements(inputs: readonly TensorType[], { axis }: { axis: number }, where: string): TensorType {
  arity(inputs, 2, where)
  const [x, indices] = inputs
  check(indices.dtype === 'int64', where, 'needs int64 indices', inputs, 'Cast them.')
  axisInside(inputs, axis, where)
  check(
    x.shape.length === indices.shape.length && x.shape.every((d, i) => i === axis || indices.shape[i] === d),
    where,
    `indices must have the operand's shape except along axis ${axis}`,
    inputs,
  )
  return { dtype: x.dtype, shape: indices.shape }
}

function scatterAdd(inputs: readonly TensorType[], a: OperatorAttributes['ScatterAdd'], where: string): TensorType {
  arity(inputs, 2, where)
  const [indices, updates] = inputs
  const { axis, size } = a
  const k = indices.shape.length
  check(indices.dtype === 'int64' && updates.dtype !== 'bool', where, 'needs int64 indices and numeric updates', inputs)
  check(
    axis >= 0 && axis + k <= updates.shape.length && sameShape(updates.shape.slice(axis, axis + k), indices.shape),
    where,
    `updates must carry the indices' shape at axis ${axis}`,
    inputs,
  )
  return { dtype: updates.dtype, shape: [...updates.shape.slice(0, axis), size, ...updates.shape.slice(axis + k)] }
}

function scatterElementsAdd(
  inputs: readonly TensorType[],
  a: OperatorAttributes['ScatterElementsAdd'],
  where: string,
): TensorType {
  arity(inputs, 2, where)
  const [indices, updates] = inputs
  check(indices.dtype === 'int64' && updates.dtype !== 'bool', where, 'needs int64 indices and numeric updates', inputs)
  check(sameShape(indices.shape, updates.shape), where, 'indices must have the shape of the updates', inputs)
  axisInside(inputs, a.axis, where)
  return { dtype: updates.dtype, shape: updates.shape.map((d, i) => (i === a.axis ? a.size : d)) }
}

/** The type of each operator's result; throws a ShapeError that names operator, types and rule. */
export const signatures: { readonly [K in OperatorName]: Signature<K> } = {
  Neg: unary('numeric'),
  Abs: unary('numeric'),
  Sign: unary('numeric'),
  Reciprocal: unary('float'),
  Sqrt: unary('float'),
  Exp: unary('float'),
  Log: unary('float'),
  Sin: unary('float'),
  Cos: unary('float'),
  Atan: unary('float'),
  Tanh: unary('float'),
  Sigmoid: unary('float'),
  Softplus: unary('float'),
  Erf: unary('float'),
  Relu: unary('float'),
  Floor: unary('float'),
  Ceil: unary('float'),
  Round: unary('float'),
  Not: unary('bool'),
  IsNaN: unary('float', 'bool'),
  IsInf: unary('float', 'bool'),
  Cast: (inputs, { to }, where) => {
    arity(inputs, 1, where)
    return { dtype: to, shape: inputs[0].shape }
  },
  Add: binary('numeric'),
  Sub: binary('numeric'),
  Mul: binary('numeric'),
  Div: binary('numeric'),
  Pow: binary('numeric'),
  Min: binary('numeric'),
  Max: binary('numeric'),
  Mod: (inputs, attributes, where) => {
    check(
      inputs.every((t) => t.dtype === 'int64'),
      where,
      'needs int64 operands',
      inputs,
    )
    return binary('numeric')(inputs, attributes, where)
  },
  Equal: binary('any', 'bool'),
  Greater: binary('numeric', 'bool'),
  Less: binary('numeric', 'bool'),
  GreaterOrEqual: binary('numeric', 'bool'),
  LessOrEqual: binary('numeric', 'bool'),
  And: binary('bool'),
  Or: binary('bool'),
  Xor: binary('bool'),
  Where: (inputs, _, where) => {
    arity(inputs, 3, where)
    const [condition, a, b] = inputs
    check(condition.dtype === 'bool', where, 'condition must be bool', inputs, 'Cast it.')
    check(a.dtype === b.dtype, where, 'both branches must have one dtype', inputs, 'Cast one of them.')
    return { dtype: a.dtype, shape: broadcastShapes(where, condition.shape, broadcastShapes(where, a.shape, b.shape)) }
  },
  ReduceSum: reduction(false, false),
  ReduceMax: reduction(true, false),
  ReduceMin: reduction(true, false),
  ReduceLogSumExp: reduction(true, true),
  ArgMax: (inputs, { axis, keepDims }, where) => {
    arity(inputs, 1, where)
    check(inputs[0].dtype !== 'bool', where, 'needs a numeric operand', inputs, 'Cast it.')
    axisInside(inputs, axis, where)
    check(inputs[0].shape[axis] > 0, where, 'needs at least one element', inputs)
    return { dtype: 'int64', shape: reducedShape(inputs[0].shape, { axes: [axis], keepDims }) }
  },
  CumSum: (inputs, { axis }, where) => {
    arity(inputs, 1, where)
    axisInside(inputs, axis, where)
    check(inputs[0].dtype !== 'bool', where, 'needs a numeric operand', inputs)
    return inputs[0]
  },
  Softmax: alongAxis,
  LogSoftmax: alongAxis,
  MatMul: matMul,
  Conv: conv,
  ConvInputGradient: convInputGradient,
  ConvWeightGradient: convWeightGradient,
  MaxPool: poolType,
  MaxPoolIndices: (inputs, attributes, where) => ({ ...poolType(inputs, attributes, where), dtype: 'int64' }),
  Reshape: (inputs, { shape }, where) => {
    arity(inputs, 1, where)
    check(sizeOf(shape) === sizeOf(inputs[0].shape), where, `[${shape}] must keep the number of elements`, inputs)
    return { dtype: inputs[0].dtype, shape }
  },
  Transpose: (inputs, { perm }, where) => {
    arity(inputs, 1, where)
    const { shape, dtype } = inputs[0]
    const sorted = [...perm].sort((p, q) => p - q)
    check(
      perm.length === shape.length && sorted.every((p, i) => p === i),
      where,
      `[${perm}] must permute the axes`,
      inputs,
    )
    return { dtype, shape: perm.map((p) => shape[p]) }
  },
  Expand: (inputs, { shape }, where) => {
    arity(inputs, 1, where)
    check(
      sameShape(broadcastShapes(where, inputs[0].shape, shape), shape),
      where,
      `operand must broadcast to [${shape}]`,
      inputs,
    )
    return { dtype: inputs[0].dtype, shape }
  },
  Slice: slice,
  Pad: (inputs, { before, after }, where) => {
    arity(inputs, 1, where)
    const { shape, dtype } = inputs[0]
    check(
      before.length === shape.length &&
        after.length === shape.length &&
        [...before, ...after].every((p) => Number.isInteger(p) && p >= 0),
      where,
      `pads [${before}], [${after}] must be non-negative, one per axis`,
      inputs,
    )
    return { dtype, shape: shape.map((d, i) => d + before[i] + after[i]) }
  },
  Concat: concat,
  Gather: gather,
  GatherElements: gatherElements,
  ScatterAdd: scatterAdd,
  ScatterElementsAdd: scatterElementsAdd,
}
