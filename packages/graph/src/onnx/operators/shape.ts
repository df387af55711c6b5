import { full } from '../../build/structure.ts'
import { constant } from '../../core/expr.ts'
import type { Expr } from '../../core/expr.ts'
import { forEachIndex } from '../../interpret/nd-array.ts'
import { castTensor, isFloat, numbersOf, sizeOf, type Tensor, tensorOf } from '../../core/tensor.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'
import { dtypeOfCode } from './elementwise.ts'

function floatsAs(call: OperatorCall, value: Tensor): Tensor {
  return isFloat(value.dtype) ? castTensor(value, call.dtype) : value
}

function createdSize(call: OperatorCall, shape: readonly number[]): number {
  if (shape.some((d) => d < 0 || !Number.isInteger(d)))
    throw call.malformed(`a shape must be of counts, got [${shape}]`)
  const size = sizeOf(shape)
  call.context.reserve(size)
  return size
}

function shapeOf(call: OperatorCall): Expr {
  const { shape } = call.input(0)
  const [start, end] = call.opset >= 15 ? [call.int('start', 0), call.int('end', shape.length)] : [0, shape.length]
  const part = shape.slice(start, end)
  return constant(tensorOf('int64', [part.length], part))
}

function constantOfShape(call: OperatorCall): Expr {
  const shape = call.numbers(0, 'the shape')
  const size = createdSize(call, shape)
  const value = floatsAs(call, call.tensor('value') ?? tensorOf('float32', [1], [0]))
  if (size === 0 || value.dtype === 'int64' || value.dtype === 'bool')
    return constant(tensorOf(value.dtype, shape, new Float64Array(size).fill(Number(value.data[0]))))
  return full(value.dtype, shape, Number(value.data[0]))
}

function rangeOf(call: OperatorCall): Expr {
  const [start, limit, delta] = [call.number(0, 'start'), call.number(1, 'limit'), call.number(2, 'delta')]
  const count = Math.max(0, Math.ceil((limit - start) / delta))
  createdSize(call, [count])
  const values = Float64Array.from({ length: count }, (_, i) => start + i * delta)
  return constant(tensorOf(call.input(0).dtype, [count], values))
}

/** Coordinates of the elements that are not zero, [rank, count]: only of constants, since the count is a shape. */
function nonZero(call: OperatorCall): Expr {
  const value = call.value(0, 'the operand')
  const found: number[][] = []
  const data = numbersOf(value)
  forEachIndex(value.shape, (position, at) => {
    if (data[position] !== 0) found.push([...at])
  })
  const rank = value.shape.length
  return constant(
    tensorOf(
      'int64',
      [rank, found.length],
      Array.from({ length: rank }, (_, axis) => found.map((at) => at[axis])).flat(),
    ),
  )
}

function eyeLike(call: OperatorCall): Expr {
  const x = call.input(0)
  const [rows, columns] = x.shape
  const code = call.int('dtype', 0)
  const k = call.int('k', 0)
  createdSize(call, [rows, columns])
  const values = Float64Array.from({ length: rows * columns }, (_, i) =>
    (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
  )
  return constant(tensorOf(code === 0 ? x.dtype : dtypeOfCode(call, code), [rows, columns], values))
}

function constantNode(call: OperatorCall): Expr {
  const value = call.tensor('value')
  if (value === undefined)
    throw call.unsupported('only dense numeric constants are handled', 'Export the model with dense tensors.')
  return constant(floatsAs(call, value))
}

/** Operators whose result is known once shapes are. */
export const shape: OperatorFamily = {
  Constant: constantNode,
  Shape: shapeOf,
  Size: (call) => constant(tensorOf('int64', [], [sizeOf(call.input(0).shape)])),
  ConstantOfShape: constantOfShape,
  Range: rangeOf,
  NonZero: nonZero,
  EyeLike: eyeLike,
}
